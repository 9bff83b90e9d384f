"""The door: what a caller gives is checked here once, with an error that names the argument and the repair.

Kernels assume what is promised here: shapes that fit, the network's dtype, C order, finite numbers, labels in range.
"""

import contextlib
import math
import operator
import os

import numpy as np

from .kernels.finite import all_finite
from .kernels.hyperparameters import real_number, shown
from .kernels.jit import DTYPES
from .quiet import quiet

LARGEST_WHOLE = 2**63 - 1  # what the kernels count with


def whole_number(where, value, least=1, most=LARGEST_WHOLE):
    """`value` as an int from `least` to `most`, or an error that says where it was given."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)) or number < least:
        raise ValueError(f"{where} is {shown(value)}; it must be a whole number of at least {least}")
    if number > most:
        raise ValueError(f"{where} is {shown(value)}; it must be a whole number of at most {most}")
    return number


def number_in_range(where, value, least, below=math.inf):
    """`value` as a float from `least` up to, but not including, `below`; or an error that says where it was given."""
    number = real_number(value)
    if not least <= number < below:
        limit = "finite" if below == math.inf else f"below {below:g}"
        raise ValueError(f"{where} is {shown(value)}; it must be a number of at least {least:g} and {limit}")
    return number


def not_negative(where, value):
    """`value` as a float, finite and not below zero."""
    return number_in_range(where, value, 0.0)


def float_dtype(where, dtype):
    """The name, "float32" or "float64", of a dtype given by its name or as NumPy's object."""
    with contextlib.suppress(TypeError, ValueError, SyntaxError):  # whatever NumPy says of what names no dtype
        if isinstance(dtype, (str, type, np.dtype)) and np.dtype(dtype).name in DTYPES and np.dtype(dtype).isnative:
            return np.dtype(dtype).name
    raise ValueError(f"{where} is {shown(dtype)}; it must be 'float32' or 'float64'")


def true_or_false(where, value):
    """`value` as a bool; a word such as "no" is not taken for True."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{where} is {shown(value)}; it must be True or False")
    return bool(value)


def several(where, values):
    """Several values as a tuple; not a single text, which would count as its letters."""
    if not isinstance(values, (str, bytes)):
        with contextlib.suppress(TypeError):
            return tuple(values)
    raise ValueError(f"{where} is {shown(values)}; it must be a list")


def path_name(where, value):
    """A path, given as str or os.PathLike, as a str."""
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        raise ValueError(f"{where} is {shown(value)}; it must be the path of a file, a str or a pathlib.Path")
    path = os.fspath(value)
    with contextlib.suppress(UnicodeEncodeError):  # half a character
        if b"\0" not in os.fsencode(path):
            return path
    raise ValueError(f"{where} is {shown(value)}, which no file can be called; give another name")


def one_of(where, value, words):
    """`value` if it is one of the words, two or more."""
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{where} is {shown(value)}; it must be {', '.join(map(repr, words[:-1]))} or {words[-1]!r}")
    return value


def an_instance(where, value, kind):
    """`value` if it is an instance of the class `kind`."""
    if not isinstance(value, kind):
        raise ValueError(f"{where} is {shown(value)}; it must be a {kind.__name__}")
    return value


def list_of(where, values, kind):
    """`values` as a list of instances of `kind`."""
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of {kind.__name__}")
    for index, value in enumerate(values):
        if not isinstance(value, kind):
            raise ValueError(f"{where}[{index}] is {shown(value)}; it must be a {kind.__name__}")
    return list(values)


def any_array(name, values):
    """`values` as an array of whatever dtype: rectangular, and with nothing masked."""
    if type(values) is np.ndarray and values.ndim > 0:
        return values
    refuse_masked(name, values)
    if hasattr(values, "toarray"):  # SciPy's sparse matrices, which NumPy takes for a single object
        raise ValueError(f"{name} is a {type(values).__name__}; this takes dense arrays: give {name}.toarray()")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not a rectangular array ({error}); give rows of equal length") from None
    if array.ndim == 0 and array.dtype.kind == "O" and values is not None:  # a set, a generator, a dict, …
        raise ValueError(f"{name} is a {type(values).__name__}; it must be an array, a list or a data frame of real numbers")
    return array


def refuse_masked(name, values):
    """Refuse what has something missing, for NumPy would take what lies under the masks."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} is a masked array with values missing; fill them first, with {name}.filled(...)")
    if isinstance(values, (list, tuple)) and holds_masked(values):
        raise ValueError(f"{name} holds masked arrays with values missing; fill them first, with .filled(...)")


def holds_masked(values):
    """Whether a list, or a list of lists, holds masked arrays or numbers with something masked."""
    return any(np.ma.is_masked(value) or (isinstance(value, (list, tuple)) and any(map(np.ma.is_masked, value)))
               for value in values)


def real_array(name, values, dtype):
    """`values` as a C-contiguous, aligned array of `dtype`; a copy only where one is needed."""
    array = any_array(name, values)
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    if array.dtype.kind == "O":
        array = real_objects(array)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}{first_that_is_no_number(array)}; it must hold real numbers "
                         "(encode text as numbers, split complex ones, drop or fill what is missing)")
    try:
        # what is too large for dtype becomes infinite, which the caller looks for, as for NaN; NumPy would warn of some
        return quiet(np.require, array, dtype, ["C", "A"], over="ignore", invalid="ignore")
    except MemoryError:
        raise MemoryError(
            f"{name} has shape {array.shape}, of which there is not memory enough for a copy in {np.dtype(dtype)}; "
            f"give it in parts, or as a C-contiguous array of {np.dtype(dtype)}, which is taken as it is"
        ) from None


def real_objects(array):
    """An array of Python numbers (a column of a mixed table, say) as float64; as it is if there is text among them."""
    if any(isinstance(value, (str, bytes)) for value in array.flat):
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return array


def first_that_is_no_number(array):
    """Of an array of objects: which is the first that is no real number, and where; as words for an error."""
    if array.dtype.kind == "O":
        for place, value in np.ndenumerate(array):
            if isinstance(value, (str, bytes)) or real_objects(np.array([value, 0], object)).dtype.kind == "O":
                return f" and holds {shown(value)} at {place}"
    return ""


def check_finite(name, array):
    """Refuse NaN and infinity, and say where the first one is."""
    if all_finite(array):
        return
    where = np.argwhere(~np.isfinite(array))[0]
    raise ValueError(
        f"{name} holds {array[tuple(where)]} at {tuple(int(i) for i in where)} (in {array.dtype}); "
        f"drop or fill such values first, and scale values too large for {array.dtype}"
    )


def features(X, inputs, dtype, *, least=1, finite=True):
    """X as (samples, inputs) of `dtype`, all finite; `finite=False` leaves that to be found by the kernel that reads it."""
    X = any_array("X", X)  # converted when its shape is right: that may take a copy
    if X.ndim != 2:
        hint = f"; for one sample give X[None, :], shape (1, {inputs})" if X.shape == (inputs,) else ""
        hint = hint or ("; for one feature give X[:, None]" if X.ndim == 1 and inputs == 1 else "")
        raise ValueError(f"X has shape {X.shape}; this network takes (samples, {inputs}){hint}")
    if X.shape[1] != inputs:
        raise ValueError(f"X has {X.shape[1]} features; this network takes {inputs} (inputs={inputs})")
    if len(X) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    X = real_array("X", X, dtype)
    if finite:
        check_finite("X", X)
    return X
