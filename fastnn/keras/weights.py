"""The arrays of the layers in an open HDF5 file of Keras, one by one, with the shape that the architecture requires."""

import re

import numpy as np

from ..samples.arrays import check_finite

FIRST = "layers", "_layer_checkpoint_dependencies"  # the group of all layers, today and in Keras 2.12


def library():
    """Return the package `h5py`, or raise an error that says how to install it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError('files of Keras are read by h5py; install it with: pip install "fastnn-numba[keras]"') from error
    return h5py


def text_of(value):
    """Return an attribute that is text, given as str or bytes."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str):
        return str(value)
    raise ValueError("an attribute that must be text is not")


def snake_case(name):
    """Return the name of a group for the name of a class, as Keras makes it: "conv2d_transpose" for Conv2DTranspose."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Weights:
    """The arrays of an open file. Links and arrays that lie elsewhere are refused, and so is any that the file lacks."""

    def __init__(self, h5py, file):
        self.h5py, self.file = h5py, file

    def member(self, group, path):
        """Return the object at a path of names below a group, or None; links to other objects or files are refused."""
        for name in filter(None, path.split("/")):
            if not isinstance(group, self.h5py.Group):
                return None
            link = group.get(name, getlink=True)
            if link is None:
                return None
            if not isinstance(link, self.h5py.HardLink):
                raise ValueError(f"{path!r} is a link to another place, which is not followed")
            group = group[name]
        return group

    def array(self, where, dataset, shape):
        """Return a dataset of real numbers of the given shape."""
        if not isinstance(dataset, self.h5py.Dataset):
            raise ValueError(f"{where} is not in the file")
        if dataset.shape != shape:
            raise ValueError(f"{where} has shape {dataset.shape}; with these options it must be {shape}")
        if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
            raise ValueError(f"{where} holds {dataset.dtype}; it must hold real numbers")
        filters = dataset.id.get_create_plist().get_nfilters()
        if dataset.is_virtual or dataset.external or filters or dataset.id.get_storage_size() < dataset.nbytes:
            raise ValueError(f"{where} does not lie in the file as plain numbers, as Keras writes them")
        array = np.asarray(dataset[()])
        check_finite(where, array)
        return array


class ArchiveWeights(Weights):
    """The arrays of a .keras file: a group for each layer, with numbered arrays."""

    def below(self, name, count, within=()):
        """Return the path of the groups of a layer: its class, and how many of this class are before it."""
        return (*within, f"{snake_case(name)}_{count}" if count else snake_case(name))

    def read(self, layer, names, wanted, shape):
        """Return the array of the variable `wanted` of a layer, whose variables in this file are `names`, in order."""
        for first in FIRST:
            path = "/".join([f"{first}/{part}" for part in layer.path] + [*layer.places])
            group = self.member(self.file, f"{path}/vars")
            if group is not None:
                break
        else:
            raise ValueError(f"its weights of {layer.name!r} are missing: there is no group {path!r}")
        title = group.attrs.get("name")
        if title is not None and layer.outer is None and text_of(title) != layer.name:
            raise ValueError(f"its group {path!r} holds the weights of {text_of(title)!r}, and by its place those of "
                             f"{layer.name!r}")
        if len(group) != len(names):
            raise ValueError(f"{layer.name!r} has {len(group)} arrays; a {layer.kind} with its options has {len(names)}: "
                             f"{', '.join(names)}")
        return self.array(f"{wanted} of {layer.name!r}", self.member(group, str(names.index(wanted))), shape)


class LegacyWeights(Weights):
    """The arrays of an .h5 file: a group for each layer, whose attribute names them."""

    def below(self, name, count, within=()):
        if within:
            raise ValueError("it holds a model within a model, which is read from .keras files only: save it with "
                             "model.save('model.keras')")
        return ()

    def read(self, layer, names, wanted, shape):
        group = self.member(self.file, f"model_weights/{(layer.outer or layer).name}")
        if group is None:
            raise ValueError(f"its weights of {layer.name!r} are missing")
        # "conv2d/kernel:0"; the last part says which variable it is
        titles = [text_of(each) for each in np.ravel(group.attrs.get("weight_names", ()))]
        titles = [title for title in titles if layer.within is None or layer.within in title.split("/")]
        there = {title.split("/")[-1].split(":")[0]: title for title in titles}
        other = {"kernel": "depthwise_kernel"} if layer.kind.startswith("Depthwise") else {}
        found = there.get(wanted, there.get(other.get(wanted)))
        if len(there) != len(titles) or len(titles) != len(names) or found is None:
            raise ValueError(f"{layer.name!r} holds {', '.join(there) or 'nothing'}; a {layer.kind} with its options has "
                             f"{', '.join(names)}")
        return self.array(f"{wanted} of {layer.name!r}", self.member(group, found), shape)
