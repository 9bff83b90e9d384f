"""The steps of a fit in slices, between which Python handles progress, callbacks and Ctrl-C."""

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter.batch import shuffle_kernel
from ..program import TrainingProgram
from ..runtime.memory import keep
from .divergence import step_error
from .safe_steps import SafeSteps

SPARE_BYTES = 1 << 20  # largest program that is kept between fits


class Trainer:
    """The steps of a fit: batches of one set of data, in the order of an epoch."""

    program_type = TrainingProgram

    def __init__(self, network, data, state, threads):
        self.network, self.data, self.state, self.threads = network, data, state, threads
        self.optimizer_state = network.fits.optimizer_state(state.optimizer)
        self.optimizer_state.frozen, self.optimizer_state.groups = state.frozen, state.groups
        self.prepare()

    def prepare(self):
        """Allocate the memory for steps: that of an earlier fit of the same kind, or new memory."""
        network, data, state, threads = self.network, self.data, self.state, self.threads
        self.order = np.arange(data.samples) if state.shuffle else data.rows
        given = network, data, state.batch_size, threads, self.optimizer_state, self.order
        self.kind, (kind, self.program) = self.program_type.kind(*given), self.optimizer_state.spare
        self.optimizer_state.spare = None, None
        if kind == self.kind:
            self.program.attach(network, data, self.optimizer_state, self.order)
        else:
            self.program = self.program_type(*given)
        self.steps = SafeSteps(self.program)
        self.pace = network.fits.pace(self.program.batch, threads)
        self.program.totals = state.epoch.totals

    def keep_program(self):
        """Keep the program, if small, for the next fit of the same kind: making one takes as long as a few steps.

        Of a larger one, at most the arena is kept.
        """
        program = self.program
        if program.memory is None:
            return
        if program.nbytes <= SPARE_BYTES:
            program.detach()
            self.optimizer_state.spare = self.kind, program
        else:
            memory, program.memory = program.memory, None
            keep(memory)

    def enter_epoch(self):
        """Prepare the current epoch: its totals and the order of its samples."""
        epoch, random = self.state.epoch, self.network.vectors.random  # the first random word is for shuffling
        self.program.totals = epoch.totals
        if self.state.shuffle:
            random[0] = self.reorder(epoch.random)

    def reorder(self, word):
        """Draw the order of the samples of an epoch from a random word; return the word for the next epoch."""
        after = np.array([word], np.uint64)
        shuffle_kernel(ANY, self.order, len(self.order), after)
        if self.data.rows is not None:
            self.order[:] = self.data.rows[self.order]
        return after[0]

    def train_batches(self, hooks, bar):
        """Train the remaining batches of the epoch, a slice at a time; return whether the epoch is complete."""
        network, program, number = self.network, self.program, self.state.epoch.number
        first = number * program.batches
        while (done := program.done) < program.batches and not network.stop_training:
            hooks.begin(first + done, done)
            if network.stop_training:
                break
            batches = self.pace.next_slice(hooks.batches_until_next(first + done, program.batches - done))
            diverged = self.pace.timed(self.steps.take_steps, done, done + batches)
            if diverged is not None:
                raise step_error(network, program, number, diverged, self.steps.overflowed)
            bar.advance(batches, self.metrics)
            hooks.end(first + done + batches, done + batches - 1, self.metrics)
        return program.done == program.batches

    def metrics(self):
        """Return the metrics of the epoch so far."""
        return self.network.objective.head.report(*self.program.means())
