"""Laws of the loops of a user's functions: however they are made vectors, they compute what the plain function does."""

import math

import numpy as np
import pytest

from fastnn.kernels.compiling.weak_numbers import weak_compiler
from fastnn.kernels.elementwise.precision import compiled_scalar

LENGTHS = *range(1, 18), 31, 32, 33, 70, 200
rng = np.random.default_rng(0)


def from_to(a, x):
    for i in range(1, len(x)):
        a[i] = math.exp(x[i]) * x[i - 1]
    a[0] = 2.0


def negative(a, x):
    for i in range(len(a)):
        a[i] = 0.5
    for i in range(len(x) - 40):
        a[i] = math.tanh(x[i])
    for i in range(len(x), 3):
        a[0] += math.exp(x[0] * i)


def summed(a, x):
    total, top = 0, x[0]
    for i in range(len(x)):
        a[i] = math.exp(x[i])
        total += a[i]
        top = max(top, a[i])
    a[0] = total + i
    a[len(x) - 1] += top


def skipping(a, x):
    for i in range(len(x)):
        a[i] = 1.0
        if x[i] < 0:
            continue
        a[i] = math.log(x[i])


def stopping(a, x):
    a[:] = 0.0
    for i in range(len(x)):
        if x[i] > 1.5:
            a[0] = 9.0
            break
        a[i] = math.exp(x[i])
    else:
        a[len(x) - 1] += 3.0


def nested(a, x):
    for i in range(len(x)):
        total = 0
        for j in range(i):
            total += math.exp(x[j])
        for j in range(i, len(x)):
            total -= math.tanh(x[j])
        a[i] = total


def backwards(a, x):
    for i in range(len(x) - 1, -1, -1):
        a[i] = math.exp(x[i])
    for i, each in enumerate(x):
        a[i] += math.exp(each)


def helped(a, x):
    for i in range(len(x)):
        a[i] = bump(x[i])


def bump(z):
    return math.exp(-z * z)


FUNCTIONS = from_to, negative, summed, skipping, stopping, nested, backwards, helped


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_loops_are_those_of_plain_python(function):
    for number, dtype in enumerate(("float32", "float64")):
        compilers = [weak_compiler(dtype, own, bool(number)) for own in (True, False)]
        made = compiled_scalar(function, dtype, f"test_loops_{function.__name__}", compilers)
        for length in LENGTHS:
            x = rng.normal(size=length).astype(dtype)
            guarded, expected = np.full(length + 40, -7.0, dtype), np.zeros(length)
            made(guarded[20:-20], x)
            function(expected, x.astype(float))
            np.testing.assert_allclose(guarded[20:-20], expected, rtol=1e-4 if number == 0 else 1e-12, atol=1e-5)
            assert (guarded[:20] == -7).all()
            assert (guarded[-20:] == -7).all()


def largest(a, x):
    top, least = x[0], 100
    for i in range(1, len(x)):
        top = max(x[i], top)
        least = min(least, abs(x[i]))
    a[0], a[1] = top, least


def most(a, x):
    found = 0
    for i in range(len(x)):
        found = max(found, i * 7 % 5)
    a[0] = a[1] = found


def both(a, x):
    """The largest of one loop begins with the largest of another; in this one it is also read."""
    top = x[0]
    for i in range(len(x)):
        top = max(top, x[i])
    a[1] = 0
    for i in range(len(x)):
        a[1] += x[i] > top
        top = max(top, -x[i])
    a[0] = top


@pytest.mark.parametrize("function", [largest, most, both], ids=lambda function: function.__name__)
def test_the_largest_of_a_loop_is_nan_if_a_number_is(function):
    for number, dtype in enumerate(("float32", "float64")):
        compilers = [weak_compiler(dtype, True, bool(number))] * 2
        made = compiled_scalar(function, dtype, f"test_largest_{function.__name__}", compilers)
        for length in LENGTHS:
            x = rng.normal(size=length).astype(dtype)
            found, expected = np.zeros(2, dtype), np.zeros(2, dtype)
            made(found, x)
            function(expected, x)
            np.testing.assert_array_equal(found, expected)
            if function is most:
                continue
            for place in {0, length // 2, length - 1}:
                spoiled = x.copy()
                spoiled[place] = np.nan
                made(found, spoiled)
                assert np.isnan(found[0]), (length, place)
                assert function is both or place == 0 or np.isnan(found[1])
