"""Many fits at once: each is a generator of what it wants run; tasks of all run in one compiled call, by several threads."""

import numpy as np

from ..fitting.loop import DivergenceError
from ..kernels.compiling.jit import ANY
from ..kernels.training import population as kernel
from ..program import address
from ..runtime.memory import aligned
from ..runtime.threads import members, run_region
from ..runtime.time_slices import SLICE
from .task import Task


class Fit:
    """One member's fit on its way.

    request: what it wants run next; None when it is over. error: the DivergenceError that ended it, if one did.
    """

    def __init__(self, network, state, steps):
        self.network, self.state, self.steps = network, state, steps
        self.request, self.error = None, None

    def resume(self, outcome=None):
        """Go on with what the request gave, up to the next."""
        self.request = None
        try:
            self.request = self.steps.send(outcome)
        except StopIteration:
            pass
        except DivergenceError as error:
            self.error = error


class WorkerPool:
    """Threads, what each needs to run any of these tasks, and the queue that they take them from."""

    def __init__(self, tasks, threads):
        self.threads = threads = members(threads, np.inf)
        arena, gradients, batch, samples = np.max([task.sizes for task in tasks], axis=0)
        own = [aligned((threads, -(-int(size) // 64) * 64), np.uint8)
               for size in (arena, gradients, 3 * 8 * max(batch, kernel.BLOCK), 8 * samples)]
        self.own, self.scratch = own, aligned(threads, kernel.SCRATCH.dtype)
        for number in range(threads):
            for name, each in zip(("arena", "gradients", "results", "order"), own, strict=True):
                self.scratch[name][number] = address(each[number])
        self.queue = kernel.new_queue(SLICE)
        self.queue["scratches"] = address(self.scratch)

    def run(self, tasks):
        """Run the tasks, the first ones first, until the time is over or some are done that others must not wait for.

        Returns those that were taken up.
        """
        queue, addresses = self.queue, np.array([task.address for task in tasks])
        queue["next"] = queue["finished"] = queue["stop"] = 0
        queue["tasks"], queue["members"] = len(tasks), address(addresses)
        threads = min(self.threads, len(tasks))
        if threads == 1:
            kernel.worker_kernel.entry(ANY)(address(queue), 0, 0, 0)
        else:
            run_region(kernel.worker_kernel.address(ANY), (address(queue), 0, 0), threads)
        return tasks[:int(queue["next"])]


def begin_all(fits, numbers):
    """Bring each to its first request; if one refuses, none has begun. numbers: of the members, to name it."""
    before = [fit.network.fits.last for fit in fits]
    try:
        for number, fit in zip(numbers, fits, strict=True):
            try:
                fit.resume()
            except ValueError as error:
                raise ValueError(f"member {number}: {error}") from error
    except BaseException:
        for fit, state in zip(fits, before, strict=True):
            fit.steps.close()
            fit.network.fits.last = state
        raise


def train_together(fits, threads, bar):
    """Drive all fits, which have begun, to their ends; the caller closes them. bar: shows how many epochs are over."""
    tasks = {fit.request: fit for fit in fits if isinstance(fit.request, Task)}
    others = [fit for fit in fits if fit.request is not None and not isinstance(fit.request, Task)]
    pool = WorkerPool([*tasks], threads) if tasks else None
    queue, epochs = sorted(tasks, key=lambda task: -task.seconds), epochs_of(fits)  # the longest first
    while queue or others:
        for fit in others:  # callbacks look at its batches, or it shuffles in Python
            fit.resume(fit.request())
        others = [fit for fit in others if fit.request is not None]
        if queue:
            queue, left = run_once(pool, queue, tasks)
            others += left
        if bar.bar is not None:
            bar.advance(-(epochs - (epochs := epochs_of(fits))), dict)


def run_once(pool, queue, fits):
    """One call of compiled code; returns the tasks in the order in which they are to go on, and fits that have left them."""
    taken = pool.run(queue)
    waiting = queue[len(taken):]
    unfinished, renewed, left = [], [], []
    for task in taken:
        if not task.done:
            task.take_over()
            unfinished.append(task)
            continue
        fits[task].resume()
        if isinstance(fits[task].request, Task):
            renewed.append(task)
        elif fits[task].request is not None:
            left.append(fits[task])
    going_on = []
    for task in unfinished + waiting:
        if fits[task].network.stop_training:  # somebody else's callback, or another thread, has set it
            fits[task].resume()
        else:
            going_on.append(task)
    return renewed + going_on, left  # who comes back after every epoch goes on before others begin, as the rest do


def epochs_of(fits):
    return sum(fit.state.epoch.number for fit in fits)
