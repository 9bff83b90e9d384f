"""Workers: each call runs once on its own thread and at most once with each number, and ends only when all have ended."""

import ctypes
import os
import threading
import time

import child
import numpy as np
import pytest
from numba import types
from patience import PATIENCE

from fastnn import Dense, Network
from fastnn.kernels.compiling.jit import ANY, Kernel, call_at, integers, view
from fastnn.kernels.compiling.objects import address
from fastnn.kernels.interpreter import workers
from fastnn.kernels.processor.floating_point_mode import floating_point_mode, set_floating_point_mode
from fastnn.kernels.processor.subnormal import FLUSHED
from fastnn.kernels.processor.target import target
from fastnn.runtime import threads

SEED, CALLS = int(os.environ.get("FASTNN_TEST_SEED", "0")), int(os.environ.get("FASTNN_TEST_CASES", "2000"))


def build_count(dtype):
    def count(begun, ended, rounds, number):
        """Count beginnings and ends, with some work in between."""
        begun_, ended_ = view(integers(begun), 0, 32), view(integers(ended), 0, 32)
        begun_[number] += 1
        for k in range(rounds):
            ended_[number] += k
        for k in range(rounds):
            ended_[number] -= k
        ended_[number] += 1

    return count


count_kernel = Kernel("count_calls", build_count, lambda dtype: (types.intp,) * 4, cached=False, moves_addresses=True)


def call(count, rounds, kernel=count_kernel):
    """Return how often each number has begun and ended, when the call is over and some time later."""
    begun, ended = np.zeros(32, np.int64), np.zeros(32, np.int64)
    threads.run_together(kernel.address(ANY), (address(begun), address(ended), rounds), count)
    return begun, ended, begun.copy(), ended.copy()


@pytest.fixture
def pool(monkeypatch):
    """Return a pool for this test alone."""
    monkeypatch.setattr(threads, "pools", [threads.Pool()])
    return threads.pools[0]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 32])
def test_a_call_is_over_when_it_returns(count, pool):
    rng, kept, helped, deadline = np.random.default_rng(SEED), [], 0, time.monotonic() + PATIENCE
    while len(kept) < CALLS // 5 or (helped == 0 and count > 1 and time.monotonic() < deadline):
        begun, ended, begun_then, ended_then = call(count, int(rng.integers(3000)))
        np.testing.assert_array_equal(begun_then, ended_then)
        assert begun_then[0] == 1
        assert begun_then[1:count].max(initial=0) <= 1
        assert not begun_then[count:].any()
        helped += int(begun_then[1:].sum())
        kept.append((begun, ended, begun_then))
        if rng.random() < 0.02:
            time.sleep(0.001)  # so that they go to sleep
    time.sleep(0.01)
    for begun, ended, then in kept:  # nobody has come later
        np.testing.assert_array_equal(begun, then)
        np.testing.assert_array_equal(ended, then)
    assert (helped > 0) == (count > 1)
    assert len(pool.started) == count - 1


def build_linger(dtype):
    def linger(begun, ended, microseconds, number):
        """Count as above; workers sleep in between, so that callers have to wait for them."""
        begun_, ended_ = view(integers(begun), 0, 32), view(integers(ended), 0, 32)
        begun_[number] += 1
        if number > 0:
            call_at(USLEEP, (microseconds,))
        ended_[number] += 1

    return linger


USLEEP = 0 if os.name == "nt" else workers.function_address(ctypes.CDLL(None).usleep)
linger_kernel = Kernel("linger", build_linger, lambda dtype: (types.intp,) * 4, cached=False, moves_addresses=True)


@pytest.mark.skipif(os.name == "nt", reason="there is no usleep")
@pytest.mark.parametrize("kernel", [count_kernel, linger_kernel])
@pytest.mark.parametrize("most", [2, 5])
def test_many_callers_at_once(most, kernel, pool):
    """More calls than there are workers: each ends only when all its numbers have ended."""
    wrong, helped, deadline = [], [], time.monotonic() + 1

    def go_on(seed):
        rng = np.random.default_rng(seed)
        while time.monotonic() < (deadline if helped else deadline + PATIENCE):
            begun, ended = call(int(rng.integers(2, most + 1)), int(rng.choice([1, 100, 300])), kernel)[2:]
            helped.extend(begun[1:].nonzero()[0][:1])
            if begun[0] != 1 or begun.max() > 1 or (begun != ended).any():
                wrong.append((begun, ended))

    callers = [threading.Thread(target=go_on, args=(SEED + k,)) for k in range(8)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert wrong == []
    assert helped


def build_note_mode(dtype):
    def note_mode(modes, unused, unused_too, number):
        view(integers(modes), 0, 32)[number] = floating_point_mode()

    return note_mode


def build_change_mode(dtype):
    def change_mode(bits):
        set_floating_point_mode(floating_point_mode() | bits)

    return change_mode


note_mode_kernel = Kernel("note_mode", build_note_mode, lambda dtype: (types.intp,) * 4, cached=False, moves_addresses=True)
change_mode_kernel = Kernel("change_mode", build_change_mode, lambda dtype: (types.intp,), cached=False,
                            moves_addresses=True)
MODES = {"x86_64": (FLUSHED, 1 << 13), "aarch64": (1 << 24, 1 << 22), "arm64": (1 << 24, 1 << 22)}


@pytest.mark.skipif(target()[0] not in MODES, reason="the mode is left to the processor here")
@pytest.mark.parametrize("bits", MODES.get(target()[0], ()), ids=["subnormal numbers are 0", "rounds down or up"])
def test_workers_compute_in_the_mode_of_their_caller(bits, pool):
    """A library may change the mode of the thread that loads it; which thread computes a part must not be seen."""
    found = []

    def call_changed():  # in a thread that ends with its mode
        for changed in (0, bits):
            change_mode_kernel(ANY, changed)
            modes, deadline = np.full(32, -1), time.monotonic() + PATIENCE
            while modes[1:].max() < 0 and time.monotonic() < deadline:
                threads.run_together(note_mode_kernel.address(ANY), (address(modes), 0, 0), 3)
            found.append({int(mode) & bits for mode in modes if mode >= 0})

    caller = threading.Thread(target=call_changed)
    caller.start()
    caller.join()
    assert found == [{0}, {bits}]


def test_without_a_thread_to_be_had(pool, monkeypatch):
    def none(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(workers._thread, "start_new_thread", none)
    begun, *_ = call(4, 10)
    assert begun.tolist() == [1] + 31 * [0]
    assert pool.started == []


def test_more_threads_than_there_is_room_for(pool):
    """As after an exception between the start of a thread and its registration."""
    for _ in range(workers.MOST_WORKERS + 2):
        pool.of(1)
        pool.started.clear()
    begun, ended, *_ = call(32, 100)
    assert begun.max() == 1
    np.testing.assert_array_equal(begun, ended)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_workers_of_its_own():
    call(2, 10)
    process = os.fork()
    if process == 0:
        helped = 0
        for _ in range(10_000):
            helped += int(call(2, 1000)[0][1])
        os._exit(0 if helped and threads.resolve_threads(None) == 1 else 1)
    assert os.waitpid(process, 0)[1] == 0


AT_THE_END = """
import atexit, sys
import numpy as np
from fastnn import Dense, Network
from fastnn.runtime import threads
threads.WAKING = 0
net, X = Network([Dense(300, "tanh"), Dense(3)], inputs=50), np.ones((4000, 50), np.float32)
expected = net.forward(X, threads=1)
def predict():
    assert np.array_equal(net.forward(X, threads=2), expected)
predict()
atexit.register(predict)
if len(sys.argv) > 1:
    threads.pools[0] = threads.Pool()
"""


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("last", [[], ["no thread can be started any more"]])
def test_processes_end_with_workers_awake(last, times):
    for _ in range(times):
        assert child.python("-X", "faulthandler", "-c", AT_THE_END, *last).stderr == ""


USE_OF_THREADS = """
import numba
import numpy as np
from fastnn import Dense, Network
from fastnn.runtime import threads
threads.WAKING = 0
Network([Dense(300, "tanh"), Dense(3)], inputs=50).forward(np.ones((4000, 50)), threads=2)
assert threads.pools[0].started
try:
    numba.threading_layer()
except ValueError as error:
    print(error)
"""


def test_numba_keeps_its_threads_for_the_user():
    assert child.python("-c", USE_OF_THREADS, NUMBA_NUM_THREADS=2).stdout == "Threading layer is not initialized.\n"


def test_an_exception_while_workers_are_started(pool, monkeypatch):
    """A worker that is not registered is an additional one; the next call is correct."""
    start, net, X = threads.start_worker, Network([Dense(65, "tanh"), Dense(3)], inputs=9), np.ones((2000, 9), np.float32)
    expected = net.forward(X, threads=1)

    def interrupted(given):
        start(given)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "WAKING", 0)
    monkeypatch.setattr(threads, "start_worker", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.forward(X, threads=2)
    monkeypatch.setattr(threads, "start_worker", start)
    np.testing.assert_array_equal(net.forward(X, threads=2), expected)
