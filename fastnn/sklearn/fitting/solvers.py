"""Solvers: the optimizer that an estimator's parameters describe, and what moves its learning rate between epochs."""

import copy
from dataclasses import fields

import numpy as np

from ...kernels.optimizers import Optimizer, optimizers
from ...kernels.optimizers.adam import AdamHat
from ...kernels.optimizers.sgd import SGD

LEAST_RATE = 1e-6  # below it "adaptive" gives up
CLIPPING = "clip_norm", "clip_value"


def is_stochastic(solver):
    return not (isinstance(solver, str) and solver == "lbfgs")


def make_optimizer(estimator):
    """A new optimizer: a copy of the one given, or one of the kind named, with the estimator's parameters."""
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
    """The learning rate of an optimizer at work on a network, moved as the estimator's `learning_rate` says."""

    def __init__(self, estimator, network, optimizer):
        self.schedule, self.power = estimator.learning_rate, estimator.power_t
        given = isinstance(estimator.solver, Optimizer)
        self.initial = estimator.solver.learning_rate if given else estimator.learning_rate_init
        self.network, self.optimizer = network, optimizer
        if callable(self.initial) and self.schedule in ("invscaling", "adaptive"):
            raise ValueError(f"learning_rate is {self.schedule!r}, but {estimator.solver!r} has a schedule of its own; "
                             "leave one of them constant")

    def end_epoch(self, samples):
        """After so many samples in all."""
        if self.schedule == "invscaling":
            self.change(self.initial / (samples + 1) ** self.power)

    def lower(self):
        """Divide it by 5 if it is "adaptive" and there is room; returns whether."""
        if self.schedule != "adaptive" or self.optimizer.learning_rate <= LEAST_RATE:
            return False
        self.change(self.optimizer.learning_rate / 5)
        return True

    def change(self, rate):
        if type(self.optimizer) is SGD:
            # scikit-learn's velocity has the rate of its time in it, ours is multiplied by the rate of the day
            velocity = self.network.fits.optimizer_state(self.optimizer).slots[0]
            velocity *= np.asarray(self.optimizer.learning_rate / rate, velocity.dtype)
        self.optimizer.learning_rate = rate
