"""Learning rates that change from step to step: functions of the number of the step, counted from 1.

Give one to any optimizer in place of its learning rate. A step is a batch, so an epoch has ⌈samples / batch_size⌉ of them.
The steps are those that the optimizer has taken, whatever fits they were in.

Any function of the number of a step will do; those below take arrays of numbers too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import shown, whole_number
from ..checks.hyperparameters import in_unit_interval, not_negative, number_between, optional, positive
from ..checks.single import check_fields, checked
from ..samples.arrays import real_array

BLOCK = 64  # steps: several times the numbers that a vector instruction works on


class Schedule:
    """Base of the schedules. A subclass gives `rates(t)`, the learning rates at the steps t = 0, 1, …, a float array."""

    def __post_init__(self):
        check_fields(self)

    def __call__(self, step: ArrayLike) -> float | NDArray:
        """The learning rate of a step, or of each of an array of them, counted from 1."""
        t = real_array("step", step, np.float64) - 1
        if not np.all(t >= 0):
            raise ValueError(f"step is {shown(step)}; it must be 1 or more, for steps are counted from 1")
        rates = self.rates(np.atleast_1d(t))
        return float(rates[0]) if t.ndim == 0 else rates

    def rates(self, t):
        raise NotImplementedError(f"{type(self).__name__} has no method rates(t)")


def rates(learning_rate, t):
    """The rates of a constant, or of a schedule at t, steps counted from 0."""
    return learning_rate.rates(t) if isinstance(learning_rate, Schedule) else np.full(t.shape, learning_rate)


def rates_ahead(optimizer, first, steps):
    """The learning rates of an optimizer with a schedule in so many steps from step `first` on, float64 (steps,).

    Of a `Schedule` whole blocks are worked out, so that a rate has the same bits whichever steps are asked for with it.
    """
    asked = range(first, first + steps)
    if not isinstance(optimizer.learning_rate, Schedule):
        return np.array([optimizer.rate(step) for step in asked])
    begin, end = (first - 1) // BLOCK * BLOCK + 1, -(-(first + steps - 1) // BLOCK) * BLOCK + 1
    rates = optimizer.learning_rate(np.arange(begin, end))[first - begin:][:steps]
    wrong = np.flatnonzero(~((rates >= 0) & (rates < math.inf)))
    if len(wrong):
        optimizer.rate(asked[wrong[0]])  # which says what is wrong
    return np.ascontiguousarray(rates, np.float64)


def step_count():
    """How many steps, at least one."""
    return checked(whole_number)


def rate_or_schedule(where, value):
    return value if isinstance(value, Schedule) else positive().metadata["check"](where, value)


def fraction(default):
    """What a rate is multiplied by so that it falls."""
    above_1 = math.nextafter(1.0, 2.0)
    return number_between(default, math.nextafter(0.0, 1.0), above_1, "a number above 0 and at most 1")


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply the learning rate by `factor` after every so many steps: α factor^⌊t / every⌋, t = 0 in the first step.

    Parameters
    ----------
    learning_rate : float
        That of the first step.
    every : int
        After how many steps it falls.
    factor : float, default 0.5
        What it is multiplied by, in (0, 1].

    Examples
    --------
    >>> from fastnn import Adam, StepDecay
    >>> [StepDecay(0.1, every=2)(step) for step in (1, 2, 3, 5)]
    [0.1, 0.1, 0.05, 0.025]
    >>> optimizer = Adam(learning_rate=StepDecay(0.001, every=1000, factor=0.1))
    """

    learning_rate: float = positive()
    every: int = step_count()
    factor: float = fraction(0.5)

    def rates(self, t):
        return self.learning_rate * self.factor ** np.floor(t / self.every)


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Let the learning rate fall a little in each step, by `factor` in every so many: α factor^(t / every).

    Parameters
    ----------
    learning_rate : float
        That of the first step.
    every : int
        In how many steps it falls by the factor.
    factor : float, default 0.5
        In (0, 1].

    Examples
    --------
    >>> from fastnn import ExponentialDecay
    >>> [ExponentialDecay(0.8, every=2, factor=0.25)(step) for step in (1, 2, 3)]
    [0.8, 0.4, 0.2]
    """

    learning_rate: float = positive()
    every: int = step_count()
    factor: float = fraction(0.5)

    def rates(self, t):
        return self.learning_rate * self.factor ** (t / self.every)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Let the learning rate fall along half a cosine, and stay at the bottom (Loshchilov and Hutter 2017, no restarts).

    final + (α − final) (1 + cos(π t / steps)) / 2, t up to `steps`.

    Parameters
    ----------
    learning_rate : float
        That of the first step.
    steps : int
        After how many it has fallen.
    final : float, default 0
        What it falls to.

    Examples
    --------
    >>> from fastnn import CosineDecay
    >>> [round(CosineDecay(0.1, steps=100)(step), 3) for step in (1, 26, 51, 101, 1000)]
    [0.1, 0.085, 0.05, 0.0, 0.0]
    """

    learning_rate: float = positive()
    steps: int = step_count()
    final: float = not_negative(0.0)

    def rates(self, t):
        return cosine(self.learning_rate, self.final, t / self.steps)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Let the learning rate rise in a straight line, then do as another schedule says, from its first step on.

    In the first steps it is s / steps of that schedule's first rate, s = 1, 2, …, steps; so none is lost on a rate of zero.

    Parameters
    ----------
    learning_rate : float or schedule
        What comes after.
    steps : int
        How many it takes to rise.

    Examples
    --------
    >>> from fastnn import CosineDecay, WarmUp
    >>> [WarmUp(0.1, steps=4)(step) for step in (1, 2, 4, 5, 100)]
    [0.025, 0.05, 0.1, 0.1, 0.1]
    >>> schedule = WarmUp(CosineDecay(0.1, steps=900), steps=100)
    """

    learning_rate: float | Schedule = field(metadata={"check": rate_or_schedule})
    steps: int = step_count()

    def rates(self, t):
        rising = rates(self.learning_rate, np.zeros_like(t)) * ((t + 1) / self.steps)
        return np.where(t < self.steps, rising, rates(self.learning_rate, np.maximum(t - self.steps, 0)))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise to a high learning rate and fall to a very low one, both along half a cosine (Smith and Topin 2018).

    The momentum is left as it is.

    Parameters
    ----------
    learning_rate : float
        The highest.
    steps : int
        How many the whole cycle has; after it the rate stays.
    rise : float, default 0.3
        For what share of the steps it rises, in [0, 1).
    start : float, optional
        The rate of the first step; default: a 25th of the highest.
    final : float, default 0
        The rate at the end.

    Examples
    --------
    >>> from fastnn import OneCycle
    >>> [round(OneCycle(0.1, steps=100)(step), 4) for step in (1, 16, 31, 66, 101)]
    [0.004, 0.052, 0.1, 0.05, 0.0]
    """

    learning_rate: float = positive()
    steps: int = step_count()
    rise: float = in_unit_interval(0.3)
    start: float | None = optional(not_negative())
    final: float = not_negative(0.0)

    def rates(self, t):
        start, top = self.learning_rate / 25 if self.start is None else self.start, self.rise * self.steps
        falling = cosine(self.learning_rate, self.final, (t - top) / (self.steps - top))
        return np.where(t < top, cosine(start, self.learning_rate, t / max(top, 1.0)), falling)


def cosine(start, end, share):
    """From start to end along half a cosine, at a share from 0 to 1 of the way; outside of it the nearer end."""
    cos = np.cos(np.pi * np.clip(share, 0, 1))
    return start * ((1 + cos) / 2) + end * ((1 - cos) / 2)  # at either end exactly that end
