"""Networks for compiled code with every feature, and what their models must compute."""

import jit_callers as callers
import layer_cases
import numpy as np
import pytest
from guarded import filled

import fastnn
from fastnn import BatchNorm, Dense, Dropout, LayerNorm, Network

DTYPES = ["float32", "float64"]
WIDTHS = [1, 3, 17, 65]
ROWS = [1, 2, 5, 24, 70, 300]

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
every_case = pytest.mark.parametrize(("name", "place"), layer_cases.CASES)


def mixed(dtype="float32", **options):
    """Return a network with every feature, in any order."""
    net = Network([BatchNorm(), Dense(17, "gelu", l2=1e-2), Dropout(0.3), Dense(6, "relu", l1=1e-2), LayerNorm(),
                   Dense(3, "softmax")], inputs=5, dtype=dtype, **options)
    return layer_cases.unsettled(net)


def samples(net, count):
    return np.random.default_rng(count).normal(size=(count, net.inputs)).astype(net.dtype)


def assert_same_outputs(net, counts=ROWS):
    model = net.compiled(gradients=False)
    for count in counts:
        x, out = samples(net, count), filled((count, net.outputs), net.dtype)
        expected = net.forward(x)
        for function in (callers.forward, callers.rows):
            out.array[...] = np.nan
            function(model, x, out.array)
            np.testing.assert_array_equal(out.array, expected)
            assert out.intact()


def assert_same_gradients(net, y_of, counts=(1, 4, 5, 256, 300)):
    """y_of: a function from the number of samples to their targets."""
    model = net.compiled()
    grads = filled(model.parameters.shape, net.dtype)
    for count in counts:
        x, y = samples(net, count), y_of(count)
        loss = callers.loss_and_gradients(model, x, y, grads.array)
        expected_loss, expected = net.loss_and_gradients(x, y)
        assert loss == expected_loss
        for name, part in fastnn.jit.views(net, grads.array).items():
            np.testing.assert_array_equal(part, expected[name], err_msg=name)
        assert grads.intact()
