"""One source for both precisions: a scalar function's float literals take the dtype it is compiled for.

Numba types the literal in `0.5 * z` as float64 and widens a float32 `z` with it: half the lanes, and conversions. Here the
constants of the function, and the float constants it reads from its module, are cast first; `math` in it stands for our own
vectorisable functions (`kernels/elementary.py`), so the plain Python that defines an activation is also what runs fast.
"""

import math
import types

import numpy as np

from . import elementary
from .jit import jit


def specialize(function, dtype):
    """A copy of the plain Python `function` whose float constants have `dtype`."""
    real = np.dtype(dtype).type

    def cast(value):
        if type(value) is float:
            return real(value)
        return elementary if value is math else value

    code = function.__code__
    code = code.replace(co_consts=tuple(map(cast, code.co_consts)))
    names = {name: cast(function.__globals__[name]) for name in code.co_names if name in function.__globals__}
    closure = function.__closure__ and tuple(types.CellType(cast(cell.cell_contents)) for cell in function.__closure__)
    copy = types.FunctionType(code, function.__globals__ | names, function.__name__, function.__defaults__, closure)
    copy.__module__ = function.__module__
    return copy


def compiled_scalar(function, dtype, name):
    """`function` compiled for `dtype` scalars, to be inlined in a kernel's loop; `name` must be unique to it."""
    if hasattr(function, "py_func"):  # the user gave a Numba function: its literals are the user's own
        function = function.py_func
    copy = specialize(function, dtype)
    copy.__name__ = copy.__qualname__ = f"{name}_{np.dtype(dtype).name}"
    return jit(copy, inline=True)
