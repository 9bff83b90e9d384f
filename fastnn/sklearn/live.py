"""Lists of live views, such as the weights of a network: assignments are copied into them."""

from ..samples.arrays import check_finite, real_array


class LiveArrays(list):
    """Arrays of `name` that share their memory with a network; assignments to one or several change the network."""

    def __init__(self, name, arrays):
        super().__init__(arrays)
        self.name = name

    def __setitem__(self, index, given):
        """Copy arrays of the same shapes into the array, or into each of a slice; either all are copied or none."""
        views = self[index] if isinstance(index, slice) else [self[index]]
        given = given if isinstance(index, slice) else [given]
        if not isinstance(given, (list, tuple)) or len(given) != len(views):
            raise ValueError(f"{self.name} must be a list of {len(views)} arrays here, of the shapes "
                             f"{', '.join(str(view.shape) for view in views)}")
        checked = [real_array(self.name, each, view.dtype) for each, view in zip(given, views, strict=True)]
        for array, view in zip(checked, views, strict=True):
            if array.shape != view.shape:
                raise ValueError(f"{self.name} has an array of shape {array.shape}; there it takes {view.shape}")
            check_finite(self.name, array)
        for array, view in zip(checked, views, strict=True):
            view[...] = array

    def __reduce__(self):
        return list, (list(self),)  # a copy contains the numbers and belongs to no network
