"""Full Jacobians of a network, from its own gradients and from finite differences.

The derivatives of the outputs of all samples, or their losses, with respect to every parameter and input. The inputs are
parameters here: the first layer multiplies the identity, X = I @ weight with a sample in each row of the weight, so its
gradient is dX.
"""

import numpy as np

from fastnn import Dense, Network
from fastnn.kernels.interpreter.table import LOSSES
from fastnn.network.differentiating import gradient_program
from fastnn.program import EvaluationProgram
from fastnn.samples.data import check_data

STEP = 8e-3  # of the differences, then half and a quarter of it: what three terms leave out is of order STEP⁶
CLEAR = 0.08  # so far from a kink z is moved: more than differences of STEP move it
ROUNDING = 16 * 2.0**-52 / (STEP / 4)  # of what a difference tells of a function near 1


def network(layers, inputs, batch, loss="squared_error", seed=0):
    """Return (net, X): a float64 network behind a layer that holds the samples, X the identity; nothing in it is zero."""
    rng = np.random.default_rng(seed)
    net = Network([Dense(inputs), *layers], inputs=batch, loss=loss, dtype="float64", seed=seed)
    for name, view in net.parameters.items():
        scale = 1.0 if name.startswith("0.") else 1 / np.sqrt(len(view) if view.ndim == 2 else 4)
        view[...] += scale * rng.normal(size=view.shape) + (0.1 if view.ndim == 1 else 0.0)
    for view in net.state.values():
        view[...] += rng.uniform(0.1, 0.5, size=view.shape)
    return net, np.eye(batch)


def move_off_kinks(net, X, index, kinks):
    """Change the bias of layer number `index` so that its z, over all samples, are away from the kinks and from 0.

    At 0 the derivatives of elu and selu bend. The smallest sufficient change leaves z on both sides.
    """
    below = Network([*net.layers[:index], Dense(net.layers[index].out_features)], inputs=net.inputs, dtype="float64")
    for name, view in below.parameters.items():
        view[...] = net.parameters[name]
    bias, z = net.parameters[f"{index}.bias"], below.forward(X)
    shifts = np.array(sorted(np.linspace(-3, 3, 601), key=abs))
    for j in range(len(bias)):
        distance = np.abs(z[:, j, None, None] + shifts[:, None] - np.array([0.0, *kinks])).min(axis=(0, 2))
        bias[j] += shifts[np.argmax(distance >= min(CLEAR, distance.max()))]  # the first of them


def of_outputs(net, X):
    """Return the Jacobian of the outputs, {name: (samples · outputs, size)}, of a network with loss squared_error.

    The mean over m samples of ½ Σ (a − y)² has da = (a − y) / m: with y = a except at one place, where it is a − m, da is 1
    there and 0 elsewhere, and the gradient is that output's row of the Jacobian.
    """
    a, rows = net.forward(X), []
    for place in np.ndindex(a.shape):
        y = a.copy()
        y[place] -= len(a)
        _, gradients = net.loss_and_gradients(X, y)
        rows.append(gradients)
    return {name: np.array([row[name].ravel() for row in rows]) for name in net.parameters}


def of_losses(net, X, y, **options):
    """Return the Jacobian of the losses of the samples, {name: (samples, size)}: each sample in turn has all the weight."""
    rows = [net.loss_and_gradients(X, y, sample_weight=weights, **options)[1] for weights in np.eye(len(X))]
    return {name: np.array([row[name].ravel() for row in rows]) for name in net.parameters}


def losses_of(net, X, y, **options):
    """Return a function without arguments: the losses of the samples for the current parameters, from the network."""
    each = [net.loss_function(X, y, sample_weight=weights, **options) for weights in np.eye(len(X))]
    return lambda: np.array([loss() for loss in each])


def losses_at_once(net, X, y, *, training=False):
    """Return the same function for networks without penalties, from one pass of all samples."""
    if training:
        program = gradient_program(net, check_data(net, X, y), training, threads=1)
        assert program.batches == 1

        def losses():
            program.accumulate(0, 1)
            return len(X) * program.results[LOSSES]  # each has its share of the mean as its weight
    else:
        program = EvaluationProgram(net, check_data(net, X, y), threads=1)

        def losses():
            program.evaluate()
            return program.results[LOSSES].copy()

    assert not program.penalties.stretches
    np.testing.assert_allclose(losses(), losses_of(net, X, y, training=training)(), rtol=1e-15)
    return losses


def by_differences(net, function, most=None, seed=0):
    """Return ({name: (values, size)}, {name: indices}): derivatives of function(), for these elements of each parameter.

    They are central differences with three step sizes and Richardson extrapolation. Of a parameter with more than `most`
    elements, `most` random ones are used.
    """
    rng, found, places = np.random.default_rng(seed), {}, {}
    for name, view in net.parameters.items():
        flat = view.reshape(-1)
        places[name] = np.arange(flat.size)
        if most is not None and flat.size > most:
            places[name] = np.sort(rng.choice(flat.size, most, replace=False))
        found[name] = np.stack([derivative(function, flat, k) for k in places[name]], axis=-1)
    return found, places


def derivative(function, flat, k):
    value = flat[k]

    def central(h):
        flat[k] = value + h
        above, up = function().ravel(), flat[k]
        flat[k] = value - h
        below, down = function().ravel(), flat[k]
        flat[k] = value
        return (above - below) / (up - down)

    first, second, third = central(STEP), central(STEP / 2), central(STEP / 4)
    near, nearer = (4 * second - first) / 3, (4 * third - second) / 3
    return (16 * nearer - near) / 15


def largest_error(analytic, numeric, places, size, tolerance=1e-7):
    """Return the largest relative error of any element of the Jacobian.

    size: of the function's values. An element so small that differences of such a function cannot determine it to
    `tolerance` counts as the smallest that they can determine.
    """
    floor = ROUNDING * max(1.0, size) / tolerance
    worst = 0.0
    for name, expected in numeric.items():
        got = analytic[name][:, places[name]]
        assert got.shape == expected.shape
        errors = np.abs(got - expected) / np.maximum(np.maximum(np.abs(got), np.abs(expected)), floor)
        worst = max(worst, errors.max(initial=0.0))
        assert np.isfinite(worst), name
    return worst
