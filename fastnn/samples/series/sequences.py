"""`Sequences`: samples that are sequences of different lengths, without padding."""

import numpy as np

from ...checks import shown
from ..arrays import any_array


class Sequences:
    """Sequences of different lengths, one after the other in one array, without padding.

    Sequence i is `values[offsets[i]:offsets[i + 1]]`, as in the list arrays of Arrow.

    Parameters
    ----------
    values : array `(steps, *shape)`, or list of arrays
        The steps of all sequences, which are not copied: numbers, such as (steps, features), or tokens (steps,). Without
        offsets, a list with an array for each sequence, which are copied into one.
    offsets : array of int (sequences + 1,), optional
        Where each sequence begins, and where the last one ends.

    Attributes
    ----------
    values, offsets : array
    lengths : array of int (sequences,)
        The number of steps of each sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Sequences
    >>> pair = Sequences(np.arange(10.0).reshape(5, 2), [0, 2, 5])
    >>> pair
    Sequences(2 of 2 to 3 steps, each (2,) float64)
    >>> pair[0]
    array([[0., 1.],
           [2., 3.]])
    >>> pair.to_padded().shape
    (2, 3, 2)
    >>> Sequences([[5, 2, 9], [7]]).lengths
    array([3, 1])
    """

    def __init__(self, values, offsets=None):
        if offsets is None:
            values, offsets = one_after_another(values)
        array = any_array("values", values)
        if array.ndim == 0:
            raise ValueError(f"values is {shown(values)}; it must be an array (steps, ...) of the steps of all sequences")
        given = any_array("offsets", offsets)
        if given.ndim != 1 or len(given) == 0 or given.dtype.kind not in "iu":
            raise ValueError(f"offsets is {shown(offsets)}; it must be whole numbers (sequences + 1,): where each sequence "
                             "begins, and where the last one ends")
        own = np.array(given, np.int64)
        if own[0] < 0 or own[-1] > len(array) or (own[1:] < own[:-1]).any():
            raise ValueError(f"offsets must not decrease, and lie from 0 to {len(array)}, the number of steps in values; "
                             f"they run from {own.min()} to {own.max()}")
        own.flags.writeable = False
        self.values, self.offsets = array, own

    @classmethod
    def of_lengths(cls, values, lengths):
        """Return the sequences of so many steps each, one after the other in `values`, which they use up."""
        lengths, values = any_array("lengths", lengths), any_array("values", values)
        if lengths.ndim != 1 or (len(lengths) and (lengths.dtype.kind not in "iu" or lengths.min() < 0)):
            raise ValueError(f"lengths is {shown(lengths)}; it must hold a whole number of steps for each sequence")
        if values.ndim and lengths.sum() != len(values):
            raise ValueError(f"lengths add up to {lengths.sum()}, and values has {len(values)} steps; give the length of "
                             "every sequence, or only the values that belong to one")
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    @classmethod
    def from_padded(cls, X, lengths=None, *, mask=None):
        """Return the sequences in a padded array.

        Parameters
        ----------
        X : array `(sequences, longest, *shape)`
        lengths : array of int (sequences,), optional
            How many steps of each sequence are not padding; these come first.
        mask : array of bool, or of 0 and 1 (sequences, longest), optional
            Instead of lengths: which steps are not padding. They may stand anywhere, and keep their order.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Sequences
        >>> Sequences.from_padded(np.array([[1, 2, 0], [3, 0, 0]]), [2, 1])
        Sequences(2 of 1 to 2 steps, each an int64)
        """
        X = any_array("X", X)
        if X.ndim < 2:
            raise ValueError(f"X has shape {X.shape}; a padded array has the axes (sequences, longest, ...)")
        if (lengths is None) == (mask is None):
            raise ValueError("give either lengths or mask: how many steps of each sequence there are, or which ones")
        samples, longest = X.shape[:2]
        if mask is None:
            lengths = any_array("lengths", lengths)
            if lengths.shape == (samples, longest) and is_mask(lengths):
                raise ValueError("lengths has a number for each step, as a mask has; give it by name: "
                                 "Sequences.from_padded(X, mask=mask)")
            if lengths.shape != (samples,) or lengths.dtype.kind not in "iu":
                raise ValueError(f"lengths is {shown(lengths)}; it must hold a whole number for each of the {samples} "
                                 "sequences")
            if samples and not 0 <= lengths.min() <= lengths.max() <= longest:
                raise ValueError(f"lengths run from {lengths.min()} to {lengths.max()}; X has {longest} steps, so they must "
                                 f"be from 0 to {longest}")
            mask = np.arange(longest) < np.asarray(lengths)[:, None]
        mask = any_array("mask", mask)
        if mask.shape != (samples, longest) or not is_mask(mask):
            raise ValueError(f"mask has shape {mask.shape} and dtype {mask.dtype}; it must be bool ({samples}, {longest}), "
                             "as the first axes of X, or hold 0 and 1")
        mask = mask.astype(bool)
        return cls.of_lengths(X[mask], mask.sum(axis=1))

    def to_padded(self, value=0):
        """Return an array `(sequences, longest, *shape)`, with `value` after the last step of each sequence.

        `lengths` says which steps these are.
        """
        lengths, steps = self.lengths, self.steps
        padded = np.full((len(self), lengths.max(initial=0), *steps.shape[1:]), value, steps.dtype)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = steps
        return padded

    @property
    def lengths(self):
        return np.diff(self.offsets)

    @property
    def steps(self):
        """The steps of all sequences, one after the other: a view of those values that belong to a sequence."""
        return self.values[self.offsets[0]:self.offsets[-1]]

    def number_at(self, step):
        """Return the number of the sequence that has a step, counted among those in `steps`."""
        return int(np.searchsorted(self.offsets - self.offsets[0], step, side="right")) - 1

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def nbytes(self):
        """The size of the steps in memory."""
        return self.steps.nbytes

    def with_steps(self, steps):
        """Return sequences of the same lengths with other steps, one for each of `self.steps`."""
        return Sequences(self.checked_steps(steps), self.offsets - self.offsets[0])

    def checked_steps(self, steps):
        """Return `steps` as an array with one for each of `self.steps`."""
        steps = any_array("steps", steps)
        if steps.ndim and len(steps) != len(self.steps):
            raise ValueError(f"steps has {len(steps)} of them; the sequences have {len(self.steps)}; give one for each")
        return steps

    def with_values(self, values):
        """Return the same sequences of another array in place of `values`."""
        return Sequences(values, self.offsets)

    def copied(self):
        """Return the same sequences one after the other: themselves, unless they overlap."""
        return self

    window = 0  # the number of steps of each, if they may overlap: then `offsets` are where they begin

    def __len__(self):
        return len(self.offsets) - 1

    def __iter__(self):
        return (self[number] for number in range(len(self)))

    def __getitem__(self, which):
        """Return a sequence by its number, or the Sequences of a slice, of numbers, or where a mask is True."""
        if isinstance(which, slice):
            first, last, step = which.indices(len(self))
            if step == 1:
                return Sequences(self.values, self.offsets[first:max(first, last) + 1])
        numbers = self.numbers_of(which)
        if numbers.ndim == 0:
            return self.values[self.offsets[numbers]:self.offsets[numbers + 1]]
        lengths = self.lengths[numbers]
        ends = np.cumsum(lengths)
        places = np.repeat(self.offsets[:-1][numbers] - ends + lengths, lengths) + np.arange(ends[-1] if len(ends) else 0)
        return Sequences.of_lengths(self.values[places], lengths)

    def numbers_of(self, which):
        """Return the numbers of the chosen sequences, an array, or the number of one."""
        if isinstance(which, (int, np.integer)) and not isinstance(which, bool):
            return np.asarray(range(len(self))[which])
        try:
            numbers = np.arange(len(self))[which if isinstance(which, slice) or len(which) else slice(0)]
        except (IndexError, TypeError) as error:
            raise IndexError(f"Sequences take a number, a slice, an array of numbers or a mask, not {shown(which)}: "
                             f"{error}") from None
        if numbers.ndim != 1:
            raise IndexError(f"Sequences have one axis; {shown(which)} has {numbers.ndim}")
        return numbers

    def __array__(self, *arguments, **options):
        raise TypeError("Sequences have no rectangular array; give .to_padded() for a padded one, or .steps for all steps")

    def __repr__(self):
        lengths, shape, kind = self.lengths, self.values.shape[1:], self.dtype.name
        one = f"each {shape} {kind}" if shape else f"each {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        if len(self) == 0:
            return f"Sequences(none, {one})"
        span = " to ".join(map(str, dict.fromkeys([lengths.min(), lengths.max()])))
        return f"Sequences({len(self)} of {span} steps, {one})"


def is_mask(array):
    """Return whether an array is bool, or holds 0 and 1 only."""
    return array.dtype.kind == "b" or (array.dtype.kind in "iuf" and bool(((array == 0) | (array == 1)).all()))


def one_after_another(given):
    """Return (values, offsets) of a list with an array for each sequence."""
    if hasattr(given, "to_numpy") and getattr(given, "ndim", 0) == 1:  # a column of a table
        given = given.to_numpy()
    if not isinstance(given, (list, tuple)) and not (isinstance(given, np.ndarray) and given.dtype.kind == "O"):
        raise ValueError("offsets is missing: where each sequence begins, and where the last one ends; without it, values "
                         "is a list with an array for each sequence, and for a padded array there is "
                         "Sequences.from_padded")
    arrays = [any_array(f"values[{number}]", each) for number, each in enumerate(given)]
    if not arrays:
        raise ValueError("values is an empty list; give an array without steps, such as np.empty((0, features)), and "
                         "offsets=[0]")
    steps = {array.shape[1:] for array in arrays if array.size} or {array.shape[1:] for array in arrays}
    number = next((number for number, array in enumerate(arrays) if array.ndim == 0), None)
    if number is not None:
        raise ValueError(f"values[{number}] is {shown(given[number])}; without offsets, values is a list with an array for "
                         "each sequence")
    if len(steps) > 1:
        raise ValueError(f"values has steps of the shapes {' and '.join(map(str, sorted(steps)))}; those of all sequences "
                         "must have one shape")
    step, = steps
    held = [array for array in arrays if array.size] or [np.empty((0, *step), arrays[0].dtype)]
    lengths = [len(array) if array.size or array.shape[1:] == step else 0 for array in arrays]
    return np.concatenate(held), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
