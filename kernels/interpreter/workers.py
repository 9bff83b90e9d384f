"""Threads that help with a call of compiled code and sleep between calls.

Numba's threading layers are not used: workqueue ends the process when a second Python thread enters it, as a user's `prange`
may; GNU OpenMP ends a forked child that enters it; and their settings belong to the user.

A worker never leaves compiled code. Its `state` holds a ticket, which increases with each call, and in the lowest bits a
phase:

    FREE      awake, waiting for a call
    ASLEEP    asleep, or about to be: the caller has to wake it
    CLAIMED   a caller writes the arguments of the call
    CALLED    the worker may begin
    AT_WORK   the worker has begun
    AWAITED   the worker has begun, and has to wake its caller at the end

A worker computes in the floating-point mode of its caller, so that no bit depends on which thread computes it.

The caller does its own share, takes back the calls of workers that have not begun by then, and waits for the others. So it
does not wait for a thread that wakes late. All of this is compiled code, so no Python exception can interrupt it.
"""

import _thread
import ctypes
import os

from numba import types

from ..compiling.jit import ANY, Kernel, call_at, integers, jit, view
from ..compiling.objects import address
from ..compiling.record import SHARED, Record, zeros
from ..processor.atomics import exchange, increase, load, pause, store
from ..processor.floating_point_mode import floating_point_mode, set_floating_point_mode

MOST_WORKERS = 31
ABSENT, FREE, ASLEEP, CLAIMED, CALLED, AT_WORK, AWAITED = range(7)
PHASE, TICKET = 7, 8  # the bits of the phase, and the difference between two tickets
# The locks in which a worker waits for a call and its caller waits for the worker; the function to call, its three integer
# arguments and its number; the floating-point mode of the caller; and the state.
WORKER = Record("worker", "wake_lock", "done_lock", "function", "first", "second", "third", "number", "mode", state=SHARED)
# All workers: their number, the address of the first, and addresses of functions of the system.
WORKERS = Record("workers", "first", "acquire", "release", count=SHARED)
WORKER_BYTES, worker_at = WORKER.bytes, WORKER.at
# Number of checks before the thread yields its core at each check: about 20 µs, the duration of many steps.
PATIENCE = 1000
MOST_LOOKS = 3000  # checks before a worker sleeps: about 0.1 ms, longer than the time between two consecutive calls


@jit
def wait(yield_core, looks):
    """Wait between two checks of a state that another thread changes; return the number of checks so far."""
    if looks < PATIENCE:
        pause()
    else:
        call_at(yield_core, ())
    return looks + 1


@jit
def call_workers(workers, phase, function, first, second, third, count, tickets, done_lock):
    """Call up to `count` workers that are in this phase, FREE or ASLEEP, and store their tickets; return their number."""
    called = 0
    for k in range(min(load(workers.count), MOST_WORKERS)):
        if called == count:
            break
        worker = worker_at(workers.first + WORKER_BYTES * k)
        state = load(worker.state)
        ticket = (state & ~PHASE) + TICKET
        if state & PHASE == phase and exchange(worker.state, state, ticket + CLAIMED):
            worker.function, worker.first, worker.second, worker.third = function, first, second, third
            worker.number, worker.done_lock, tickets[k] = count - called, done_lock, ticket
            worker.mode = floating_point_mode()
            called += 1
            store(worker.state, ticket + CALLED)
            if phase == ASLEEP:
                call_at(workers.release, (worker.wake_lock,))
    return called


@jit
def take_back_or_wait(workers, worker, ticket, done_lock):
    """Take back the call with this ticket, or wait for its end if the worker has begun."""
    if exchange(worker.state, ticket + CALLED, ticket + FREE):
        return
    for _ in range(PATIENCE):
        if load(worker.state) != ticket + AT_WORK:
            return
        pause()
    if exchange(worker.state, ticket + AT_WORK, ticket + AWAITED):
        call_at(workers.acquire, (done_lock, 1))


def build_together(dtype):
    def together(workers, function, first, second, third, count, tickets, done_lock):
        """Call a function with three integers and a number: 0 on this thread, the others below `count` on workers.

        tickets: address of MOST_WORKERS zeros. done_lock: a lock that this call alone holds.
        """
        tickets_, wanted = view(integers(tickets), 0, MOST_WORKERS), count - 1
        wanted -= call_workers(workers, FREE, function, first, second, third, wanted, tickets_, done_lock)
        call_workers(workers, ASLEEP, function, first, second, third, wanted, tickets_, done_lock)
        call_at(function, (first, second, third, 0))
        for k in range(MOST_WORKERS):
            if tickets_[k] != 0:
                take_back_or_wait(workers, worker_at(workers.first + WORKER_BYTES * k), tickets_[k], done_lock)

    return together


def build_serve(dtype):
    def serve(workers, wake_lock):
        """Run by every worker, forever, with its own lock, which is held."""
        number = increase(workers.count)
        if number >= MOST_WORKERS:
            return
        worker, looks = worker_at(workers.first + WORKER_BYTES * number), 0
        worker.wake_lock = wake_lock
        store(worker.state, FREE)
        state = load(worker.state)
        while state != ABSENT:  # always true: Numba requires an end
            if state & PHASE == CALLED and exchange(worker.state, state, state - CALLED + AT_WORK):
                set_floating_point_mode(worker.mode)
                call_at(worker.function, (worker.first, worker.second, worker.third, worker.number))
                free, done_lock = state - CALLED + FREE, worker.done_lock
                if not exchange(worker.state, free - FREE + AT_WORK, free):
                    store(worker.state, free)
                    call_at(workers.release, (done_lock,))
                looks = 0
            elif state & PHASE == FREE and looks >= MOST_LOOKS:
                if exchange(worker.state, state, state - FREE + ASLEEP):
                    call_at(workers.acquire, (wake_lock, 1))
                    looks = 0
            else:
                pause()
                looks += 1
            state = load(worker.state)

    return serve


together_kernel = Kernel("together", build_together, lambda dtype: (WORKERS.type(ANY), *[types.intp] * 7),
                         moves_addresses=True)
serve_kernel = Kernel("serve", build_serve, lambda dtype: (WORKERS.type(ANY), types.intp), moves_addresses=True)


def function_address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


def system_yield():
    """Return the address of the system's function that yields the core of the calling thread."""
    return ctypes.windll.kernel32.SwitchToThread if os.name == "nt" else ctypes.CDLL(None).sched_yield


YIELD_CORE = function_address(system_yield())
new_lock = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
take_lock = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))
free_lock = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyThread_free_lock", ctypes.pythonapi))


class Lock:
    """A lock, initially held, that compiled code can acquire and release."""

    def __init__(self):
        self.address = new_lock()
        take_lock(self.address, 1)

    def __del__(self, free_lock=free_lock):
        free_lock(self.address)


def new_workers():
    """Allocate the records of the workers. They are never freed, because workers still run while Python exits."""
    room = zeros(MOST_WORKERS * WORKER.bytes)
    workers = WORKERS.new(first=address(room), acquire=function_address(ctypes.pythonapi.PyThread_acquire_lock),
                          release=function_address(ctypes.pythonapi.PyThread_release_lock))
    keep_forever(room, workers)
    return workers


def keep_forever(*objects):
    for each in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


def start_worker(workers):
    """Start one more worker; return whether the system could start a thread."""
    serve, lock = serve_kernel.entry(ANY), Lock()
    keep_forever(lock)
    try:
        _thread.start_new_thread(serve, (address(workers), lock.address))
    except RuntimeError:
        return False
    return True
