"""Threads: how many to use for how much work, and when none may be used at all."""

import contextlib
import math
import os
import threading
import time

import numba

from ..checks import whole_number
from ..kernels.compiling.jit import ANY
from ..kernels.compiling.objects import address
from ..kernels.interpreter.team import MOST_PARTS, member_kernel, new_team, region_kernel

# The least work to give to each of several threads. To share out work takes some 0.3 µs, and twice that for the data to
# cross from core to core, so a part is 5 µs or more.
FLOPS_PER_PART = 800_000  # of a matrix product
NUMBERS_PER_PART = 16_000  # put through an activation
GATHERED_PER_PART = 8_000  # brought from anywhere in memory
# The least work of a training step, some 120 µs, that more than one thread is to share: what a smaller step gains by sharing
# it loses again to data that go back and forth between cores.
FLOPS_PER_STEP = 12_000_000

# Threads that have slept take up to 0.7 ms to come: less work than that is left to one thread, unless they are awake.
WAKING = 1e-3  # seconds
AWAKE = 1e-4  # seconds that they stay awake after a call
FLOPS = 5e10  # of a thread in a second, roughly

_state = {"forked": False, "last": -math.inf}
_workqueue_lock = threading.Lock()


def _after_fork():
    # the threads of the parent, ours or those of other Numba code, are not in the child, and GNU OpenMP would end a child
    # that asks for them
    with contextlib.suppress(ValueError):  # they were never started
        numba.threading_layer()
        _state["forked"] = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def resolve_threads(threads):
    """How many threads a call may use: `threads`, or all that Numba has been given."""
    if threads is None:
        return 1 if _state["forked"] else numba.config.NUMBA_NUM_THREADS
    return whole_number("threads", threads)


def parts(work, per_part, threads):
    """Into how many parts to cut `work`."""
    return max(1, min(threads, MOST_PARTS, int(work // per_part)))


def members(threads, flops):
    """How many threads are to share so much work."""
    if _state["forked"] or (flops < WAKING * FLOPS and time.perf_counter() - _state["last"] > AWAKE):
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
        _state["last"] = time.perf_counter()


def launch_in_team(leader, frame, count):
    team = new_team()
    frame["team"] = address(team)
    run_region(member_kernel.address(ANY), (address(team), leader.address(ANY), address(frame)), count)


def run_region(function, arguments, count):
    """Have so many threads call the compiled function at an address with three words, and its number among them."""
    region, before = region_kernel.entry(ANY), numba.get_num_threads()
    numba.set_num_threads(count)
    # the workqueue layer ends the process when two threads enter it at once
    guard = _workqueue_lock if numba.threading_layer() == "workqueue" else contextlib.nullcontext()
    try:
        with guard:
            region(function, *arguments, count)
    finally:
        numba.set_num_threads(before)
