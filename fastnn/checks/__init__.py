"""Checks of arguments, made once on input, with an error that names the argument and the repair.

Kernels rely on these checks: shapes that fit, the network's dtype, C order, finite numbers, labels in range.
"""

import contextlib
import math
import operator
import os

import numpy as np

from .single import below, number, real_number, shown, true_or_false

__all__ = ["DTYPES", "LARGEST_WHOLE", "an_instance", "float_dtype", "list_of", "not_negative", "number_in_range", "one_of",
           "path_name", "real_number", "refuse_class", "several", "shown", "true_or_false", "whole_number"]

DTYPES = "float32", "float64"
LARGEST_WHOLE = 2**63 - 1  # the largest integer of the kernels


def whole_number(where, value, least=1, most=LARGEST_WHOLE):
    """Return `value` as an int from `least` to `most`, or raise an error that names the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)) or number < least:
        raise ValueError(f"{where} is {shown(value)}; it must be a whole number of at least {least}")
    if number > most:
        raise ValueError(f"{where} is {shown(value)}; it must be a whole number of at most {most}")
    return number


def number_in_range(where, value, least, end=math.inf):
    """Return `value` as a float in [least, end), or raise an error that names the argument."""
    limit = "finite" if end == math.inf else f"below {end:g}"
    return number(least, below(end), f"a number of at least {least:g} and {limit}")(where, value)


not_negative = number(0.0, below(math.inf), "a number of at least 0 and finite")


def float_dtype(where, dtype):
    """Return the name, "float32" or "float64", of a dtype given by its name or as a NumPy dtype."""
    if isinstance(dtype, str) and dtype in DTYPES:
        return str(dtype)
    with contextlib.suppress(TypeError, ValueError, SyntaxError):  # raised by NumPy for anything that is not a dtype
        if isinstance(dtype, (str, type, np.dtype)) and np.dtype(dtype).name in DTYPES and np.dtype(dtype).isnative:
            return np.dtype(dtype).name
    raise ValueError(f"{where} is {shown(dtype)}; it must be 'float32' or 'float64'")


def several(where, values):
    """Return several values as a tuple; a single text is refused, because it would count as its letters."""
    if not isinstance(values, (str, bytes)):
        with contextlib.suppress(TypeError):
            return tuple(values)
    raise ValueError(f"{where} is {shown(values)}; it must be a list")


def path_name(where, value):
    """Return a path, given as str or os.PathLike, as a str."""
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        raise ValueError(f"{where} is {shown(value)}; it must be the path of a file, a str or a pathlib.Path")
    path = os.fspath(value)
    with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate
        if b"\0" not in os.fsencode(path):
            return path
    raise ValueError(f"{where} is {shown(value)}, which no file can be called; give another name")


def one_of(where, value, words):
    """Return `value` if it is one of the words, at least two."""
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{where} is {shown(value)}; it must be {', '.join(map(repr, words[:-1]))} or {words[-1]!r}")
    return value


def an_instance(where, value, kind):
    """Return `value` if it is an instance of the class `kind`."""
    refuse_class(where, value, kind)
    if not isinstance(value, kind):
        raise ValueError(f"{where} is {shown(value)}; it must be a {kind.__name__}")
    return value


def refuse_class(where, value, kind):
    """Raise an error for a class where an instance of it is wanted, as in callbacks=[EarlyStopping]."""
    if isinstance(value, type) and issubclass(value, kind):
        raise ValueError(f"{where} is the class {value.__name__}; give an instance: {value.__name__}(...)")


def list_of(where, values, kind):
    """Return `values` as a list of instances of `kind`."""
    if isinstance(values, kind) and kind is not str:
        raise ValueError(f"{where} is a single {type(values).__name__}; it must be a list of {kind.__name__}: "
                         f"{where}=[{type(values).__name__}(...)]")
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of {kind.__name__}")
    for index, value in enumerate(values):
        refuse_class(f"{where}[{index}]", value, kind)
        if not isinstance(value, kind):
            raise ValueError(f"{where}[{index}] is {shown(value)}; it must be a {kind.__name__}")
    return list(values)



