"""Laws of the arithmetic of a user's functions: whole numbers take the dtype of the arrays, sums have no order."""

import math

import numpy as np
import pytest
from numba import types

from fastnn.kernels.compiling.weak_numbers import weak_compiler
from fastnn.kernels.elementwise.precision import compiled_scalar

rng = np.random.default_rng(0)


def compiled(function, dtype="float32", short=False):
    return compiled_scalar(function, dtype, f"test_weak_{function.__name__}", (weak_compiler(dtype, False, short),) * 2)


def result_of(function, *arguments, dtype="float32"):
    """Return the result of a compiled function, and its Numba type."""
    made = compiled(function, dtype)
    result = made(*arguments)
    (overload,) = made.overloads.values()
    return result, overload.signature.return_type


def mean(x):
    total = 0
    for i in range(len(x)):
        total += x[i]
    return total / len(x)


def expressions(x, n):
    root = math.sqrt(len(x))
    part = 1 / n
    total = 0
    for i in range(len(x)):
        total = total + x[i] * part
    total -= n
    chosen = x[0] if x[0] > 0 else 0
    half = n
    half = half / 2
    return (x[0] / n, n * x[0], x[0] ** n, x[0] ** 2, n - x[0], x[0] // n, x[0] % n, part, root, total, chosen, half,
            max(x[0], 0), min(n, x[0]), math.pow(x[0], 2), float(n), abs(x[0]) + 1, mean(x), 2 * mean(x) / n)


def test_whole_numbers_take_the_dtype_of_the_arrays():
    x = rng.normal(size=37).astype("float32")
    x[0] = abs(x[0]) + 1
    for dtype, kind in (("float32", types.float32), ("float64", types.float64)):
        found, type_ = result_of(expressions, x.astype(dtype), 3, dtype=dtype)
        assert {*type_} == {kind}
        np.testing.assert_allclose(found, expressions(x.astype(float), 3), rtol=1e-5 if dtype == "float32" else 1e-13)


def wide(x):
    total = np.float64(0.0)
    for i in range(len(x)):
        total += x[i]
    return total, np.float64(x[0]) / 3


def test_float64_that_is_asked_for_stays():
    _, type_ = result_of(wide, rng.normal(size=50).astype("float32"))
    assert {*type_} == {types.float64}


def whole(x):
    count, place, found = 0, 1, np.zeros(3, np.int64)
    for i in range(len(x)):
        if x[i] > 0:
            count += 1
        place = (place * 5 + i) % 97
        found[place % 3] += place
    return count, place, len(x) // 2, found[0] - found[1], count ** 2


def test_arithmetic_of_whole_numbers_stays_whole():
    x = rng.normal(size=50).astype("float32")
    found, type_ = result_of(whole, x)
    assert all(isinstance(each, types.Integer) for each in type_)
    assert found == whole(x)


def careful(x):
    up = (1.0 + x[0]) - 1.0
    total, lost = 0.0, 0.0
    for i in range(len(x)):
        y = x[i] - lost
        new = total + y
        lost = (new - total) - y
        total = new
    return up, total


def test_only_totals_lose_their_order():
    """Compensated sums (Kahan 1965) and differences that are taken to round stay what they are."""
    x = np.full(10_001, 0.1, "float32")
    x[0] = 1e-5
    found, _ = result_of(careful, x)
    assert found[0] == (np.float32(1) + x[0]) - np.float32(1)
    assert found[1] == pytest.approx(x.astype(float).sum(), rel=1e-7)


def extremes(x):
    top, least = x[0], 5.0
    for i in range(len(x)):
        top = max(top, x[i])
        least = min(x[i], least)
    return top, least


def test_the_largest_of_a_loop():
    x = rng.normal(size=101).astype("float32")
    found, type_ = result_of(extremes, x)
    assert {*type_} == {types.float32}
    assert found == (x.max(), x.min())
    x[50] = np.nan
    assert np.isnan(compiled(extremes)(x)).all()
    short = compiled(extremes, short=True)
    assert np.isnan(short(x)).all()
    assert short(x[:50]) == (x[:50].max(), x[:50].min())


def arrays(x):
    shifted = np.exp(x - x.max())
    shifted /= shifted.sum()
    return shifted, np.tanh(x[:, ::2]), np.log(x * x) * 2, 0.5 * x * x + 1, np.maximum(x, 0), np.minimum(1, 2 / x) ** 2


def test_functions_of_numpy_take_arrays():
    x = rng.normal(size=(5, 7)).astype("float32")
    found, type_ = result_of(arrays, x)
    assert {each.dtype for each in type_} == {types.float32}
    for one, other in zip(found, arrays(x.astype(float)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def made(x):
    return (np.zeros(3), np.ones((2, len(x))), np.empty(shape=2), np.eye(2), np.identity(3),
            np.zeros(2, np.float64), np.ones(2, dtype=np.float64), np.zeros(len(x), np.int64), np.zeros_like(x))


def test_new_arrays_take_the_dtype_of_the_arrays():
    for dtype, kind in (("float32", types.float32), ("float64", types.float64)):
        found, type_ = result_of(made, rng.normal(size=5).astype(dtype), dtype=dtype)
        assert [each.dtype for each in type_] == [kind] * 5 + [types.float64] * 2 + [types.int64, kind]
        assert [each.shape for each in found] == [each.shape for each in made(np.zeros(5))]
        assert all((one == other).all() for one, other in zip(found[3:], made(np.zeros(5))[3:], strict=True))
