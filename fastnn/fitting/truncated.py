"""Truncated backpropagation through time: the trainer of a fit by windows of series."""

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter.batch import shuffle_kernel
from ..program.truncated import Carried, TruncatedProgram, carried_memory
from ..samples.series.cut_series import CutSeries
from .safe_steps import SafeSteps
from .trainer import Trainer


class TruncatedTrainer(Trainer):
    """A fit whose gradients go back over at most `backprop_steps` steps (Williams and Peng 1990).

    Its batches are windows of series; states carry over to the next batch, see `fastnn/samples/series/cut_series.py`.
    """

    def prepare(self):
        network, state = self.network, self.state
        self.cut = CutSeries(self.data, state.backprop_steps, state.batch_size)
        self.data, self.order = self.cut.data, self.cut.data.rows.copy()
        if state.carried is None:
            state.carried = carried_memory(network, self.cut.batch)
        self.program = TruncatedProgram(network, self.data, self.cut.batch, self.threads, self.optimizer_state, self.order,
                                        Carried(state.carried, self.cut.begins))
        self.kind, self.optimizer_state.spare = None, (None, None)
        self.steps = SafeSteps(self.program)
        self.pace = network.fits.pace(self.program.batch, self.threads)
        self.program.totals = state.epoch.totals

    def reorder(self, word):
        series, after = np.arange(self.cut.series), np.array([word], np.uint64)
        shuffle_kernel(ANY, series, len(series), after)
        self.order[:] = self.cut.order(series)
        return after[0]

    def keep_program(self):
        """Keep nothing: the program holds addresses of these data."""
