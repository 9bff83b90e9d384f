"""An exception that a signal handler raises at any moment, as for a time limit: work can be continued, and nothing is lost.

`test_exception_at_any_place.py` tests all places of Python code; here the signal may also come while compiled code runs.

FASTNN_TEST_SEED and FASTNN_TEST_CASES set the moments and their number.
"""

import os
import random
import signal
import time

import numpy as np
import pytest
from process_state import first_weights, process_settings, results_digest

from fastnn import BatchNorm, Dense, Network, Population

CASES = int(os.environ.get("FASTNN_TEST_CASES", "100"))
pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers on this platform")

numbers = np.random.default_rng(0)
X, Y = numbers.normal(size=(2000, 9)), np.arange(2000) % 3


class TimeIsUp(Exception):
    pass


@pytest.fixture
def within():
    """Return a function that calls `work` and raises TimeIsUp at a random moment before the given seconds."""
    moments = random.Random(int(os.environ.get("FASTNN_TEST_SEED", "0")))

    digest, weights, settings = results_digest(), first_weights(), process_settings()  # results_digest imports SciPy

    def time_is_up(*_):
        raise TimeIsUp

    def do(work, seconds):
        try:
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-4, seconds))
            work()
            signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeIsUp:
            assert first_weights() == weights  # of a new network
            assert process_settings() == settings
            return True
        return False

    before = signal.signal(signal.SIGALRM, time_is_up)
    yield do
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    assert results_digest() == digest


def network(seed=0):
    return Network([Dense(33, "relu"), BatchNorm(), Dense(3, "softmax")], inputs=9, seed=seed)


def population():
    return Population([network(seed) for seed in range(3)])


def bits(net):
    return [view.tobytes() for view in (*net.parameters.values(), *net.state.values())]


def seconds_of(work):
    work()  # loads the kernels
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def networks_of(one):
    return one.networks if isinstance(one, Population) else [one]


@pytest.mark.parametrize("make", [network, population])
def test_resumed_fit_gives_the_same_bits(make, within):
    def fit(one, **options):
        one.fit(X, Y, epochs=5, progress=False, **options)

    expected = make()
    fit(expected)
    seconds = seconds_of(lambda: fit(make()))
    for _ in range(CASES):
        one = make()
        if within(lambda one=one: fit(one), seconds) and all(net.history is not None for net in networks_of(one)):
            fit(one, resume=True)
            assert [bits(net) for net in networks_of(one)] == [bits(net) for net in networks_of(expected)]
        else:
            fit(one)


def test_files_are_complete(within, tmp_path):
    net, path = network(), tmp_path / "net.safetensors"
    net.save(path)
    whole, seconds = path.read_bytes(), seconds_of(lambda: net.save(path))
    for _ in range(CASES):
        within(lambda: net.save(path), seconds)
        assert path.read_bytes() == whole
        within(lambda: Network.load(path), seconds)
        net.save(path)
        assert os.listdir(tmp_path) == [path.name]


def test_predictions_after_an_exception(within):
    net, many = network(), np.tile(X, (20, 1))
    expected = net.forward(many)
    seconds = seconds_of(lambda: net.forward(many))
    for _ in range(CASES):
        within(lambda: net.forward(many), seconds)
        assert np.array_equal(net.forward(many[:300]), expected[:300])
    assert np.array_equal(net.forward(many), expected)
