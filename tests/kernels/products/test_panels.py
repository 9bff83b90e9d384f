"""Weights packed into panels for many samples: the same bits as without packing, and never stale weights."""

import numpy as np
import pytest

from fastnn import Dense, Network
from fastnn.kernels.layers.panels import WIDE
from fastnn.program import forward

WIDTHS = {"float32": (WIDE // 4, 530, 1030), "float64": (WIDE // 8, 261, 515)}  # whole panels, and some that are not


@pytest.mark.parametrize("dtype", WIDTHS)
@pytest.mark.parametrize("threads", [1, 3])
def test_panels_do_not_change_a_bit(dtype, threads, monkeypatch):
    for width in WIDTHS[dtype]:
        net = Network([Dense(width, "tanh"), Dense(7, "relu"), Dense(width), Dense(3, "softmax")], inputs=300, dtype=dtype)
        rng = np.random.default_rng(width)
        X, y = rng.normal(size=(61, 300)).astype(dtype), rng.integers(3, size=61)
        for _ in range(2):
            monkeypatch.setattr(forward, "PANELS_REPAID", 1000)
            out, measures = net.forward(X, threads=threads), net.evaluate(X, y, threads=threads)
            monkeypatch.setattr(forward, "PANELS_REPAID", 61)
            np.testing.assert_array_equal(net.forward(X, threads=threads), out)
            assert net.evaluate(X, y, threads=threads) == measures
            (program,) = (program for idle in net.idle_programs.values() for program in idle)
            assert {int(number) for number in program.panels} == {1, 3}  # the rows of the two wide layers
            net.parameters["0.weight"][:] *= 0.5  # seen by the next prediction
