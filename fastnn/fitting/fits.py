"""The state that the fits of a network share."""

import weakref

from ..checks import shown
from ..kernels.optimizers import Optimizer, optimizers
from ..runtime.time_slices import Pace
from .optimizer_state import OptimizerState


class Fits:
    """The state that the fits of a network share: the last fit and the optimizers.

    Attributes
    ----------
    last : FitState or None
        The state of the last or current fit; None before the first.
    stepper : Stepper or None
        What `train_on_batch` has prepared.
    by_name : dict of str to Optimizer
        The optimizers of fits that were given a name, such as "adam".
    optimizer_states : mapping of Optimizer to OptimizerState
        The state of each optimizer, as long as there are references to the optimizer.
    paces : dict
        The measured speed of batches of a size with a number of threads.
    """

    def __init__(self, size, dtype):
        self.size, self.dtype, self.last, self.stepper = size, dtype, None, None
        self.by_name, self.optimizer_states, self.paces = {}, weakref.WeakKeyDictionary(), {}

    def optimizer(self, given):
        """Return the optimizer, given itself or its name."""
        if isinstance(given, str):
            kind = optimizers.resolve(given)
            return self.by_name.setdefault(kind.name, kind())
        if isinstance(given, type) and issubclass(given, Optimizer):
            raise ValueError(f"optimizer is the class {given.__name__}; give an instance: optimizer={given.__name__}()")
        if not isinstance(given, Optimizer):
            raise ValueError(f"optimizer is {shown(given)}; give an optimizer such as Adam(learning_rate=1e-3), or one of "
                             f"{', '.join(map(repr, optimizers))}")
        return given

    def optimizer_state(self, optimizer):
        """Return the state of the optimizer for this network."""
        state = self.optimizer_states.get(optimizer)
        if state is None:
            state = self.optimizer_states[optimizer] = OptimizerState(optimizer, self.size, self.dtype)
        return state

    def pace(self, batch, threads):
        """Return the Pace of batches of this size, which earlier fits may have measured."""
        return self.paces.setdefault((batch, threads), Pace())
