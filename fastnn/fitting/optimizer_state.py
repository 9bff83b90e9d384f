"""The state of an optimizer for a network, and the rows of its step."""

import weakref

import numpy as np

from ..kernels.training.clear import clear_row
from ..kernels.training.clip import LIMITS, clip_row
from ..kernels.training.update import SCHEDULE, prepare_group_row, prepare_row, update_row
from ..program.base import address
from ..runtime.memory import aligned, block_sums
from .schedules import rates_ahead


class OptimizerState:
    """The state of an optimizer for one network: its slots, with the layout of the parameters, and the step."""

    def __init__(self, optimizer, size, dtype):
        self.optimizer = weakref.ref(optimizer)  # the network keeps this state as long as the optimizer is referenced
        self.size, self.dtype = size, dtype
        stretch = -(-self.size // 64) * 64
        self.slots = aligned((len(optimizer.slots), stretch), dtype)
        self.step, self.coefficients = np.zeros(1, np.int64), aligned(8, dtype)
        self.hyperparameters = optimizer.hyperparameters()
        self.limits, self.norms = LIMITS.new(value=np.inf, norm=np.inf), None  # memory for clipping
        self.rates, self.schedule = None, SCHEDULE.new()
        self.least, self.most = optimizer.bounded()
        self.frozen = ()  # names of parameters and state that the current fit leaves as they are
        self.groups = ()  # those with learning rates and decays of their own in the current fit
        self.memory_of_groups = {}  # {(factor, decay): (hyperparameters, coefficients)}
        self.read = None  # the hyperparameters that were read last, if `train_on_batch` did
        self.spare = None, None  # kind and program of a finished fit, for the next fit of that kind

    def refresh(self, steps):
        """Read changed hyperparameters, for the next `steps` steps; return whether all are bounded."""
        optimizer, first, self.read = self.optimizer(), int(self.step[0]) + 1, None
        self.hyperparameters[:] = optimizer.hyperparameters(first)
        self.limits["value"], self.limits["norm"] = optimizer.limits()
        self.rates = rates_ahead(optimizer, first, steps) if callable(optimizer.learning_rate) else None
        self.schedule["rates"], self.schedule["first"] = address(self.rates), first
        bounded = ((self.least <= self.hyperparameters) & (self.hyperparameters <= self.most)).all()
        if self.rates is None and not self.groups:
            return bool(bounded)
        largest = self.hyperparameters[0] if self.rates is None else self.rates.max()
        return bool(bounded and largest * max([1.0, *(group.factor for group in self.groups)]) <= self.most[0])

    def rows(self, updates, groups, frozen, parts):
        """Return the rows of a step, with an update for each of these matrices.

        groups: [(Group, its matrices)] of parameters whose steps differ. frozen: (start, size) of parameters without an
        update, whose gradients do not count when gradients are clipped. parts: number of parts of operations on all
        gradients.
        """
        optimizer = self.optimizer()
        slots, coefficients = {"state": address(self.slots), "stride": self.slots.shape[1]}, address(self.coefficients)
        rows = [update_row(self.dtype, optimizer, coefficients=coefficients, **slots, **matrix) for matrix in updates]
        for group, matrices in groups:
            rows += self.rows_of_group(optimizer, group, matrices, slots)
        rows.append(prepare_row(self.dtype, optimizer, coefficients=coefficients, step=address(self.step),
                                hyperparameters=address(self.hyperparameters), schedule=address(self.schedule)))
        if optimizer.clips:
            if self.norms is None:  # kept, because the rows of other programs may hold its address
                self.norms = block_sums(self.size)
            rows.append(clip_row(self.dtype, parts, size=self.size, sums=address(self.norms), limits=address(self.limits)))
            rows += [clear_row(self.dtype, start=start, size=size) for start, size in frozen]
        return rows

    def rows_of_group(self, optimizer, group, matrices, slots):
        """Return the rows of a step for parameters with a learning rate or a decay of their own."""
        key = group.factor, group.decay
        if key not in self.memory_of_groups:  # kept, because the rows of other programs may hold its addresses
            self.memory_of_groups[key] = np.zeros_like(self.hyperparameters), np.zeros_like(self.coefficients)
        hyperparameters, coefficients = map(address, self.memory_of_groups[key])
        rows = [update_row(self.dtype, optimizer, coefficients=coefficients, **slots, **matrix) for matrix in matrices]
        return [*rows, prepare_group_row(self.dtype, optimizer, source=address(self.hyperparameters),
                                         hyperparameters=hyperparameters, step=address(self.step),
                                         coefficients=coefficients, factor=group.factor, decay=group.decay)]
