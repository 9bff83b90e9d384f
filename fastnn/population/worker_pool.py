"""Threads that run tasks of many members in one compiled call."""

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.training import population as kernel
from ..program import address
from ..runtime.memory import aligned
from ..runtime.threads import members, run_together
from ..runtime.time_slices import SLICE


class WorkerPool:
    """Threads with the memory to run any of these tasks, and their queue."""

    def __init__(self, tasks, threads):
        self.threads = threads = members(threads, np.inf)
        arena, gradients, results, samples = np.max([task.sizes for task in tasks], axis=0)
        own = [aligned((threads, -(-int(size) // 64) * 64), np.uint8)
               for size in (arena, gradients, results, 8 * samples)]
        self.own, self.scratch = own, aligned(threads, kernel.SCRATCH.dtype)
        for number in range(threads):
            for name, each in zip(("arena", "gradients", "results", "order"), own, strict=True):
                self.scratch[name][number] = address(each[number])
        self.queue = kernel.new_queue(SLICE)
        self.queue["scratches"] = address(self.scratch)

    def run_tasks(self, tasks):
        """Run the tasks in order, until the time is up or some are done for which others must not wait.

        Returns those that were begun.
        """
        queue, addresses = self.queue, np.array([task.address for task in tasks])
        queue["next"] = queue["finished"] = queue["stop"] = 0
        queue["tasks"], queue["members"] = len(tasks), address(addresses)
        threads = min(self.threads, len(tasks))
        if threads == 1:
            kernel.worker_kernel.entry(ANY)(address(queue), 0, 0, 0)
        else:
            run_together(kernel.worker_kernel.address(ANY), (address(queue), 0, 0), threads)
        return tasks[:int(queue["next"])]
