"""Random nets of all layers write only to their own memory, and give the same bits where memory is shared.

Images, series, and graphs of any wiring; in guarded memory (see `guarded_memory`) no reservation touches another, so that a
write outside of one is found whatever it would have hit. `test_guarded_memory` has the cases that are known.
"""

import random

import numpy as np
import pytest
import random_graphs
import random_mixed
import random_series
from drawn_layers import drawn_network
from guarded_memory import GuardedMemory
from random_images import random_images
from trained_nets import digest

from fastnn import SGD, Adam, Sequences

DTYPES = "float32", "float64"
FEW, MANY = (*range(9), 10, 11, 36), 600  # 36 has a convolution of one channel to one feature, and a max pool of it


def images(seed, dtype, samples):
    net = random_images(seed, dtype)
    rng = np.random.default_rng(seed)
    shape, = net.input_shapes.values()
    return net, rng.normal(size=(samples, *shape)), rng.integers(3, size=samples)


def series(seed, dtype, samples):
    net = random_series.random_series(seed, dtype)
    return net, *random_series.data(net, samples, seed)


def layer(seed, dtype, samples):
    net, inputs = drawn_network(seed, dtype)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, inputs))
    return net, X, rng.normal(size=net.forward(X).shape)


def graph(seed, dtype, samples):
    return random_graphs.random_graph(seed, dtype), *random_graphs.data(samples)


def mixed(seed, dtype, samples):
    net = random_mixed.random_mixed(seed, dtype)
    return net, *random_mixed.data(net, samples)


KINDS = images, images, series, layer, images, images, images, graph, series, images, images, mixed


def bits(numbers):
    """Return arrays, by name or not, as bytes."""
    if isinstance(numbers, dict):
        return {name: bits(each) for name, each in numbers.items()}
    if isinstance(numbers, list):
        return [bits(each) for each in numbers]
    return (numbers.values if isinstance(numbers, Sequences) else np.asarray(numbers)).tobytes()


def work(seed, threads, check=lambda: None):
    """Return the bits of gradients, outputs and weights of the net of this number; check: what is called in between."""
    draw = random.Random(seed)
    batch, dtype, optimizer = draw.choice([1, 2, 5, 8, 17]), draw.choice(DTYPES), draw.choice([SGD(1e-3), Adam(1e-3)])
    net, X, y = KINDS[seed % len(KINDS)](seed, dtype, 2 * batch + batch // 2 + 1)
    loss, gradients = net.loss_and_gradients(X, y, threads=threads)
    check()
    outputs = net.forward(X, threads=threads)
    check()
    net.fit(X, y, epochs=2, batch_size=batch, optimizer=optimizer, threads=threads)
    check()
    return loss, bits(gradients), bits(outputs), net.evaluate(X, y, threads=threads), digest(net), bits(dict(net.state))


SEEDS = [*FEW, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(MANY) if seed not in FEW)]


@pytest.mark.usefixtures("many_parts")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_net_writes_to_its_own_memory(seed):
    with pytest.MonkeyPatch.context() as patch:
        guard = GuardedMemory(patch)
        alone = work(seed, 1, guard.assert_intact)
        together = work(seed, 3, guard.assert_intact)
        guard.assert_intact()
    assert together == alone
    assert work(seed, 3) == alone  # where memory is lent again
