"""Shaped and flattened samples in compiled code give the same bits, for many samples and for one."""

import jit_callers as callers
import numpy as np
import pytest
from guarded import filled
from layer_cases import unsettled
from numba import njit
from numba.core.errors import TypingError

import fastnn
from fastnn import Activation, AveragePool2D, Dense, Flatten, Network, Reshape

SHAPES = [(8, 8, 1), (2, 3), (3, 1, 2), (1, 1, 1, 5), (4, 1)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def network(shape, dtype="float32", **options):
    inner = [AveragePool2D(2, stride=1, padding="same")] if len(shape) == 3 else []
    return unsettled(Network([*inner, Activation("tanh"), Flatten(), Dense(4, "silu"), Dense(3, "softmax")], inputs=shape,
                             dtype=dtype, **options))


def samples(net, count):
    return np.random.default_rng(count).normal(size=(count, *net.shapes[0])).astype(net.dtype)


@njit
def row_by_row(model, x, out):
    for i in range(len(x)):
        fastnn.jit.forward_row(model, x[i], out[i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_shape
def test_outputs(shape, dtype):
    net = network(shape, dtype)
    model = net.compiled(gradients=False)
    for count in (1, 5, 300):
        x, out = samples(net, count), filled((count, 3), dtype)
        for given in (x, x.reshape(count, -1)):
            for function in (callers.forward, row_by_row):
                out.array[...] = np.nan
                function(model, given, out.array)
                np.testing.assert_array_equal(out.array, net.forward(x))
                assert out.intact()


@every_shape
def test_gradients(shape):
    net = network(shape, "float64")
    model, grads = net.compiled(), np.empty(net.vectors.parameters.size)
    for count in (1, 4, 300):
        x, y = samples(net, count), np.arange(count) % 3
        loss, expected = net.loss_and_gradients(x, y)
        for given in (x, x.reshape(count, -1)):
            assert callers.loss_and_gradients(model, given, y, grads) == loss
            np.testing.assert_array_equal(grads, np.concatenate([each.ravel() for each in expected.values()]))


@every_shape
def test_gradients_of_inputs(shape):
    net = network(shape, "float64")
    model, size = net.compiled(), net.vectors.parameters.size
    x, dout = samples(net, 6), np.random.default_rng(1).normal(size=(6, 3))
    flat, by_flat, shaped, by_shaped = np.empty((6, net.inputs)), np.zeros(size), filled(x.shape, "float64"), np.zeros(size)
    callers.pullback(model, x.reshape(6, -1), dout, flat, by_flat)
    callers.pullback(model, x, dout, shaped.array, by_shaped)
    np.testing.assert_array_equal(shaped.array.reshape(6, -1), flat)
    np.testing.assert_array_equal(by_shaped, by_flat)
    assert shaped.intact()
    callers.input_gradients(model, x, dout, flat)  # one shaped, the other flat
    np.testing.assert_array_equal(shaped.array.reshape(6, -1), flat)
    for i in range(6):  # if dout is a vector, x is one sample
        one = filled(shape, "float64")
        callers.input_gradients(model, x[i], dout[i], one.array)
        np.testing.assert_allclose(one.array, shaped.array[i], rtol=1e-12)
        assert one.intact()
        in_place = x[i].copy()
        callers.input_gradients(model, in_place, dout[i], in_place)
        np.testing.assert_array_equal(in_place, one.array)


def test_strided_samples():
    """The stride of the samples is arbitrary; each sample is contiguous, except along axes of size 1."""
    net = network((8, 8, 1))
    model, out = net.compiled(gradients=False), np.empty((5, 3), np.float32)
    x = samples(net, 10)
    expected = net.forward(x[::2])
    for given in (x[::2], x[8::-2][::-1], x[::2, ..., 0][..., None], np.array(x[::2, ..., 0]).reshape(5, 8, 8)[..., None]):
        callers.forward(model, given, out)
        np.testing.assert_array_equal(out, expected)
    callers.forward(model, np.broadcast_to(x[0], (5, 8, 8, 1)), out)
    np.testing.assert_array_equal(out, np.broadcast_to(net.forward(x[:1]), (5, 3)))
    wide = np.zeros((5, 8, 8, 3), np.float32)
    wide[..., :1] = x[::2]
    callers.forward(model, wide[..., :1], out)  # one channel of several: evenly spaced numbers
    np.testing.assert_array_equal(out, expected)
    for given in (wide.swapaxes(1, 2)[..., :1], np.zeros((5, 8, 9, 1), np.float32)[:, :, :8], np.asfortranarray(x[::2])):
        out[...] = 0
        with pytest.raises(ValueError, match=r"the shapes do not fit the model: .* each of them contiguous"):
            callers.forward(model, given, out)
        assert np.isnan(out).all()


@pytest.mark.parametrize("wrong", [(5, 8, 1), (8, 4, 2), (1, 8, 8), (64, 1, 1), (8, 7, 1)], ids=str)
def test_other_shapes_are_refused(wrong):
    """Even if they have as many numbers as a sample."""
    net = network((8, 8, 1))
    model = net.compiled()
    x, out = np.zeros((4, *wrong), np.float32), np.zeros((4, 3), np.float32)
    grads, dx = np.zeros_like(model.parameters), filled((4, *wrong), "float32")
    with pytest.raises(ValueError, match=r"shapes do not fit the model: .* the shape of its samples"):
        callers.forward(model, x, out)
    assert np.isnan(out).all()
    with pytest.raises(ValueError, match="shapes do not fit"):
        row_by_row(model, x, out)
    with pytest.raises(ValueError, match="shapes do not fit"):
        callers.loss_and_gradients(model, x, np.zeros(4, np.int64), grads)
    assert np.isnan(grads).all()
    for given, to in ((x, dx.array), (np.zeros((4, 8, 8, 1), np.float32), dx.array)):
        with pytest.raises(ValueError, match="shapes do not fit"):
            callers.pullback(model, given, out, to, grads)
        assert np.isnan(to).all()
        assert dx.intact()
        to[...] = 0
    with pytest.raises(ValueError, match="shapes do not fit"):
        callers.input_gradients(model, x, out, np.zeros((4, 8, 8, 1), np.float32))


def test_a_wrong_number_of_axes_is_found_when_the_caller_compiles():
    model = network((8, 8, 1)).compiled()
    x, out = np.zeros((4, 8, 8, 1), np.float32), np.zeros((4, 3), np.float32)
    y, grads = np.zeros(4, np.int64), np.zeros_like(model.parameters)
    for given in (x[..., 0], x[None], x[0, 0, 0]):
        with pytest.raises(TypingError, match=r"x is array.*; it must be an array, 2-D or 4-D: a sample of this"):
            callers.forward(model, given, out)
        with pytest.raises(TypingError, match="2-D or 4-D"):
            callers.loss_and_gradients(model, given, y, grads)
    with pytest.raises(TypingError, match="1-D or 3-D"):
        fastnn.jit.forward_row(model, x, out[0])
    for given in (x[0], x[None]):
        with pytest.raises(TypingError, match=r"x is array.* 1-D or 2-D or 4-D"):
            callers.input_gradients(model, given, out, x)
        with pytest.raises(TypingError, match=r"dx is array.* 1-D or 2-D or 4-D"):
            callers.input_gradients(model, x, out, given)
    with pytest.raises(TypingError, match="1-D or 2-D or 3-D"):
        callers.input_gradients(model, x, out[0], x)
    with pytest.raises(TypingError, match="written to contiguous arrays"):
        callers.input_gradients(model, x, out, np.zeros((8, 8, 8, 1), np.float32)[::2])
    plain = Network([Dense(3)], inputs=5).compiled()
    with pytest.raises(TypingError, match="it must be an array, 2-D"):
        callers.forward(plain, x, out)


@njit
def chained(first, second, x, out):
    fastnn.jit.forward(first, x, out)
    fastnn.jit.forward(second, out, out)


def test_models_of_one_number_of_axes_share_what_is_compiled():
    first, other, last = network((8, 8, 1)), network((2, 4, 3)), Network([Dense(3)], inputs=3)
    for net in (first, other):
        x, out = samples(net, 3), np.empty((3, 3), np.float32)
        chained(net.compiled(), last.compiled(), x, out)
        np.testing.assert_array_equal(out, last.forward(net.forward(x)))
    assert len(chained.signatures) == 1


def test_other_parameters():
    net, twin = network((2, 3)), network((2, 3), seed=9)
    model, x, out = net.compiled(), samples(net, 3), np.empty((3, 3), np.float32)

    @njit
    def with_others(model, others, x, out):
        fastnn.jit.forward(fastnn.jit.Model(model.table, others, model.state), x, out)

    with_others(model, twin.vectors.parameters.flat, x, out)
    np.testing.assert_array_equal(out, twin.forward(x))


def test_views_of_one_axis_are_flat():
    net = Network([Reshape((2, 3)), Flatten(), Dense(2)], inputs=(6,))
    x, out = np.ones((2, 6), np.float32), np.empty((2, 2), np.float32)
    callers.forward(net.compiled(), x, out)
    np.testing.assert_array_equal(out, net.forward(x))
