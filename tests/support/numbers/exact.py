"""Activations and losses in multiple precision, from the same functions that define them: `math` in them becomes mpmath.

So a new record has its exact version automatically; that its formula is correct is tested with the NumPy version.
"""

import builtins
import functools
import math
import types

import mpmath
import numpy as np

from fastnn.kernels.elementwise import elementary

RECORDS = "fastnn.kernels.losses", "fastnn.kernels.activations"
DIGITS, ALL_DIGITS = 50, 700  # the latter where 1 has to count beside the largest float
EXACT = {"exp": mpmath.exp, "expm1": mpmath.expm1, "log": lambda x: mpmath.log(x) if x else -mpmath.inf,
         "log1p": lambda x: mpmath.log1p(x) if x != -1 else -mpmath.inf, "tanh": mpmath.tanh,
         "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x)), "erf": mpmath.erf,
         "sqrt": mpmath.sqrt}
# exp and similar functions of 1e308 would take forever, and 1 + e⁻¹⁰⁰⁰⁰ is 1 in all digits that are compared
FAR = 20_000


def near(function):
    """Return `function` of a number limited to ±FAR, beyond which it does not change, in so many digits."""
    return lambda x: function(max(min(x, mpmath.mpf(FAR)), -mpmath.mpf(FAR)))


for _name in ("exp", "expm1", "tanh", "sigmoid", "erf"):
    EXACT[_name] = near(EXACT[_name])
EXACT["softplus"] = lambda x: (x if x > 0 else mpmath.mpf(0)) + mpmath.log1p(EXACT["exp"](-abs(x)))


@functools.cache
def exact(function):
    """Return the scalar (or row-wise) function of a record, on numbers of mpmath."""

    def cast(value):
        if type(value) is float:
            return mpmath.mpf(value)
        if isinstance(value, types.CodeType):  # of a comprehension
            return value.replace(co_consts=tuple(map(cast, value.co_consts)))
        if value is math:
            return types.SimpleNamespace(**{name: EXACT.get(name, getattr(mpmath, name, None)) for name in dir(math)})
        name = getattr(value, "__name__", None)
        if name in EXACT and value is getattr(elementary, name):
            return EXACT[name]
        if isinstance(value, types.FunctionType) and value.__module__.startswith(RECORDS):
            return exact(value)
        return value

    code = cast(function.__code__)
    names = {key: cast(value) for key, value in function.__globals__.items() if key in names_of(code)} | {
        "__builtins__": builtins}
    cells = function.__closure__ and tuple(types.CellType(cast(cell.cell_contents)) for cell in function.__closure__)
    return types.FunctionType(code, names, function.__name__, function.__defaults__, cells)


def names_of(code):
    """Return the names that a code object and those within it read."""
    return {*code.co_names}.union(*(names_of(each) for each in code.co_consts if isinstance(each, types.CodeType)))


def numbers(values):
    """Return an array, or a number, as numbers of mpmath."""
    return [numbers(value) for value in values] if np.ndim(values) else mpmath.mpf(float(values))


def activation(record, row):
    """Return a of a row of z, in so many digits."""
    with mpmath.workdps(DIGITS):
        z = numbers(row)
        return exact(record.value)(z) if record.rowwise else [exact(record.value)(each) for each in z]


def loss(record, row, targets):
    """Return (loss, gradient) of a row of outputs (or logits, for a record on these), in so many digits."""
    with mpmath.workdps(DIGITS if max(map(abs, row)) < 1e20 else ALL_DIGITS):
        a, y = numbers(row), numbers(targets)
        value, prime = exact(record.value), exact(record.prime)
        if record.rowwise:
            return value(a, y), prime(a, y)
        return mpmath.fsum(value(*pair) for pair in zip(a, y, strict=True)), [prime(*p) for p in zip(a, y, strict=True)]


def rounded(value, dtype="float64"):
    """Return a number of mpmath as the nearest of `dtype`, infinite if it is larger than any."""
    return float(np.array(float(value), dtype))
