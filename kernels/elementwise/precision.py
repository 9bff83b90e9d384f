"""One source for both precisions: a scalar function's float constants take the dtype it is compiled for.

Numba types the literal in `0.5 * z` as float64 and widens a float32 `z` with it: half the lanes, and conversions. Here the
constants of a function are cast before it is compiled: its literals, the floats it reads from its module or closure, and
those of the functions it calls. `math` and `numpy` in it stand for our own vectorizable functions where there are any. So
the plain Python that defines an activation is also what runs fast, and a user's is treated like ours.
"""

import functools
import math
import types

import numpy as np

from ..compiling.jit import jit
from . import elementary
from .constants import with_constants

OURS = {getattr(module, name): getattr(elementary, name)
        for module in (math, np) for name in elementary.__all__ if hasattr(module, name)}


@functools.cache
def stand_in(module, dtype):
    """`module` with our functions for its own, and its float constants (pi, e, …) in `dtype`."""
    real = np.dtype(dtype).type
    copy = types.ModuleType(f"{module.__name__}_{dtype}")
    for name in dir(module):
        value = getattr(module, name)
        value = OURS.get(value, value) if callable(value) else value
        setattr(copy, name, real(value) if type(value) is float else value)
    return copy


def compiled_scalar(function, dtype, name):
    """`function` compiled for `dtype` scalars, to be inlined in a kernel's loop; `name` must be unique to it."""
    real = np.dtype(dtype).type

    def cast(value):
        if type(value) is float:
            return real(value)
        if value is math or value is np:
            return stand_in(value, dtype)
        if isinstance(value, types.FunctionType) and value.__module__ != elementary.__name__:
            return compiled_scalar(value, dtype, f"{name}_{value.__name__}")
        return OURS.get(value, value) if callable(value) else value

    function = getattr(function, "py_func", function)  # what a user has compiled is compiled our way instead
    return jit(with_constants(function, cast, f"{name}_{dtype}"), inline=True)
