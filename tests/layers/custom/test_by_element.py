"""Laws of functions that compute each element by itself: which ones do, and that their bits do not depend on the others."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import CustomLayer, Network
from fastnn.kernels.compiling.weak_numbers import weak_compiler
from fastnn.kernels.elementwise.precision import compiled_scalar
from fastnn.kernels.layers.custom.by_element import is_by_element


def gate(z):
    return 1.0 / (1.0 + math.exp(-z))


def tanh(z):
    """A function with the name of an attribute that it reads does not call itself."""
    return math.tanh(z)


def positive(z):
    if z < 0:
        raise ValueError("negative")
    return z


def one_loop(a, x, y):
    for i in range(len(x)):
        a[i] = tanh(x[i]) * gate(y[i])


def with_numbers(a, x, y):
    half, n = 0.5 * math.pi, len(x)
    for i in range(n):
        z = x[i] * half
        kept = z if z > 0 else np.expm1(z)
        a[i], y_i = kept, y[i]
        a[i] += y_i * kept


def two_loops(a, x, y):
    for i in range(len(a)):
        a[i] = math.log(1 + x[i] * x[i])
    for j in range(len(y)):
        a[j] = max(a[j], y[j])


def skipping(a, x, y):
    for i in range(len(x)):
        if x[i] < y[i]:
            a[i] = 0.0
            continue
        a[i] = math.sqrt(x[i] - y[i])


def in_steps(a, x, y):
    for i in range(len(x)):
        total = x[i]
        total += y[i] * x[i]
        total += y[i] * y[i]
        a[i] = math.sin(total) + x[i] ** 3


YES = one_loop, with_numbers, two_loops, skipping, in_steps


def summed(a, x):
    total = 0
    for i in range(len(x)):
        total += x[i]
    for i in range(len(x)):
        a[i] = x[i] / total


def reversed_(a, x):
    for i in range(len(x)):
        a[i] = x[len(x) - 1 - i]


def first(a, x):
    for i in range(len(x)):
        a[i] = x[0]


def by_place(a, x):
    for i in range(len(x)):
        a[i] = x[i] * i


def by_count(a, x):
    n = len(x)
    for i in range(len(x)):
        a[i] = x[i] / n


def stopped(a, x):
    for i in range(len(x)):
        if x[i] > 2:
            break
        a[i] = x[i]


def crossed(a, x):
    for i in range(len(x)):
        a[i] = 0
        for j in range(len(x)):
            a[i] += x[j]


def carried(a, x):
    last = 0.0
    for i in range(len(x)):
        a[i] = last
        last = x[i]


def sometimes_carried(a, x):
    seen = 0.0
    for i in range(len(x)):
        if x[i] > 0:
            seen = x[i]
        a[i] = seen


def whole(a, x):
    a[:] = x


def all_but_one(a, x):
    for i in range(len(x) - 1):
        a[i] = x[i + 1]
    a[len(x) - 1] = 0.0


def from_one(a, x):
    a[0] = 1.0
    for i in range(1, len(x)):
        a[i] = x[i]


def raising(a, x):
    for i in range(len(x)):
        a[i] = positive(x[i])


def renamed(a, x):
    y = x
    for i in range(len(x)):
        a[i] = y[i]


def last(a, x):
    for i in range(len(x)):
        z = x[i]
        a[i] = z
    a[0] = z


def last_place(a, x):
    for i in range(len(x)):
        a[i] = x[i]
    a[i] = 2.0


def moved(a, x):
    for i in range(len(x)):
        a[i] = x[i]
        i = 0
        a[i] = 3.0


def three(a, x):
    for i in range(3):
        a[i] = x[i]


def listed(a, x):
    for i, each in enumerate(x):
        a[i] = each


def while_loop(a, x):
    i = 0
    while i < len(x):
        a[i] = x[i]
        i += 1


def total_of(a, x):
    total = np.sum(x)
    for i in range(len(x)):
        a[i] = total * x[i]


NO = (summed, reversed_, first, by_place, by_count, stopped, crossed, carried, sometimes_carried, whole, all_but_one,
      from_one, raising, renamed, last, last_place, moved, three, listed, while_loop, total_of)


def test_functions_that_compute_each_element_by_itself():
    found = [each for each in (*YES, *NO) if is_by_element(each, each.__code__.co_varnames[:each.__code__.co_argcount])]
    assert found == [*YES]


@pytest.mark.parametrize("number", range(len(YES)), ids=lambda number: YES[number].__name__)
def test_an_element_has_the_same_bits_at_every_place(number):
    function, dtype = YES[number], ("float32", "float64")[number % 2]
    compilers = [weak_compiler(dtype, True, False)] * 2
    made = compiled_scalar(function, dtype, f"test_by_element_{function.__name__}", compilers)
    x, y = np.random.default_rng(number).normal(size=(2, 203)).astype(dtype)
    alone, together = np.zeros(203, dtype), np.zeros(203, dtype)
    for k in range(203):
        made(alone[k:k + 1], x[k:k + 1], y[k:k + 1])
    for begin, end in ((0, 203), (1, 80), (5, 21), (190, 203), (3, 11)):
        made(together[begin:end], x[begin:end], y[begin:end])
        np.testing.assert_array_equal(together[begin:end], alone[begin:end])


class Bent(CustomLayer):
    """A layer whose functions compute each element by themselves, and which keeps memory."""

    slope: float = 0.3

    def memory_shapes(self, shape):
        return {"kept": shape}

    def forward(a, x, kept, slope):
        for i in range(len(x)):
            kept[i] = gate(x[i])
            a[i] = x[i] * kept[i] + slope * x[i]

    def backward(dx, da, x, kept, slope):
        for i in range(len(x)):
            dx[i] = da[i] * (kept[i] + x[i] * kept[i] * (1 - kept[i]) + slope)


def test_samples_together_are_samples_alone():
    fastnn.register_layer(Bent)
    assert fastnn.check_layer(Bent(0.2), 5).passed
    rng = np.random.default_rng(1)
    for width, dtype in ((5, "float32"), (600, "float64")):
        net = Network([Bent(0.2)], inputs=width, dtype=dtype)
        X = rng.normal(size=(71, width)).astype(dtype)
        expected = np.concatenate([net.forward(each[None]) for each in X])
        np.testing.assert_array_equal(net.forward(X), expected)
        np.testing.assert_allclose(expected, X / (1 + np.exp(-X)) + 0.2 * X, rtol=2e-5)


class OnCircle(CustomLayer):
    """A layer whose output has always the same length: the squares of its outputs have no derivative."""

    def parameter_shapes(self, shape):
        return {"frequency": shape}

    def output_shape(self, shape):
        return (2 * shape[0],)

    def forward(a, x, frequency):
        for i in range(len(x)):
            a[2 * i], a[2 * i + 1] = math.cos(frequency[i] * x[i]), math.sin(frequency[i] * x[i])

    def backward(dx, dfrequency, da, a, x, frequency):
        for i in range(len(x)):
            dz = da[2 * i + 1] * a[2 * i] - da[2 * i] * a[2 * i + 1]
            dx[i] = frequency[i] * dz
            dfrequency[i] += x[i] * dz


def test_a_layer_of_constant_length_passes():
    fastnn.register_layer(OnCircle)
    report = fastnn.check_layer(OnCircle(), 3)
    assert report.passed, report
