"""Penalties on weights: part of every reported loss, and of its gradient; biases have no penalty."""

import numpy as np
import pytest
from nets import LABELS, X, names_of, pairs, same

from fastnn import SGD, Adam, Dense, Network, check_gradients, kernels, naive, vectorized
from fastnn.kernels.elementwise.blocks import LANES, block_count
from fastnn.kernels.interpreter.table import CALL, LOSSES, SAMPLE_WEIGHTS
from fastnn.kernels.training.penalty import (
    penalty_gradient_kernel,
    penalty_loss_kernel,
    penalty_loss_row,
    penalty_row,
    penalty_value_kernel,
)
from fastnn.layers import layers_from_config

RUNGS = [naive, vectorized, kernels]
STRENGTHS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.3, 0.2)]
SIZES = [(1, 1), (3, 17), (65, 65), (64, 64), (17, 241), (130, 257)]

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_rung = pytest.mark.parametrize("rung", RUNGS, ids=lambda rung: rung.__name__)
every_strength = pytest.mark.parametrize(("l1", "l2"), STRENGTHS)


def penalized(l1=0.03, l2=0.02, dtype="float64", **options):
    layers = [Dense(65, "tanh", l1=l1), Dense(17, "tanh"), Dense(3, "softmax", l1=l1, l2=l2)]
    return Network(layers, inputs=4, dtype=dtype, **options)


def penalty_of(net):
    return sum(vectorized.weight_penalty(net.parameters[f"{i}.weight"], layer.l1, layer.l2)
               for i, layer in enumerate(net.layers))


# In loops, in NumPy and compiled


@every_dtype
@every_strength
@pytest.mark.parametrize("shape", SIZES)
@every_rung
def test_value_and_gradient(rung, shape, l1, l2, dtype):
    weight = np.random.default_rng(1).normal(size=shape).astype(dtype)
    exact, tolerance = weight.astype(np.float64), 1e-5 if dtype == "float32" else 1e-12
    assert rung.weight_penalty(weight, l1, l2) == pytest.approx(l1 * abs(exact).sum() + l2 * (exact**2).sum(), rel=tolerance)
    np.testing.assert_allclose(rung.weight_penalty_gradient(weight, l1, l2), l1 * np.sign(exact) + 2 * l2 * exact,
                               rtol=tolerance, atol=tolerance)


@every_rung
def test_the_gradient_at_zero_is_zero(rung):
    assert np.asarray(rung.weight_penalty_gradient([[0.0, -0.0]], l1=1.0, l2=1.0)).tolist() == [[0.0, 0.0]]


@every_rung
@pytest.mark.parametrize("strengths", [{"l1": -1.0}, {"l2": -0.1}, {"l2": np.nan}])
def test_a_penalty_is_not_negative(rung, strengths):
    for function in (rung.weight_penalty, rung.weight_penalty_gradient):
        with pytest.raises(ValueError, match="both must be zero or more"):
            function([[1.0]], **strengths)


# In a network


@pytest.mark.parametrize("samples", [1, 23, 600])  # of which the last take several chunks of one mean
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_bears_the_penalty_once(samples, weighted):
    many, labels = np.resize(X, (samples, 4)), np.resize(LABELS, samples)
    weight = np.linspace(0.5, 2, samples) if weighted else None
    net, free = penalized(), Network([Dense(65, "tanh"), Dense(17, "tanh"), Dense(3, "softmax")], inputs=4, dtype="float64")
    free.vectors.parameters.flat[:] = net.vectors.parameters.flat
    extra = penalty_of(net)
    assert extra > 1
    plain = free.evaluate(many, labels, sample_weight=weight)["loss"]
    assert net.evaluate(many, labels, sample_weight=weight)["loss"] == pytest.approx(plain + extra, rel=1e-12)
    loss, gradients = net.loss_and_gradients(many, labels, sample_weight=weight)
    plain, expected = free.loss_and_gradients(many, labels, sample_weight=weight)
    assert loss == pytest.approx(plain + extra, rel=1e-12)
    for i, layer in enumerate(net.layers):
        expected[f"{i}.weight"] += vectorized.weight_penalty_gradient(net.parameters[f"{i}.weight"], layer.l1, layer.l2)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(net.forward(many), free.forward(many))


@pytest.mark.parametrize(("l1", "l2"), STRENGTHS[1:])
def test_gradients_check(l1, l2):
    net = penalized(l1, l2)
    net.vectors.parameters.flat[:] += 0.01 * np.sign(net.vectors.parameters.flat)  # away from the kink of |w|
    report = check_gradients(net, X, LABELS)
    assert report.passed, report


def test_a_step_of_training():
    net = penalized(dtype="float64")
    (loss, gradients), before = net.loss_and_gradients(X, LABELS), {k: v.copy() for k, v in net.parameters.items()}
    history = net.fit(X, LABELS, batch_size=23, optimizer=SGD(0.1), shuffle=False)
    assert history["loss"] == pytest.approx([loss], rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(net.parameters[name], before[name] - 0.1 * gradient, rtol=1e-11, atol=1e-14)


def test_history_and_validation_bear_it():
    net = penalized()
    weight = np.zeros(23)
    weight[:5] = 1.0
    history = net.fit(X, LABELS, epochs=2, batch_size=7, optimizer=SGD(1e-9), validation_data=(X, LABELS),
                      sample_weight=weight)
    expected = net.evaluate(X, LABELS, sample_weight=weight)["loss"]
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-6)
    np.testing.assert_allclose(history["val_loss"], net.evaluate(X, LABELS)["loss"], rtol=1e-6)


@every_dtype
def test_threads_do_not_change_a_bit(dtype, many_parts):
    layers = [Dense(65, "tanh", l1=0.03), Dense(130, "tanh", l1=0.01, l2=0.02), Dense(3, "softmax", l2=0.02)]
    assert block_count(65 * 130) == 3  # of which threads have some each

    def trained(threads):
        net = Network(layers, inputs=4, dtype=dtype)
        net.fit(X, LABELS, epochs=2, batch_size=8, optimizer=Adam(clip_norm=1.0), threads=threads)
        return net, net.evaluate(X, LABELS, threads=threads), net.loss_and_gradients(X, LABELS, threads=threads)[0]

    one, *numbers = trained(1)
    for threads in (2, 3, 8):
        other, *others = trained(threads)
        assert same(one, other)
        assert others == numbers
    assert max(many_parts) == 8


def test_l1_brings_weights_to_nothing_and_l2_makes_them_small():
    def size(**penalties):
        net = Network([Dense(3, "softmax", **penalties)], inputs=4, dtype="float64")
        net.fit(X, LABELS, epochs=300, batch_size=23, optimizer=SGD(0.05))
        return abs(net.parameters["0.weight"])

    free = size()
    assert size(l2=0.5).sum() < 0.5 * free.sum()
    assert size(l1=10.0).max() < 0.6  # it swings about zero, by learning rate times l1
    assert free.max() > 0.1


def test_no_penalty_no_row():
    """And the same bits as a network without penalties."""
    free = Network([Dense(5, "tanh"), Dense(3, "softmax")], inputs=4)
    zero = Network([Dense(5, "tanh", l1=0, l2=0.0), Dense(3, "softmax")], inputs=4)
    for net in (free, zero):
        net.fit(X, LABELS, epochs=2)
    assert same(free, zero)
    assert zero.layers == free.layers


def test_a_layer_tells_its_penalties():
    layer = Dense(5, "relu", l1=0.1, l2=2)
    assert repr(layer) == "Dense(5, 'relu', l1=0.1, l2=2.0)"
    assert layers_from_config([layer.config()]) == [layer]
    assert "l1" not in Dense(5).config()


def test_a_saved_network_keeps_them(tmp_path):
    net = penalized()
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    assert loaded.evaluate(X, LABELS) == net.evaluate(X, LABELS)


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, "much", None, True])
def test_bad_penalties_are_named(bad):
    for name in ("l1", "l2"):
        with pytest.raises(ValueError, match=rf"Dense\({name}=...\) is .*a number of at least 0 and finite"):
            Dense(3, **{name: bad})


def test_the_readable_rungs_add_up_to_the_same():
    net = penalized()
    loss, _ = vectorized.backward(pairs(net), names_of(net), X, np.eye(3)[LABELS], "cross_entropy")
    assert net.evaluate(X, LABELS)["loss"] == pytest.approx(loss + penalty_of(net), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weights", [[0.0, 0.0, 0.0], [0.25, 0.0, 0.25], [1.0, 0.0, 0.0], [3.0, 2.0, 2.0]], ids=sum)
def test_a_penalty_that_is_shared_out_is_divided_by_the_weights_of_the_batch(weights, dtype):
    weight = np.random.default_rng(0).normal(size=4500).astype(dtype)  # more than a block
    results, sums = np.zeros((3, 3)), np.zeros((block_count(weight.size), LANES))
    results[SAMPLE_WEIGHTS] = weights
    gradient = np.zeros_like(weight)
    row = penalty_row(dtype, 1, start=0, size=weight.size, sums=0, l1=0.5, l2=0.25, shared=True)
    total = penalty_loss_row(dtype, sums=0, blocks=len(sums), once=False, shared=True)
    call = CALL.new(parameters=weight.ctypes.data, gradients=gradient.ctypes.data, arena=sums.ctypes.data,
                    results=results.ctypes.data, capacity=3, batch=3)
    penalty_value_kernel(dtype, row, call, 0, 1)
    penalty_gradient_kernel(dtype, row, call, 0, 1)
    penalty_loss_kernel(dtype, total, call, 0, 1)
    factor = 1 / sum(weights) if sum(weights) else 0
    exact = weight.astype(np.float64)
    np.testing.assert_allclose(gradient, factor * (0.5 * np.sign(exact) + 0.5 * exact), rtol=1e-6)
    assert results[LOSSES].sum() == pytest.approx(factor * (0.5 * np.abs(exact) + 0.25 * exact**2).sum(), rel=1e-6)
