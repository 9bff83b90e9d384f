"""The compiled network equals the vectorized one: outputs, losses, gradients and training steps, for every record."""

import numpy as np
import pytest
from nets import LABELS, X, assert_close, classifier, names_of, network, pairs
from small_nets import LOSSES, OUTPUTS, SIZES, inputs_and_targets

from fastnn import activations, optimizers, vectorized

# with one output, softmax and losses over classes are not defined
PAIRS = [(activation, loss, outputs) for activation, loss in OUTPUTS for outputs in (1, 3, 17)
         if outputs > 1 or (activation != "softmax" and LOSSES[loss].targets != "classes")]

every_activation = pytest.mark.parametrize("activation", activations)
every_pair = pytest.mark.parametrize(("activation", "loss", "outputs"), PAIRS)
every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)


def assert_equals_vectorized(net, x, y, weights=None):
    loss, gradients = net.loss_and_gradients(x, y, sample_weight=weights)
    expected_loss, expected = vectorized.backward(pairs(net), names_of(net), x, y, net.loss, weights)
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=1e-12)
    assert_close(gradients, expected)


@every_activation
@pytest.mark.parametrize(
    ("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "squared_error"), ("identity", "huber")]
)
def test_hidden_activation(activation, last, loss):
    net = network([4, 17, 5, 3], [activation, activation, last], loss)
    x, y = inputs_and_targets(7, 4, 3, LOSSES[loss])
    assert_equals_vectorized(net, x, y)


@every_pair
def test_output_activation_and_loss(activation, loss, outputs):
    net = network([4, 5, outputs], ["tanh", activation], loss)
    x, y = inputs_and_targets(17, 4, outputs, LOSSES[loss])
    assert_equals_vectorized(net, x, y)
    assert_equals_vectorized(net, x, y, weights=np.random.default_rng(2).integers(0, 4, 17))


@pytest.mark.parametrize("batch", [*SIZES, 256, 300])
def test_batch(batch):
    net = network([4, 17, 3], ["tanh", "softmax"], "cross_entropy")
    x, y = inputs_and_targets(batch, 4, 3, LOSSES["cross_entropy"])
    assert_equals_vectorized(net, x, y)


@pytest.mark.parametrize("inputs", SIZES)
@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("outputs", SIZES)
def test_widths(inputs, hidden, outputs):
    net = network([inputs, hidden, outputs], ["tanh", "identity"], "squared_error")
    x, y = inputs_and_targets(5, inputs, outputs, LOSSES["squared_error"])
    assert_equals_vectorized(net, x, y)


def test_one_layer_and_many():
    x, y = inputs_and_targets(5, 4, 3, LOSSES["squared_error"])
    for depth in (1, 2, 9):
        assert_equals_vectorized(network([4] + [3] * depth, ["silu"] * depth, "squared_error"), x, y)


@every_optimizer
def test_an_epoch_is_the_steps_of_its_batches(optimizer):
    net = classifier(dtype="float64")
    parameters, state, y = pairs(net), None, np.eye(3)[LABELS]
    state = vectorized.optimizer_state(parameters, optimizer(learning_rate=0.05))
    history = net.fit(X, LABELS, epochs=2, batch_size=5, shuffle=False, optimizer=optimizer(learning_rate=0.05))
    step, means = 0, []
    for _ in range(2):
        total = 0.0
        for first in range(0, 23, 5):  # the last batch has 3
            step, batch = step + 1, slice(first, first + 5)
            total += len(X[batch]) * vectorized.train_step(parameters, names_of(net), X[batch], y[batch], "cross_entropy",
                                                           optimizer(learning_rate=0.05), state, step)
        means.append(total / 23)
    assert_close(net.parameters, parameters, 1e-10)
    assert history["loss"] == pytest.approx(means, rel=1e-10)


def test_forward_is_the_last_activation():
    net = classifier(dtype="float64")
    np.testing.assert_allclose(net.forward(X), vectorized.forward(pairs(net), names_of(net), X)[-1][1], rtol=1e-12)
