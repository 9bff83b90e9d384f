"""Threads: how many are used for how much work."""

import math
import os
import time

import numba
import numpy as np

from ..checks import whole_number
from ..kernels.compiling.jit import ANY
from ..kernels.compiling.objects import address
from ..kernels.interpreter.team import MOST_PARTS, member_kernel, new_team
from ..kernels.interpreter.workers import MOST_WORKERS, Lock, new_workers, start_worker, together_kernel

# The smallest work for each of several threads. Distributing work takes about 0.3 µs, and twice that for the data to move
# from core to core, so a part takes at least 5 µs.
FLOPS_PER_PART = 800_000  # of a matrix product
NUMBERS_PER_PART = 16_000  # elements of an activation
GATHERED_PER_PART = 8_000  # elements gathered from memory
NUMBERS_A_STATE = 40  # a state of a step of connectionist temporal classification takes the time of so many elements
# The smallest work of a training step, about 120 µs, that several threads share: a smaller step gains less than it loses to
# data that move between cores.
FLOPS_PER_STEP = 12_000_000

# Sleeping threads take a while to wake, so less work than this is done by one thread unless the others are awake.
WAKING = 1e-3  # seconds
AWAKE = 1e-4  # seconds that they stay awake after a call
FLOPS = 5e10  # rough speed of a thread, per second

state = {"last": -math.inf, "forked": False}


class Pool:
    """Threads that help the calling thread; their number is the largest requested so far."""

    def __init__(self):
        self.workers, self.started, self.locks = new_workers(), [], []

    def of(self, count):
        """Return the address of the workers, after starting threads up to `count` if the system allows it."""
        while len(self.started) < count and start_worker(self.workers):
            self.started.append(True)
        return address(self.workers)


pools = [Pool()]


def after_fork():
    """Reset the pool, because the parent's threads do not exist in the child."""
    state["forked"] = state["forked"] or len(pools[0].started) > 0
    pools[0] = Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)


def resolve_threads(threads):
    """Return the number of threads that a call may use: `threads`, or Numba's number."""
    if threads is None:
        return 1 if state["forked"] else numba.config.NUMBA_NUM_THREADS
    return whole_number("threads", threads)


def parts(work, per_part, threads):
    """Return the number of parts of `work`."""
    return 1 if threads == 1 else max(1, min(threads, MOST_PARTS, int(work // per_part)))


def members(threads, flops):
    """Return the number of threads for that much work."""
    if flops < WAKING * FLOPS and time.perf_counter() - state["last"] > AWAKE:
        return 1
    return min(threads, numba.config.NUMBA_NUM_THREADS, MOST_PARTS)


def launch(leader, frame, threads, flops):
    """Call the kernel `leader` with a frame, a record that receives the address of its team, or 0 for none."""
    count = 1 if threads == 1 else members(threads, flops)
    if count == 1:
        frame["team"] = 0
        leader.entry(ANY)(address(frame))
    else:
        launch_in_team(leader, frame, count)
    if threads > 1:
        state["last"] = time.perf_counter()


def launch_in_team(leader, frame, count):
    team = new_team()
    frame["team"] = address(team)
    run_together(member_kernel.address(ANY), (address(team), leader.address(ANY), address(frame)), count)


def run_together(function, arguments, count):
    """Call the compiled function at an address on `count` threads, with three integers and the number of the thread."""
    pool, tickets = pools[0], np.zeros(MOST_WORKERS, np.int64)
    try:
        lock = pool.locks.pop()
    except IndexError:
        lock = Lock()
    together_kernel.entry(ANY)(pool.of(count - 1), function, *arguments, count, address(tickets), lock.address)
    pool.locks.append(lock)
