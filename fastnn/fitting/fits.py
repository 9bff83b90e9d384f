"""What the fits of a network hand on to one another."""

import weakref

from ..checks import shown
from ..kernels.optimizers import Optimizer, optimizers
from ..runtime.time_slices import Pace
from .optimizer_state import OptimizerState


class Fits:
    """The fits of a network: where the last one stands, and what a further one goes on with.

    Attributes
    ----------
    last : FitState or None
        Where the last fit stands, or the one that runs; None before the first.
    by_name : dict of str to Optimizer
        The optimizers that fits were given by name, such as "adam".
    optimizer_states : mapping of Optimizer to OptimizerState
        What each optimizer remembers, as long as someone keeps the optimizer.
    paces : dict
        How fast batches of a size go with so many threads.
    """

    def __init__(self, size, dtype):
        self.size, self.dtype, self.last = size, dtype, None
        self.by_name, self.optimizer_states, self.paces = {}, weakref.WeakKeyDictionary(), {}

    def optimizer(self, given):
        """The optimizer that a caller means: itself, or the one of this name."""
        if isinstance(given, str):
            kind = optimizers.resolve(given)
            return self.by_name.setdefault(given, kind())
        if not isinstance(given, Optimizer):
            raise ValueError(f"optimizer is {shown(given)}; give an optimizer such as Adam(learning_rate=1e-3), or one of "
                             f"{', '.join(map(repr, optimizers))}")
        return given

    def optimizer_state(self, optimizer):
        """What the optimizer remembers of this network."""
        if optimizer not in self.optimizer_states:
            self.optimizer_states[optimizer] = OptimizerState(optimizer, self.size, self.dtype)
        return self.optimizer_states[optimizer]

    def pace(self, batch, threads):
        """How fast batches of this size go, as far as earlier fits have found out."""
        return self.paces.setdefault((batch, threads), Pace())
