"""Every element of the Jacobian of every layer, activation and loss is correct to 1e-7, at odd shapes, in float64.

Compared with finite differences with Richardson extrapolation, away from kinks; kinks have separate tests. The cases come
from the registries. The short form takes each case at some shapes, the long one (`-m long`) at all of them; FASTNN_TEST_SEED
sets other numbers.
"""

import os
from itertools import cycle, islice, product

import jacobian
import numpy as np
import pytest
from layer_cases import LAYERS, TOKENS, placed
from small_nets import LOSSES, OUTPUTS, inputs_and_targets

from fastnn import Activation, Dense, Network, activations, losses
from fastnn.layers import layers

SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))
TOLERANCE = 1e-7
WIDTHS, BATCHES = (1, 3, 17, 33, 257), (1, 5, 33)  # beyond 256 terms a sum is made of chains
SHAPES = list(product(BATCHES, WIDTHS, WIDTHS))
SMALL = [(batch, inputs, width) for batch, inputs, width in SHAPES if batch * inputs * width < 600]

SMOOTH_LAYERS = [name for name in LAYERS if "Max" not in name]  # where two numbers are equal their maximum has a kink

def bends(record):
    """Return whether the derivative bends at 0, as elu's does: differences across it converge more slowly."""
    before, middle, after = (record.prime(z, record.value(z)) for z in (-1e-4, 0.0, 1e-4))
    return abs(before + after - 2 * middle) > 1e-5


ANALYTIC = [name for name, record in activations.items() if record.smooth and (record.rowwise or not bends(record))]


def outputs_that_fit(activation):
    return 3 if activations[activation].rowwise else 2


def check_outputs(hidden, shape, last="identity", most=None):
    """Return the Jacobian of the outputs of a network of one hidden layer with this activation."""
    batch, inputs, width = shape
    net, X = jacobian.network([Dense(width, hidden), Dense(outputs_that_fit(last), last)], inputs, batch, seed=SEED)
    for index, name in ((1, hidden), (2, last)):
        jacobian.move_off_kinks(net, X, index, activations[name].kinks)
    numeric, places = jacobian.by_differences(net, lambda: net.forward(X), most, SEED)
    error = jacobian.largest_error(jacobian.of_outputs(net, X), numeric, places, np.abs(net.forward(X)).max())
    assert error <= TOLERANCE, (hidden, last, shape, error)
    return error


def check_losses(stack, loss, shape, *, training=False, most=None, kinks=None):
    """Return the Jacobian of the samples' losses of a network of these layers."""
    batch, inputs, _ = shape
    net, X = jacobian.network(stack, inputs, batch, loss, SEED)
    for index, names in (kinks or {}).items():
        jacobian.move_off_kinks(net, X, index, activations[names].kinks)
    y = targets_off_kinks(net, X, losses[loss])
    function = jacobian.losses_at_once(net, X, y, training=training)
    numeric, places = jacobian.by_differences(net, function, most, SEED)
    size = max(function().max(), of_rounding(net, X))
    error = jacobian.largest_error(jacobian.of_losses(net, X, y, training=training), numeric, places, size)
    assert error <= TOLERANCE, (stack, loss, shape, error)
    return error


def of_rounding(net, X):
    """Return the rounding error of a loss, relative to that of a number near 1.

    log(1 − a) has the error of a, divided by 1 − a; a loss on the logits has no such difference.
    """
    low, high = net.objective.loss.domain
    if net.objective.on_logits or (low, high) != (0, 1):
        return 1.0
    return float(1 / (1 - net.forward(X)).min())


def targets_off_kinks(net, X, loss):
    """Return targets for the loss; for values such that a − y is not near a kink of the loss, −1, 0 and 1."""
    _, y = inputs_and_targets(len(X), net.inputs, net.outputs, loss, seed=SEED)
    if loss.targets == "values":
        rng = np.random.default_rng(SEED)
        distance = rng.choice([-1, 1], y.shape) * (rng.uniform(0.3, 0.7, y.shape) + rng.integers(2, size=y.shape))
        y = np.abs(net.forward(X) - distance) if loss.name == "poisson" else net.forward(X) - distance
    if loss.name == "hinge":  # its kink is at y a = 1
        a = net.forward(X)
        y = np.where(np.abs(a - 1) < 0.1, -1.0, np.where(np.abs(a + 1) < 0.1, 1.0, rng.choice([-1.0, 1.0], a.shape)))
    return y


def some(cases, shapes, each):
    """Return every case with so many of the shapes in turn, so that all shapes occur."""
    turn = cycle(shapes)
    return [(case, shape) for case in cases for shape in islice(turn, each)]


def test_every_layer_is_among_the_cases():
    assert {type(layer).__name__ for layer in (LAYERS | TOKENS).values()} == set(layers)


@pytest.mark.parametrize(("hidden", "shape"), some(activations, SMALL, 3))
def test_outputs(hidden, shape):
    check_outputs(hidden, shape)


@pytest.mark.parametrize(("last", "shape"), some(activations, SMALL, 2))
def test_outputs_of_an_activation_at_the_end(last, shape):
    check_outputs("tanh", shape, last)


@pytest.mark.parametrize("shape", [(1, 257, 3), (5, 3, 257), (33, 17, 33), (5, 257, 17)])
def test_outputs_of_wide_layers(shape):
    check_outputs("tanh", shape, most=40)


@pytest.mark.parametrize(("pair", "shape"), some(OUTPUTS, SMALL, 1))
def test_losses(pair, shape):
    last, loss = pair
    check_losses([Dense(shape[2], "tanh"), Dense(3, last)], loss, shape, kinks={2: last}, most=40)


@pytest.mark.parametrize(("case", "shape"), some(product(SMOOTH_LAYERS, [False, True]), SMALL[1:], 2))
def test_losses_of_every_layer(case, shape):
    name, training = case
    batch, inputs, width = shape
    if name == "RandomShift" and width == 1:
        pytest.skip("an image of one pixel cannot be shifted")
    check_losses([Dense(width, "tanh"), *placed(name, width), Dense(2)], "squared_error", (batch, inputs, width),
                 training=training, most=40)


@pytest.mark.parametrize("name", SMOOTH_LAYERS)
def test_losses_of_every_layer_first_and_last(name):
    check_losses([*placed(name, 17), Dense(3, "tanh"), Dense(2)], "squared_error", (5, 17, 3), most=40)
    if LAYERS[name].can_be_last:
        check_losses([Dense(3, "tanh"), Dense(3), *placed(name, 3)], "squared_error", (5, 17, 3), training=True, most=40)


def test_losses_with_penalties():
    net, X = jacobian.network([Dense(7, "tanh", l1=0.3, l2=0.1), Dense(3, l2=0.2)], 4, 5, seed=SEED)
    weight = net.parameters["1.weight"]
    weight += np.where(weight < 0, -0.1, 0.1)  # l1 has a kink at 0
    y = targets_off_kinks(net, X, losses["squared_error"])
    numeric, places = jacobian.by_differences(net, jacobian.losses_of(net, X, y))
    assert jacobian.largest_error(jacobian.of_losses(net, X, y), numeric, places, 10.0) <= TOLERANCE


def tell(case, errors):
    """Print the error of a case, for pytest -s."""
    print(f"{case}: largest relative error {max(errors):.1e} of {len(errors)} Jacobians")


@pytest.mark.long
@pytest.mark.parametrize("hidden", activations)
def test_outputs_at_all_shapes(hidden):
    tell(hidden, [check_outputs(hidden, shape, most=60) for shape in SHAPES])


@pytest.mark.long
@pytest.mark.parametrize("pair", OUTPUTS, ids=" ".join)
def test_losses_at_all_shapes(pair):
    last, loss = pair
    tell(" ".join(pair), [
        check_losses([Dense(shape[2], hidden), Dense(3, last)], loss, shape, kinks={1: hidden, 2: last}, most=30)
        for hidden in activations for shape in islice(cycle(SHAPES), len(hidden), len(hidden) + 25, 3)])


@pytest.mark.long
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMOOTH_LAYERS)
def test_losses_of_every_layer_with_every_activation(name, training):
    tell(f"{name}, training {training}", [
        check_losses([Dense(shape[2], before), *placed(name, shape[2]), Dense(3, last)],
                     "cross_entropy" if last == "softmax" else "squared_error", shape, training=training, kinks={1: before},
                     most=25)
        for before, last in product(activations, ANALYTIC) for shape in ((1, 3, 17), (5, 17, 3), (33, 3, 33))])


# At a kink: the derivative of the record, which is between those on both sides.


@pytest.mark.parametrize("name", [name for name, record in activations.items() if record.kinks])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_a_kink_of_an_activation(name, dtype):
    record = activations[name]
    net = Network([Dense(1), Activation(name)], inputs=1, loss="squared_error", dtype=dtype)
    for kink in record.kinks:
        net.parameters["0.weight"][:], net.parameters["0.bias"][:] = 0, kink
        a = float(net.forward([[1.0]])[0, 0])
        _, gradients = net.loss_and_gradients([[1.0]], [[a - 1]])
        derivative = gradients["0.bias"][0]
        beside = [record.prime(kink + step, record.value(kink + step)) for step in (-1e-9, 1e-9)]
        assert derivative == pytest.approx(record.prime(kink, record.value(kink)), rel=1e-6)
        assert min(beside) - 1e-6 <= derivative <= max(beside) + 1e-6


@pytest.mark.parametrize("name", [name for name, record in LOSSES.items() if record.kinks])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_a_kink_of_a_loss(name, dtype):
    record = LOSSES[name]
    net = Network([Dense(1, initializer="zeros")], inputs=1, loss=name, dtype=dtype)
    for kink in record.kinks:
        loss, gradients = net.loss_and_gradients([[1.0]], [[-kink]])
        assert loss == record.value(0.0, -kink)
        assert gradients["0.bias"][0] == record.prime(0.0, -kink)
        beside = [record.prime(step, -kink) for step in (-1e-9, 1e-9)]
        assert min(beside) <= gradients["0.bias"][0] <= max(beside)
