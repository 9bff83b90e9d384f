"""Pools on the three rungs, at odd shapes, strides, paddings and dilations; ties, NaN and what is refused."""

import doctest
import random

import numpy as np
import pytest
from guarded import results_of

from fastnn import (
    AveragePool1D,
    AveragePool2D,
    Dense,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
    Network,
    compiled,
    naive,
    vectorized,
)
from fastnn.compiled import image_calls

POOLS = ["max_pool2d", "average_pool2d"]
every_pool = pytest.mark.parametrize("pool", POOLS)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(image_calls, monkeypatch)


def drawn(seed):
    """A shape of images, and options of a pool that fit it."""
    draw = random.Random(seed)
    while True:
        pair = lambda *numbers: (draw.choice(numbers), draw.choice(numbers))
        shape = draw.choice([1, 2, 3]), *pair(1, 2, 4, 5, 7, 10), draw.choice([1, 3, 6, 16, 17, 40])
        options = {"kernel_size": pair(1, 2, 3), "stride": draw.choice([None, pair(1, 2, 3)]), "dilation": pair(1, 1, 2),
                   "padding": draw.choice(["valid", "same", 1, ((0, 1), (1, 0))]), "ceil_mode": draw.random() < 0.4}
        try:
            naive.max_pool2d_forward(np.zeros(shape), **options)
        except ValueError:
            continue
        return shape, options


CASES = [((2, 6, 4, 6), {"kernel_size": 2}), ((3, 7, 5, 16), {"kernel_size": 2}), ((1, 4, 4, 33), {"kernel_size": 2}),
         ((2, 5, 5, 3), {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}),
         ((1, 1, 1, 2), {"kernel_size": 3, "padding": 1}), *map(drawn, range(25))]
every_case = pytest.mark.parametrize(("shape", "options"), CASES, ids=str)


def arrays(pool, shape, options, dtype="float64", values=None):
    rng = np.random.default_rng(sum(shape))
    x = rng.normal(size=shape) if values is None else rng.choice(values, shape)
    da = rng.normal(size=vectorized.max_pool2d_forward(x, **options).shape)
    return x.astype(dtype), da.astype(dtype)


@every_dtype
@every_pool
@every_case
def test_three_rungs(pool, shape, options, dtype):
    x, da = arrays(pool, shape, options, dtype)
    for padded in (False, True) if pool == "average_pool2d" else (None,):
        own = options | ({} if padded is None else {"count_padding": padded})
        for name, given in (("forward", (x,)), ("backward", (da, x))):
            found, *others = (getattr(rung, f"{pool}_{name}")(*given, **own) for rung in (compiled, naive, vectorized))
            assert found.dtype == dtype
            for other in others:
                np.testing.assert_allclose(found, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@every_pool
@every_case
def test_threads_and_batch_change_no_bit(pool, shape, options, monkeypatch):
    monkeypatch.setattr(image_calls, "NUMBERS_PER_PART", 1)
    x, da = arrays(pool, shape, options, "float32")
    for name, given in (("forward", (x,)), ("backward", (da, x))):
        function = getattr(compiled, f"{pool}_{name}")
        whole = function(*given, **options, threads=1)
        for threads in (2, 3, 8):
            assert function(*given, **options, threads=threads).tobytes() == whole.tobytes()
        for i in range(shape[0]):
            assert function(*(array[i:i + 1] for array in given), **options).tobytes() == whole[i:i + 1].tobytes()


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0, 1.0], [-np.inf], [-np.inf, 0.0], [np.nan, 0.0, 1.0], [np.nan],
                                    [np.nan, -np.inf, np.inf]], ids=str)
@every_case
def test_ties_nan_and_infinity(shape, options, values):
    """Of equal numbers the first is the maximum, NaN is larger than any other, and da goes to one place of each window."""
    x, da = arrays("max_pool2d", shape, options, values=values)
    for name, given in (("forward", (x,)), ("backward", (da, x))):
        found, *others = (getattr(rung, f"max_pool2d_{name}")(*given, **options) for rung in (compiled, naive, vectorized))
        for other in others:
            np.testing.assert_allclose(found, other, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(compiled.max_pool2d_backward(da, x, **options).sum(), da.sum(), rtol=1e-10, atol=1e-12)


def test_ties_go_to_the_first():
    dx = compiled.max_pool2d_backward(np.ones((1, 1, 1, 1)), np.zeros((1, 2, 2, 1)), 2)
    assert dx.ravel().tolist() == [1, 0, 0, 0]
    assert np.isnan(compiled.max_pool2d_forward(np.array([np.nan, 1.0, 2.0, 3.0]).reshape(1, 2, 2, 1), 2)).all()


@pytest.mark.parametrize(("layer", "shape"), [
    (MaxPool2D((2, 3), stride=(1, 2), padding="same"), (5, 6, 3)), (AveragePool2D(3, stride=2, padding=1), (6, 7, 2)),
    (AveragePool2D(2, ceil_mode=True, count_padding=True), (5, 5, 3)), (MaxPool1D(3, stride=2, padding=1), (9, 4)),
    (AveragePool1D(4, dilation=2), (12, 3)), (GlobalMaxPool(), (4, 5, 3)), (GlobalAveragePool(), (7, 3)),
], ids=repr)
def test_layers_are_these_functions(layer, shape):
    net = Network([layer, Flatten(), Dense(2)], inputs=shape, dtype="float64", seed=1)
    x = np.random.default_rng(0).normal(size=(3, *shape))
    image = x.reshape(3, *((1,) * (3 - len(shape))), *shape)
    axes, _ = layer.windows(shape)
    pool = layer.functions[0].removesuffix("_forward")
    options = {"kernel_size": tuple(axis.kernel for axis in axes), "stride": tuple(axis.stride for axis in axes),
               "dilation": tuple(axis.dilation for axis in axes), "ceil_mode": getattr(layer, "ceil_mode", False),
               "padding": tuple((axis.before, axis.after) for axis in axes)}
    if getattr(layer, "count_padding", False):
        options["count_padding"] = True
    a = getattr(vectorized, f"{pool}_forward")(image, **options).reshape(3, -1)
    expected = vectorized.linear_forward(a, net.parameters["2.weight"], net.parameters["2.bias"])
    np.testing.assert_allclose(net.forward(x), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: MaxPool2D(0), r"MaxPool2D\(kernel_size=...\) is 0"),
    (lambda: MaxPool2D(2, stride=0), r"MaxPool2D\(stride=...\) is 0"),
    (lambda: AveragePool2D(2, padding="causal"), "must be 'valid' or 'same', or numbers; 'causal' is for one axis"),
    (lambda: AveragePool2D(2, count_padding="yes"), "True or False"),
    (lambda: MaxPool1D((2, 2)), "kernel_size"),
    (lambda: MaxPool1D(2, ceil_mode=1), "ceil_mode"),
    (lambda: MaxPool2D(2).output_shape((784,)), r"takes images .* Reshape"),
    (lambda: MaxPool1D(2).output_shape((28, 28, 1)), r"takes series .* Reshape"),
    (lambda: GlobalMaxPool().output_shape((5,)), r"before the Flatten\(\)"),
    (lambda: MaxPool2D(5).output_shape((4, 9, 1)), r"a 5×5 kernel spans 5 pixels of height; the image has 4 \+ 0 padding"),
    (lambda: MaxPool2D(2, padding=2).output_shape((4, 4, 1)), "window 0 begins at -2 and spans 2, of which the height"),
    (lambda: AveragePool1D(2, padding=(0, 2)).output_shape((4, 1)), "window 2 begins at 4 and spans 2, of which the series"),
    (lambda: MaxPool1D(2, dilation=2, padding=1).output_shape((1, 1)), "padding alone"),
])
def test_what_does_not_fit_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_forms_of_the_same_options():
    assert MaxPool2D((2, 2), stride=2) == MaxPool2D(2) == MaxPool2D([2, 2], padding="valid")
    assert repr(MaxPool2D(3, stride=(2, 1), padding=((0, 1), (1, 1)))) == \
        "MaxPool2D(3, stride=(2, 1), padding=((0, 1), (1, 1)))"
    assert AveragePool1D(2, padding=(0, 1)).config() == {"layer": "AveragePool1D", "kernel_size": 2, "padding": [0, 1]}


def test_examples_run():
    for module in (image_calls, naive.pooling, vectorized.pooling):
        assert doctest.testmod(module).failed == 0
