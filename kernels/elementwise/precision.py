"""One source for both precisions: the float constants of a scalar function are cast to the dtype it is compiled for.

Numba types the literal in `0.5 * z` as float64, which widens a float32 `z`: this halves the number of lanes and adds
conversions. So the constants of a function are cast before it is compiled: its literals, the floats it reads from its module
or closure, and those of the functions it calls. In it, `math` and `numpy` are replaced by the vectorizable functions of
`elementary.py` where these exist. So the plain Python function that defines an activation is also the fast one, and a user's
function is treated like those of this package.
"""

import functools
import math
import types

import numpy as np
from numba.core.compiler import Compiler

from ..compiling.jit import jit
from . import elementary
from .constants import with_constants

OURS = {getattr(module, name): getattr(elementary, name)
        for module in (math, np) for name in elementary.__all__ if hasattr(module, name)}


@functools.cache
def cast_namespace(module, dtype):
    """Return a namespace like `module`, with the functions of `elementary.py` and float constants (pi, e, …) in `dtype`."""
    real = np.dtype(dtype).type
    copy = types.ModuleType(f"{module.__name__}_{dtype}")
    for name in dir(module):
        value = getattr(module, name)
        value = OURS.get(value, value) if callable(value) else value
        setattr(copy, name, real(value) if type(value) is float else value)
    return copy


def compiled_scalar(function, dtype, name, compilers=(Compiler, Compiler)):
    """Return `function` compiled for `dtype` scalars, inlined into the loop of a kernel; `name` must be unique.

    compilers: the class of Numba's compilers for the function, and for those that it calls.
    """
    real = np.dtype(dtype).type

    def cast(value):
        if type(value) is float:
            return real(value)
        if value is math or value is np:
            return cast_namespace(value, dtype)
        if isinstance(value, types.FunctionType) and value.__module__ != elementary.__name__:
            return compiled_scalar(value, dtype, f"{name}_{value.__name__}", compilers[1:] * 2)
        return OURS.get(value, value) if callable(value) else value

    function = getattr(function, "py_func", function)  # a function that the user compiled is compiled again here
    return jit(with_constants(function, cast, f"{name}_{dtype}"), inline=True, compiler=compilers[0])
