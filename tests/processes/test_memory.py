"""Memory: there are no leaks, and training takes what the documentation says."""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from trained_nets import digest

from fastnn import Adam, BatchNorm, Dense, Dropout, LayerNorm, Network, optimizers
from fastnn.program import TrainingProgram
from fastnn.samples.data import check_data

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that run in processes of their own

LITTLE = 1 << 17  # bytes: objects of Python, tables, the frames of calls


def script(name, *arguments):
    run = subprocess.run([sys.executable, name, *map(str, arguments)], cwd=SUPPORT, capture_output=True,
                         text=True, timeout=1800)
    assert run.returncode == 0, run.stderr
    return run.stdout


def assert_no_growth(cycles):
    warm, end = json.loads(script("cycles.py", cycles))
    assert end["objects"] - warm["objects"] < 100, (warm, end)
    assert end["traced"] - warm["traced"] < LITTLE, (warm, end)
    assert end["resident"] - warm["resident"] < 32 * LITTLE, (warm, end)  # the system gives out and takes back pages


def test_work_over_and_over_keeps_nothing():
    assert_no_growth(700)


@pytest.mark.long
def test_work_over_and_over_keeps_nothing_in_full():
    assert_no_growth(10_000)


# Memory of training


def traced_peak(work):
    """Return the peak of NumPy's and Python's memory during work(), minus that before."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def case(dtype):
    net = Network([Dense(300, "relu"), BatchNorm(), Dropout(0.1), Dense(200, "tanh"), LayerNorm(), Dense(3, "softmax")],
                  inputs=100, dtype=dtype)
    rng = np.random.default_rng(0)
    return net, rng.normal(size=(20_000, 100)).astype(dtype), rng.integers(3, size=20_000)


def pairs():
    """Every optimizer with each dtype, with and without shuffling: each pair of values in some case."""
    for number, (name, optimizer) in enumerate(optimizers.items()):
        for dtype in ("float32", "float64"):
            yield pytest.param(optimizer, dtype, (number + (dtype == "float64")) % 2 == 0, id=f"{name}-{dtype}")


@pytest.mark.parametrize(("optimizer", "dtype", "shuffle"), [*pairs()])
def test_peak_of_training(optimizer, dtype, shuffle):
    """In addition to data and parameters: a gradient, the optimizer's slots, one arena, and 8 bytes a sample each for the
    order and for the labels, which are copied since kernels index by them.
    """
    net, X, y = case(dtype)
    net.fit(X, y, batch_size=64, optimizer=optimizer(), shuffle=shuffle, threads=2)  # kernels are loaded
    arena = TrainingProgram(net, check_data(net, X, y), 64, threads=2).memory.nbytes
    most = (1 + len(optimizer.slots)) * net.vectors.parameters.flat.nbytes + arena + (1 + shuffle) * 8 * len(X)
    taken = traced_peak(lambda: net.fit(X, y, batch_size=64, epochs=2, optimizer=optimizer(), shuffle=shuffle, threads=2))
    assert most - LITTLE <= taken <= most + LITTLE


def test_the_arena_holds_one_batch():
    net, X, y = case("float32")
    arenas = [TrainingProgram(net, check_data(net, X, y), batch, threads=1).memory.nbytes for batch in (64, 128, 256)]
    per_sample = (arenas[2] - arenas[1]) / 128
    assert per_sample == (arenas[1] - arenas[0]) / 64
    assert per_sample <= 4 * (3 * sum(net.widths) + 3)


def test_prediction_and_evaluation_take_no_copy_of_the_data():
    net, X, y = case("float32")
    net.predict(X[:100]), net.evaluate(X[:100], y[:100])
    chunks = 2 * 2 * (1 << 20)  # of each of two threads, and what its smallest size may make of it
    assert traced_peak(lambda: net.forward(X)) <= 4 * 3 * len(X) + chunks
    assert traced_peak(lambda: net.evaluate(X, y)) <= 3 * 8 * len(X) + chunks


def test_predictions_of_all_sizes_keep_few_arenas():
    net, X, _ = case("float32")
    net.predict(X)
    kept = traced_peak(lambda: [net.predict(X[:size], threads=2) for size in range(1, 600)])
    assert kept <= 30 * (1 << 20)
    assert len(net.idle_programs) <= 25


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_DATA counts as it does on Linux")
def test_training_from_a_file_larger_than_the_memory_there_may_be(tmp_path):
    pytest.importorskip("resource")
    import mapped

    path = tmp_path / "X.float32"
    found = script("mapped.py", path, 100).strip()
    assert os.stat(path).st_size == 4 * mapped.SAMPLES * mapped.INPUTS
    net, X = mapped.network(), np.fromfile(path, np.float32).reshape(mapped.SAMPLES, mapped.INPUTS)
    y = np.zeros((len(X), 1), np.float32)
    net.fit(X, y, batch_size=4096, epochs=2, optimizer=Adam(), validation_data=(X[:1000], y[:1000]))
    assert digest(net) == found
