"""The same seed gives the same bits: in every run, in every process, and in a fork of one that has used threads."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from patience import PATIENCE
from trained_nets import digest

from fastnn import Dense, Network
from fastnn.kernels.compiling.jit import ANY
from fastnn.kernels.interpreter.batch import shuffle_kernel

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(70, 9)), rng.integers(3, size=70)


def network(dtype="float32", seed=5):
    return Network([Dense(65, "tanh"), Dense(17, "relu"), Dense(3, "softmax")], inputs=9, dtype=dtype, seed=seed)


def train(network, **options):
    network.fit(X, Y, **{"epochs": 2, "batch_size": 32, "threads": 1, **options})
    return digest(network)


def trained(dtype="float32", seed=5, **options):
    return train(network(dtype, seed), **options)


@every_dtype
def test_a_seed_fixes_every_bit(dtype):
    assert trained(dtype) == trained(dtype)
    assert trained(dtype) != trained(dtype, seed=6)
    assert digest(network(seed=None)) != digest(network(seed=None))


def test_the_order_of_the_samples_depends_on_the_seed_alone():
    first, second = network(), network(seed=6)
    for name, view in second.parameters.items():
        view[...] = first.parameters[name]
    assert train(first) != train(second)
    assert trained(shuffle=False) != trained(shuffle=True)


def splitmix64(word, count):
    """Return so many numbers of SplitMix64 (Steele, Lea and Flood 2014), and the next word."""
    numbers, most = [], 2**64 - 1
    for _ in range(count):
        word = (word + 0x9E3779B97F4A7C15) & most
        mixed = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & most
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & most
        numbers.append(mixed ^ mixed >> 31)
    return numbers, word


@pytest.mark.parametrize("size", [1, 2, 3, 17, 1000])
@pytest.mark.parametrize("word", [0, 12345, 2**64 - 1])
def test_the_order_is_that_of_fisher_and_yates(size, word):
    order, state = np.empty(size, np.int64), np.array([word], np.uint64)
    shuffle_kernel(ANY, order, size, state)
    expected, (numbers, after) = list(range(size)), splitmix64(word, size - 1)
    for i, number in zip(range(size - 1, 0, -1), numbers, strict=True):
        j = (number >> 32) * (i + 1) >> 32
        expected[i], expected[j] = expected[j], expected[i]
    assert order.tolist() == expected
    assert int(state[0]) == after


def test_another_process_comes_to_the_same_bits():
    script = "import test_reproducible; print(test_reproducible.trained('float32', threads=2))"
    here = os.path.dirname(__file__)
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", script], cwd=here, env=environment, capture_output=True, text=True,
                         check=True)
    assert run.stdout.strip() == trained("float32")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_comes_to_the_same_bits(many_parts):
    threaded = trained(threads=2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(trained, kwds={"threads": 2}).get(timeout=PATIENCE) == threaded
