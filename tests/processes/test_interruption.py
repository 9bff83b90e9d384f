"""Ctrl-C interrupts work soon, and an interrupted fit can be resumed to the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastnn import BatchNorm, Dense, Network
from fastnn.program import forward

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that tests run in separate processes

SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process on Windows")


def interrupted(trials, seed, *names):
    """Return the report of `interrupted.py`, which must not contain errors."""
    run = subprocess.run([sys.executable, "interrupted.py", str(trials), str(seed), *names], cwd=SUPPORT,
                         capture_output=True, text=True, timeout=3600)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert {name: found["wrong"] for name, found in report.items() if found["wrong"]} == {}
    return report


def test_interrupted_fit_resumes_to_the_same_bits():
    interrupted(6, SEED, "tiny", "layers, momentum", "large checkpoints")


@pytest.mark.long
def test_interrupted_fit_resumes_to_the_same_bits_in_full(capsys):
    """Also print the latency of KeyboardInterrupt, which is longer on a busy machine."""
    report = interrupted(int(os.environ.get("FASTNN_TEST_CASES", "200")), SEED)
    fits = np.concatenate([found["latencies"] for name, found in report.items() if name not in ("predict", "evaluate")])
    with capsys.disabled():
        print(f"\nKeyboardInterrupt in {len(fits)} fits: median {1e3 * np.median(fits):.1f} ms, 99th percentile "
              f"{1e3 * np.percentile(fits, 99):.1f} ms, at most {1e3 * fits.max():.1f} ms")


@pytest.mark.parametrize("threads", [1, 3])
def test_slices_give_the_same_bits(threads, monkeypatch):
    net = Network([Dense(65, "relu"), BatchNorm(), Dense(3, "softmax")], inputs=9)
    X, y = np.random.default_rng(0).normal(size=(5003, 9)), np.random.default_rng(1).integers(3, size=5003)
    weights = np.linspace(0, 1, 5003)
    whole = net.forward(X, threads=threads), net.evaluate(X, y, sample_weight=weights, threads=threads)
    monkeypatch.setattr(forward, "SLICE_FLOPS", 1)
    np.testing.assert_array_equal(net.forward(X, threads=threads), whole[0])
    assert net.evaluate(X, y, sample_weight=weights, threads=threads) == whole[1]


def test_nan_is_found_in_any_slice(monkeypatch):
    monkeypatch.setattr("fastnn.kernels.elementwise.finite.SLICE", 10)
    net, X = Network([Dense(2)], inputs=3), np.ones((41, 3))
    net.evaluate(X, np.ones((41, 2)))
    for row in (0, 3, 20, 40):
        broken = X.copy()
        broken[row, 1] = np.nan
        with pytest.raises(ValueError, match=rf"nan at \({row}, 1\)"):
            net.evaluate(broken, np.ones((41, 2)))
