"""Networks of several inputs or outputs in compiled code: arrays in tuples, and the bits of the network."""

import jit_callers as callers
import numpy as np
import pytest
from guarded import filled
from numba import njit
from numba.core.errors import TypingError

import fastnn
from fastnn import (
    GRU,
    Bidirectional,
    Chain,
    Concatenate,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    LastStep,
    Network,
    PositionEmbedding,
)

rng = np.random.default_rng(0)
SHAPES, OUTPUTS = [(5, 5, 1), (4,)], [3, 2, 1]
LOSS = {"kind": "cross_entropy", "value": ("squared_error", 0.3), "yes": None}


@njit
def rows(model, image, table, kind, value, yes):
    for i in range(len(image)):
        fastnn.jit.forward_row(model, (image[i], table[i]), (kind[i], value[i], yes[i]))


@njit
def sequence(model, x, out):
    fastnn.jit.forward_sequence(model, x, out)


def three_outputs(dtype="float32"):
    image, table = Input((5, 5, 1), name="image"), Input(4, name="table")
    eye = Chain(Conv2D(2, 3, "tanh"), Flatten())(image)
    h = Dense(8, "tanh")(Concatenate()(eye, Dense(5, "tanh", l2=0.01)(table), table))
    kind = Dense(3, "softmax")(h)
    outputs = {"kind": kind, "value": Dense(2)(Concatenate()(h, kind)), "yes": Dense(1, "sigmoid")(h)}
    return Network(inputs=[image, table], outputs=outputs, loss=LOSS, dtype=dtype, seed=1)


def samples(net, count):
    return tuple(rng.normal(size=(count, *shape)).astype(net.dtype) for shape in net.input_shapes.values())


def targets(net, count):
    return rng.integers(3, size=count), rng.normal(size=(count, 2)).astype(net.dtype), rng.integers(2, size=count)


def outputs(net, count):
    return tuple(filled((count, size), net.dtype) for size, in net.output_shapes.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_and_gradients_have_the_bits_of_the_network(dtype):
    net = three_outputs(dtype)
    model, grads = net.compiled(), filled((net.vectors.parameters.size,), dtype)
    for count in (1, 5, 300):
        x, y, found = samples(net, count), targets(net, count), outputs(net, count)
        arrays = tuple(each.array for each in found)
        for call in (callers.forward, lambda model, x, out: rows(model, *x, *out)):
            for each in arrays:
                each[...] = np.nan
            call(model, x, arrays)
            for each, expected in zip(found, net.forward([*x]).values(), strict=True):
                np.testing.assert_array_equal(each.array, expected)
                assert each.intact()
        loss, gradients = net.loss_and_gradients([*x], [*y])
        assert callers.loss_and_gradients(model, x, y, grads.array) == loss
        for name, part in fastnn.jit.views(net, grads.array).items():
            np.testing.assert_array_equal(part, gradients[name], err_msg=name)
        assert grads.intact()


def test_pullback_gives_the_derivatives():
    """dx and the gradients of the parameters against finite differences of Σ dout · out."""
    net, count = three_outputs("float64"), 3
    model, x = net.compiled(), samples(net, count)
    dout = tuple(rng.normal(size=(count, size)) for size, in net.output_shapes.values())

    def total(x):
        return sum((out * d).sum() for out, d in zip(net.forward([*x]).values(), dout, strict=True))

    dx, grads = tuple(np.empty_like(each) for each in x), np.zeros(net.vectors.parameters.size)
    callers.pullback(model, x, dout, dx, grads)
    only = tuple(np.empty_like(each) for each in x)
    callers.input_gradients(model, x, dout, only)
    for number, (own, same) in enumerate(zip(dx, only, strict=True)):
        np.testing.assert_array_equal(own, same)
        place = np.unravel_index(own.size // 2, own.shape)
        changed = []
        for step in (1e-6, -1e-6):
            other = [each.copy() for each in x]
            other[number][place] += step
            changed.append(total(other))
        assert own[place] == pytest.approx((changed[0] - changed[1]) / 2e-6, rel=1e-6)
    flat, k = net.vectors.parameters.flat, 7
    kept, changed = flat[k], []
    for step in (1e-6, -1e-6):
        flat[k] = kept + step
        changed.append(total(x))
    flat[k] = kept
    assert grads[k] == pytest.approx((changed[0] - changed[1]) / 2e-6, rel=1e-6)
    one = tuple(np.empty_like(each[0]) for each in x)
    callers.input_gradients(model, tuple(each[0] for each in x), tuple(each[0] for each in dout), one)
    for own, expected in zip(one, dx, strict=True):
        np.testing.assert_allclose(own, expected[0], rtol=1e-12, atol=1e-15)


def test_one_input_of_several_outputs_needs_no_tuple():
    x = Input(4)
    net = Network(inputs=x, outputs={"kind": Dense(3, "softmax")(x), "size": Dense(1)(x)})
    given, out = rng.normal(size=(6, 4)).astype(np.float32), (np.empty((6, 3), np.float32), np.empty((6, 1), np.float32))
    callers.forward(net.compiled(), given, out)
    for own, expected in zip(out, net.forward(given).values(), strict=True):
        np.testing.assert_array_equal(own, expected)


def test_sequences_beside_a_table():
    words, series, table = Input((None,), name="words"), Input((None, 3), name="series"), Input(4, name="table")
    read = Bidirectional(GRU(5))(Embedding(9, 6)(words))
    heard = GRU(4)(Dense(6, "tanh")(series))
    h = Dense(7, "tanh")(Concatenate()(read, heard, table))
    net = Network(inputs=[words, series, table], outputs={"kind": Dense(3, "softmax")(h), "value": Dense(2)(h)})
    model = net.compiled(steps=12)
    for dtype in (np.int32, np.int64):
        for lengths in ((1, 12), (12, 1), (5, 7)):
            x = (rng.integers(9, size=lengths[0]).astype(dtype), rng.normal(size=(lengths[1], 3)).astype(np.float32),
                 rng.normal(size=4).astype(np.float32))
            out = np.empty(3, np.float32), np.empty(2, np.float32)
            sequence(model, x, out)
            expected = net.forward([[x[0]], [x[1]], x[2][None]])
            np.testing.assert_array_equal(out[0], expected["kind"][0])
            np.testing.assert_array_equal(out[1], expected["value"][0])
    for wrong in ((np.arange(13) % 9, x[1], x[2]), (np.array([3, 9]), x[1], x[2]), (np.array([], np.int64), x[1], x[2])):
        with pytest.raises(ValueError, match="the sequences do not fit"):
            sequence(model, wrong, out)
        assert np.isnan(out[0]).all()
    with pytest.raises(ValueError, match="forward_sequence"):
        callers.forward(model, (x[1], x[1], x[1]), (np.empty((1, 3), np.float32), np.empty((1, 2), np.float32)))
    with pytest.raises(ValueError, match=r"compiled\(steps=100\)"):
        net.compiled()


def test_an_output_at_each_step():
    words, more = Input((None, 3), name="words"), Input(2, name="more")
    h = GRU(4, return_sequences=True)(words, initial_state=Dense(4)(more))
    net = Network(inputs=[words, more], outputs=Dense(2)(h))
    x = rng.normal(size=(7, 3)).astype(np.float32), rng.normal(size=2).astype(np.float32)
    found = filled((7, 2), "float32")
    sequence(net.compiled(steps=9), x, found.array)
    np.testing.assert_array_equal(found.array, net.forward([[x[0]], x[1][None]])[0])
    assert found.intact()
    with pytest.raises(ValueError, match="an output at each step takes a row for each"):
        sequence(net.compiled(steps=9), x, np.empty((6, 2), np.float32))


def test_one_sequence_through_layers_that_need_the_whole():
    net = Network([Bidirectional(GRU(5, return_sequences=True)), Dense(2, "softmax")], inputs=(None, 3))
    model, x = net.compiled(steps=8), rng.normal(size=(8, 3)).astype(np.float32)
    for steps in (1, 8):
        out = np.empty((steps, 2), np.float32)
        sequence(model, (x[:steps],), (out,))
        np.testing.assert_array_equal(out, net.forward([x[:steps]])[0])
    with pytest.raises(ValueError, match=r"network.compiled\(steps=100\)"):
        net.compiled()


def test_layers_with_a_largest_number_of_steps():
    table, words = Input(2, name="table"), Input((None, 3), name="words")
    h = LastStep()(PositionEmbedding(5)(words))
    net = Network(inputs=[table, words], outputs=Dense(1)(Concatenate()(h, table)))
    assert net.compiled(steps=5, gradients=False).table.ndim == 1
    with pytest.raises(ValueError, match=r"steps is 6: .* takes at most 5"):
        net.compiled(steps=6)


def test_what_does_not_fit_is_refused():
    net = three_outputs()
    model, x, y = net.compiled(), samples(net, 6), targets(net, 6)
    grads = np.empty(net.vectors.parameters.size, np.float32)

    def out():
        return tuple(np.zeros((6, size), np.float32) for size, in net.output_shapes.values())

    for given in ((x[0], x[1][:5]), (x[1], x[0]), x[:1], (x[0][:, :4], x[1]), (*x, x[0])):
        found = out()
        with pytest.raises(ValueError, match="the arrays do not fit the model"):
            callers.forward(model, given, found)
        assert all(np.isnan(each).all() for each in found)
    for wrong in ((np.full(6, 3), *y[1:]), (np.full(6, -1), *y[1:])):
        with pytest.raises(ValueError, match="a label that is none"):
            callers.loss_and_gradients(model, x, wrong, grads)
        assert np.isnan(grads).all()
    with pytest.raises(ValueError, match="the arrays do not fit"):
        callers.loss_and_gradients(model, x, (y[1], y[1], y[2]), grads)
    with pytest.raises(ValueError, match=r"compiled\(gradients=False\)"):
        callers.loss_and_gradients(net.compiled(gradients=False), x, y, grads)
    with pytest.raises(ValueError, match="as tuples of arrays"):
        callers.forward(model, x[0], np.zeros((6, 3), np.float32))
    one = Network([Dense(3)], inputs=4).compiled()
    with pytest.raises(ValueError, match="this model has one of each"):
        callers.forward(one, (x[1],), (np.zeros((6, 3), np.float32),))
    with pytest.raises(TypingError, match=r"x\[1\] holds float64"):
        callers.forward(model, (x[0], x[1].astype(float)), out())
    with pytest.raises(ValueError, match="steps is 5"):
        net.compiled(steps=5)
