"""Solvers: the optimizer that an estimator's parameters describe, and changes of its learning rate between epochs."""

import copy
from dataclasses import fields

import numpy as np

from ...kernels.optimizers import Optimizer, optimizers
from ...kernels.optimizers.adam import AdamHat
from ...kernels.optimizers.sgd import SGD

LEAST_RATE = 1e-6  # "adaptive" stops below it
CLIPPING = "clip_norm", "clip_value"


def is_stochastic(solver):
    return not (isinstance(solver, str) and solver == "lbfgs")


def make_optimizer(estimator):
    """Return a new optimizer: a copy of the given one, or one of the named kind, with the estimator's parameters."""
    solver = estimator.solver
    schedule = estimator.learning_rate if callable(estimator.learning_rate) else None
    if isinstance(solver, Optimizer):
        optimizer = copy.copy(solver)
    else:
        adam = {"beta1": estimator.beta_1, "beta2": estimator.beta_2, "epsilon": estimator.epsilon}
        sgd = {"momentum": estimator.momentum, "nesterov": bool(estimator.nesterovs_momentum and estimator.momentum > 0)}
        options = {"sgd": sgd, "adam": adam, "adamw": adam}.get(solver, {})
        optimizer = kind_of(solver)(learning_rate=estimator.learning_rate_init, **options)
    if schedule is not None:
        optimizer.learning_rate = schedule
    known = {field.name for field in fields(optimizer)}
    for name in CLIPPING:
        limit = getattr(estimator, name)
        if limit is not None and name not in known:
            raise ValueError(f"{name} is {limit!r}, but {type(optimizer).__name__} has none in this version; leave it out")
        if limit is not None:
            setattr(optimizer, name, limit)
    return optimizer


def kind_of(solver):
    if not (isinstance(solver, str) and solver in optimizers):
        raise ValueError(f"solver is {solver!r}; it must be 'lbfgs', an optimizer such as fastnn.Adam(), or one of "
                         f"{', '.join(map(repr, optimizers))}")
    return AdamHat if solver == "adam" else optimizers[solver]  # scikit-learn's own


class LearningRate:
    """The learning rate of a network's optimizer, changed according to the estimator's `learning_rate`."""

    def __init__(self, estimator, network, optimizer):
        self.schedule, self.power = estimator.learning_rate, estimator.power_t
        given = isinstance(estimator.solver, Optimizer)
        self.initial = estimator.solver.learning_rate if given else estimator.learning_rate_init
        self.network, self.optimizer = network, optimizer
        if callable(self.initial) and self.schedule in ("invscaling", "adaptive"):
            raise ValueError(f"learning_rate is {self.schedule!r}, but {estimator.solver!r} has a schedule of its own; "
                             "leave one of them constant")

    def end_epoch(self, samples):
        """Update the learning rate after that many samples in total."""
        if self.schedule == "invscaling":
            self.change(self.initial / (samples + 1) ** self.power)

    def lower(self):
        """Divide it by 5 if it is "adaptive" and large enough; return whether it was divided."""
        if self.schedule != "adaptive" or self.optimizer.learning_rate <= LEAST_RATE:
            return False
        self.change(self.optimizer.learning_rate / 5)
        return True

    def change(self, rate):
        if type(self.optimizer) is SGD:
            # scikit-learn's velocity contains the rate of each step; here it is multiplied by the current rate
            velocity = self.network.fits.optimizer_state(self.optimizer).slots[0]
            velocity *= np.asarray(self.optimizer.learning_rate / rate, velocity.dtype)
        self.optimizer.learning_rate = rate
