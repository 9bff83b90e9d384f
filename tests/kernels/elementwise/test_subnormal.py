"""Subnormal numbers: an update treats them as 0, on every thread; everything else does not."""

import numba
import numpy as np
import pytest

from fastnn import Dense, Network, Population, optimizers
from fastnn.kernels.processor.target import target

pytestmark = pytest.mark.skipif(target()[0] != "x86_64" or numba.config.DISABLE_JIT, reason="left to the processor here")

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(64, 5)).astype(np.float32), rng.integers(3, size=64)


def tiny_outputs():
    """Return a linear network in which everything is normal except its outputs, and samples for it."""
    net = Network([Dense(3)], inputs=5, seed=0)
    net.parameters["0.weight"][:] = 1e-30
    return net, np.full((40, 5), 1e-12, np.float32)


def subnormal(x):
    return (x != 0) & (abs(x) < np.finfo(x.dtype).smallest_normal)


@pytest.mark.parametrize("name", optimizers)
def test_what_decays_comes_to_zero(name):
    """The first feature becomes 0: the optimizer's means of its weights become 0, and do not stay at 6e-45."""
    net, optimizer = Network([Dense(4, "tanh"), Dense(3, "softmax")], inputs=5, seed=0), optimizers[name]()
    net.fit(X, Y, epochs=2, batch_size=16, optimizer=optimizer)
    silent = X.copy()
    silent[:, 0] = 0
    net.fit(silent, Y, epochs=400, batch_size=16, optimizer=optimizer)
    assert not subnormal(net.fits.optimizer_state(optimizer).slots).any()
    assert not subnormal(net.vectors.parameters.flat).any()


def test_threads_agree_on_what_is_zero(many_parts):
    found = []
    for threads in (1, 3):
        net = Network([Dense(70, "relu"), Dense(3, "softmax")], inputs=5, seed=0)
        net.parameters["0.weight"][:] *= 1e-19
        net.fit(X * np.float32(1e-20), Y, epochs=3, batch_size=16, optimizer="sgd", threads=threads)
        found.append(net.vectors.parameters.flat.tobytes())
    assert max(many_parts) >= 3
    assert found[0] == found[1]


def test_populations_agree():
    net, alone = (Network([Dense(70, "relu"), Dense(3, "softmax")], inputs=5, seed=0) for _ in range(2))
    small = X * np.float32(1e-37)
    alone.fit(small, Y, epochs=2, batch_size=16, optimizer="adam")
    Population([net]).fit(small, Y, epochs=2, batch_size=16, optimizer="adam")
    assert alone.vectors.parameters.flat.tobytes() == net.vectors.parameters.flat.tobytes()


def test_the_processor_is_given_back(many_parts):
    net, samples = tiny_outputs()
    before = [net.forward(samples, threads=threads) for threads in (1, 3)]
    assert subnormal(before[0]).all()
    np.testing.assert_array_equal(*before)
    for threads in (1, 3):
        other = Network([Dense(70, "relu"), Dense(3, "softmax")], inputs=5)
        other.fit(X, Y, epochs=1, batch_size=16, threads=threads)
        assert np.float32(1e-40) * np.float32(0.5) != 0
        np.testing.assert_array_equal(net.forward(samples, threads=threads), before[0])
