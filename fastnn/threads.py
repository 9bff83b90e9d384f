"""Threads: how many to use for how much work, and when none may be used at all."""

import contextlib
import os
import threading

import numba

from .checks import whole_number
from .kernels.interpreter import parallel_kernel
from .kernels.jit import ANY

# The least work to give to each of several threads. Entering a parallel region takes 1 to 2 µs, so a part is 5 µs or more.
FLOPS_PER_PART = 800_000  # of a matrix product
NUMBERS_PER_PART = 64_000  # moved, or put through an activation
UPDATES_PER_PART = 16_000  # of parameters, by an optimizer

_state = {"forked": False}
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
    return max(1, min(threads, int(work // per_part)))


@contextlib.contextmanager
def parallel_region(threads):
    """The address of the parallel loop to hand to the kernels, or 0 for serial work, with Numba's threads set for it."""
    if threads == 1 or _state["forked"]:
        yield 0
        return
    address = parallel_kernel.address(ANY)
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    # the workqueue layer ends the process when two threads enter it at once
    guard = _workqueue_lock if numba.threading_layer() == "workqueue" else contextlib.nullcontext()
    try:
        with guard:
            yield address
    finally:
        numba.set_num_threads(before)
