"""Threads: how many to use for how much work."""

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

# The least work to give to each of several threads. To share out work takes some 0.3 µs, and twice that for the data to
# cross from core to core, so a part is 5 µs or more.
FLOPS_PER_PART = 800_000  # of a matrix product
NUMBERS_PER_PART = 16_000  # put through an activation
GATHERED_PER_PART = 8_000  # brought from anywhere in memory
# The least work of a training step, some 120 µs, that more than one thread is to share: what a smaller step gains by sharing
# it loses again to data that go back and forth between cores.
FLOPS_PER_STEP = 12_000_000

# Threads that have slept take a while to come: less work than that is left to one thread, unless they are awake.
WAKING = 1e-3  # seconds
AWAKE = 1e-4  # seconds that they stay awake after a call
FLOPS = 5e10  # of a thread in a second, roughly

state = {"last": -math.inf, "forked": False}


class Pool:
    """Threads that work beside the one that calls: as many as have been asked for at a time."""

    def __init__(self):
        self.workers, self.started, self.locks = new_workers(), [], []

    def of(self, count):
        """The address of the workers, of whom there are `count` where the system has so many threads to give."""
        while len(self.started) < count and start_worker(self.workers):
            self.started.append(True)
        return address(self.workers)


pools = [Pool()]


def after_fork():
    """The threads of the parent are not in the child."""
    state["forked"] = state["forked"] or len(pools[0].started) > 0
    pools[0] = Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)


def resolve_threads(threads):
    """How many threads a call may use: `threads`, or all that Numba has been given."""
    if threads is None:
        return 1 if state["forked"] else numba.config.NUMBA_NUM_THREADS
    return whole_number("threads", threads)


def parts(work, per_part, threads):
    """Into how many parts to cut `work`."""
    return 1 if threads == 1 else max(1, min(threads, MOST_PARTS, int(work // per_part)))


def members(threads, flops):
    """How many threads are to share so much work."""
    if flops < WAKING * FLOPS and time.perf_counter() - state["last"] > AWAKE:
        return 1
    return min(threads, numba.config.NUMBA_NUM_THREADS, MOST_PARTS)


def launch(leader, frame, threads, flops):
    """Call the kernel `leader` with a frame, a record in which it finds the address of its team, or 0 for none."""
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
    """Have so many threads call the compiled function at an address with three words, and its number among them."""
    pool, tickets = pools[0], np.zeros(MOST_WORKERS, np.int64)
    try:
        lock = pool.locks.pop()
    except IndexError:
        lock = Lock()
    together_kernel.entry(ANY)(pool.of(count - 1), function, *arguments, count, address(tickets), lock.address)
    pool.locks.append(lock)
