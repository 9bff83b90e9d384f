"""Compiled networks for several test files, and comparisons of them."""

import numpy as np
from small_nets import random_net

from fastnn import Dense, Network, naive, vectorized

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(23, 4)), rng.integers(3, size=23)
BITS = (LABELS == 1).astype(int)


def network(sizes, names, loss, dtype="float64"):
    """Return a network with nonzero biases."""
    net = Network([Dense(n, name) for n, name in zip(sizes[1:], names, strict=True)], sizes[0], loss=loss, dtype=dtype)
    for view, array in zip(net.parameters.values(), [a for pair in random_net(sizes) for a in pair], strict=True):
        view[...] = array
    return net


def classifier(seed=0, **options):
    return Network([Dense(5, "tanh"), Dense(3, "softmax")], inputs=4, seed=seed, **options)


def pairs(net):
    """Return copies of the parameters in the form of `fastnn.naive`, a (weight, bias) for each layer."""
    views = [view.copy() for view in net.parameters.values()]
    return list(zip(views[::2], views[1::2], strict=True))


def names_of(net):
    return [layer.activation for layer in net.layers]


def same(net, other):
    return all(np.array_equal(net.parameters[name], other.parameters[name]) for name in net.parameters)


def assert_rungs_train_alike(optimizer, steps, tolerance):
    """So many steps of the classifier on all samples give the same numbers in loops, in NumPy and compiled."""
    net, y = classifier(dtype="float64"), np.eye(3)[LABELS]
    by_arrays = pairs(net)
    by_loops = naive.records.to_lists(by_arrays)
    states = naive.optimizer_state(by_loops, optimizer), vectorized.optimizer_state(by_arrays, optimizer)
    for step in range(1, steps + 1):
        naive.train_step(by_loops, names_of(net), X, y, "cross_entropy", optimizer, states[0], step)
        vectorized.train_step(by_arrays, names_of(net), X, y, "cross_entropy", optimizer, states[1], step)
    net.fit(X, LABELS, epochs=steps, batch_size=len(X), optimizer=optimizer, shuffle=False)
    assert_close(net.parameters, by_arrays, tolerance)
    for looped, array in zip(by_loops, by_arrays, strict=True):
        for one, other in zip(looped, array, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=1e-12)


def assert_close(gradients, expected, tolerance=1e-12):
    for got, array in zip(gradients.values(), [a for pair in expected for a in pair], strict=True):
        np.testing.assert_allclose(got, array, rtol=tolerance, atol=tolerance * max(1, np.abs(array).max()))
