"""The trainer of a fit whose batches are computed in several passes: `fit(..., accumulate=4)`."""

import numpy as np

from ..program.accumulated import AccumulatedProgram
from .safe_steps import SafeSteps
from .trainer import Trainer


class AccumulatedTrainer(Trainer):
    """A fit whose steps add up the gradients of `accumulate` passes of `batch_size` samples each."""

    def prepare(self):
        network, state, data = self.network, self.state, self.data
        self.order = np.arange(data.samples) if state.shuffle else data.rows
        self.program = AccumulatedProgram(network, data, state.batch_size, self.threads, self.optimizer_state, self.order,
                                          state.accumulate)
        self.order, self.kind, self.optimizer_state.spare = self.program.order, None, (None, None)
        self.steps = CheckedSteps(self.program)
        self.pace = network.fits.pace(self.program.size, self.threads)
        self.program.totals = state.epoch.totals

    def enter_epoch(self):
        super().enter_epoch()
        self.program.share_weights()

    def keep_program(self):
        """Keep nothing: the program holds addresses of its own weights."""


class CheckedSteps(SafeSteps):
    """Steps that are undone if a pass of theirs fails, since the passes before it have changed states of layers."""

    def take_steps(self, first_batch, last_batch):
        for batch in range(first_batch, last_batch):
            if self.take_checked_steps(batch, batch + 1) is not None:
                return batch
        return None
