"""Conversion of a caller's arrays: real numbers, rectangular, finite, in the layout that kernels read."""

import numpy as np

from ..checks.hyperparameters import shown
from ..kernels.elementwise.finite import all_finite
from ..runtime.quiet import quiet

RAGGED = {
    False: "sequences of different lengths are for networks with inputs=(None, features)",
    True: "where a sample may have several labels, give a column of 0 and 1 for each, as scikit-learn's MultiLabelBinarizer "
          "makes",
}


def short(error):
    """Return the first sentence of an error of NumPy."""
    return str(error).split(". ")[0]


def any_array(name, values):
    """Return `values` as a rectangular array of any dtype, without masked elements."""
    if type(values) is np.ndarray and values.ndim > 0:
        return values
    refuse_masked(name, values)
    if hasattr(values, "toarray"):  # a sparse matrix of SciPy, which NumPy would convert to a 0-D object array
        raise ValueError(f"{name} is a {type(values).__name__}; this takes dense arrays: give {name}.toarray()")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not a rectangular array: its rows differ in length or kind ({short(error)}); give "
                         f"rows of equal length; {RAGGED[name[:1] == 'y']}") from None
    if array.ndim == 0 and array.dtype.kind == "O" and values is not None:  # a set, a generator, a dict, …
        hint = "; for data that come in parts use train_on_batch" if hasattr(values, "__next__") else ""
        hint = f"; give {name}.collect()" if hasattr(values, "collect") else hint  # a lazy frame
        raise ValueError(f"{name} is a {type(values).__name__}; it must be an array, a list or a data frame of real numbers"
                         f"{hint}")
    return array


def refuse_masked(name, values):
    """Raise an error for missing elements, because NumPy would use the values under the masks."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} is a masked array with values missing; fill them first, with {name}.filled(...)")
    if isinstance(values, (list, tuple)) and holds_masked(values):
        raise ValueError(f"{name} holds masked arrays with values missing; fill them first, with .filled(...)")


def holds_masked(values):
    """Return whether a list, or a list of lists, contains masked arrays or numbers with masked elements."""
    return any(np.ma.is_masked(value) or (isinstance(value, (list, tuple)) and any(map(np.ma.is_masked, value)))
               for value in values)


def real_array(name, values, dtype):
    """Return `values` as a C-contiguous, aligned array of `dtype`, copied only if necessary."""
    array = any_array(name, values)
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    if array.dtype.kind == "O":
        array = real_objects(array)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}{describe_first_non_number(array)}; it must hold real numbers "
                         "(encode text as numbers, split complex ones, drop or fill what is missing"
                         f"{'; fastnn.tables.train takes tables of text and dates' if hasattr(values, 'columns') else ''})")
    try:
        # values too large for dtype become infinite, which the caller checks, like NaN; NumPy would warn of some
        return quiet(np.require, array, dtype, ["C", "A"], over="ignore", invalid="ignore")
    except MemoryError:
        raise MemoryError(
            f"{name} has shape {array.shape}, of which there is not memory enough for a copy in {np.dtype(dtype)}; "
            f"give it in parts, or as a C-contiguous array of {np.dtype(dtype)}, which is taken as it is"
        ) from None


def unchangeable(checked, given):
    """Return checked indices, copied where a caller could still change them: kernels do not check again, and would write to
    other memory."""
    return checked.copy() if given.flags.writeable and np.may_share_memory(checked, given) else checked


def real_objects(array):
    """Return an array of Python numbers, such as a column of a mixed table, as float64; unchanged if it contains text."""
    if any(isinstance(value, (str, bytes)) for value in array.flat):
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return array


def describe_first_non_number(array):
    """Return words for an error about the first element of an object array that is not a real number."""
    if array.dtype.kind == "O":
        for place, value in np.ndenumerate(array):
            if isinstance(value, (str, bytes)) or real_objects(np.array([value, 0], object)).dtype.kind == "O":
                return f" and holds {shown(value)} at {place}"
    return ""


def check_finite(name, array):
    """Raise an error for NaN and infinity, with the position of the first."""
    if all_finite(array):
        return
    where = np.argwhere(~np.isfinite(array))[0]
    raise ValueError(
        f"{name} holds {array[tuple(where)]} at {tuple(int(i) for i in where)} (in {array.dtype}); "
        f"drop or fill such values first, and scale values too large for {array.dtype}"
    )
