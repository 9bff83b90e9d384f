"""Steps that leave every number finite, or are not taken.

Checking all parameters and the optimizer state after each step would take up to a tenth of the step. It is not needed if
gradient and hyperparameters are of ordinary size. Let Σ |g| ≤ SOUND in every step, which `kernels/training/watch.py` checks,
let the hyperparameters be bounded (`fastnn/checks/hyperparameters.py`), and let the slots of the optimizer begin within
SOUND. Then, with S = SOUND,

    slots       a running mean of g stays below 2 S, one of g² below 2 S²; a sum of them over N steps below N S or N S²
    the step    is below 2 S · learning_rate / (1 − 0.99999) / 1e-10 ≤ 2 S · 1e16, which is that of Adam from v = 0
    decay       multiplies a parameter by 1 − learning_rate · weight_decay, from 0 to 1

In float32, with S = 1e13, the sums stay finite for 1e12 steps. A step of 2e29 is less than a hundredth of the distance
between the largest floats, so it overflows none. In float64, with S = 1e100, the margin is larger.

In all other cases (a large but finite gradient, extreme hyperparameters, an optimizer from outside this package) the step is
taken, its result is checked, and the step is undone if it overflowed.
"""

from ..kernels.elementwise.finite import all_finite, all_within
from ..kernels.training.watch import EXACT, LARGE, SOUND


class SafeSteps:
    """The steps of a training program.

    Attributes
    ----------
    overflowed : str or None
        The name of the parameter or state that overflowed in the update at which `take_steps` stopped.
    """

    def __init__(self, program):
        self.program, self.optimizer_state, self.network = program, program.optimizer_state, program.network
        self.sound, self.overflowed = SOUND[program.dtype], None
        self.slots_are_bounded = all_within(self.sound, self.optimizer_state.slots)

    def take_steps(self, first_batch, last_batch):
        """Take the steps of these batches; return None, or the number of the first that would diverge and is not taken."""
        program, batch, self.overflowed = self.program, first_batch, None
        while batch < last_batch:
            bounded = self.optimizer_state.refresh(last_batch - batch)
            if not (bounded and self.slots_are_bounded):
                return self.take_checked_steps(batch, last_batch)
            stopped = program.run_batches(batch, last_batch)
            if stopped is None or program.found[LARGE] == 0 or self.take_checked_steps(stopped, stopped + 1) is not None:
                return stopped
            batch = stopped + 1
        return None

    def take_checked_steps(self, first_batch, last_batch):
        """As `take_steps`, checking the result. If it is not finite, the steps are repeated one by one up to the fault."""
        program, good = self.program, False
        arrays = [*self.network.vectors.arrays, program.totals, self.optimizer_state.slots, self.optimizer_state.step,
                  *program.kept_arrays]
        before = [array.copy() for array in arrays]
        program.limit[0] = EXACT
        try:
            self.optimizer_state.refresh(last_batch - first_batch)
            stopped = program.run_batches(first_batch, last_batch)
            self.overflowed = None if stopped == first_batch else self.not_finite()
            good = self.overflowed is None and (stopped is None or not program.changes_when_stopped)
        finally:  # also after Ctrl-C
            program.limit[0] = self.sound
            if not good:
                try:
                    restore_arrays(arrays, before)
                except BaseException:  # Ctrl-C during the repetition
                    restore_arrays(arrays, before)
                    raise
        if good:
            self.slots_are_bounded = all_within(self.sound, self.optimizer_state.slots)
            return stopped
        if last_batch - first_batch == 1:
            return first_batch
        outcomes = (self.take_checked_steps(batch, batch + 1) for batch in range(first_batch, last_batch))
        return next((stopped for stopped in outcomes if stopped is not None), None)

    def not_finite(self):
        """Return the name of the first parameter, or state, that is not finite or has such slots."""
        split, size = self.network.vectors.parameters.split, self.network.vectors.parameters.size
        named = [self.network.parameters, *(split(slot[:size]) for slot in self.optimizer_state.slots), self.network.state]
        return next((name for views in named for name, view in views.items() if not all_finite(view)), None)


def restore_arrays(arrays, before):
    for array, copy in zip(arrays, before, strict=True):
        array[...] = copy
