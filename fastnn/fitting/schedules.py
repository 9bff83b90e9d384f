"""Learning rate schedules: functions of the number of the step, counted from 1.

Pass one to any optimizer in place of its learning rate. A step is a batch, so an epoch has ⌈samples / batch_size⌉ steps. All
steps of the optimizer count, in any fit.

Any function of the step is a schedule; those below also take arrays of steps.
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

BLOCK = 64  # steps: several times the lanes of a vector instruction
AHEAD = 16 * BLOCK  # steps whose rates are read at once where each step is a call


class Schedule:
    """Base class of schedules. A subclass defines `rates(t)`, the learning rates at the steps t = 0, 1, …, a float array."""

    def __post_init__(self):
        check_fields(self)

    def __call__(self, step: ArrayLike) -> float | NDArray:
        """Return the learning rate of a step, or of each step of an array, counted from 1."""
        t = real_array("step", step, np.float64) - 1
        if not np.all(t >= 0):
            raise ValueError(f"step is {shown(step)}; it must be 1 or more, for steps are counted from 1")
        rates = self.rates(np.atleast_1d(t))
        return float(rates[0]) if t.ndim == 0 else rates

    def rates(self, t):
        raise NotImplementedError(f"{type(self).__name__} has no method rates(t)")


def rates(learning_rate, t):
    """Return the rates of a constant or a schedule at t, steps counted from 0."""
    return learning_rate.rates(t) if isinstance(learning_rate, Schedule) else np.full(t.shape, learning_rate)


def rates_ahead(optimizer, first, steps):
    """Return the learning rates of `steps` steps from step `first`, for an optimizer with a schedule, float64 (steps,).

    For a `Schedule` whole blocks are computed, so that a rate has the same bits whichever other steps are computed with it.
    """
    asked = range(first, first + steps)
    if not isinstance(optimizer.learning_rate, Schedule):
        return np.array([optimizer.rate(step) for step in asked])
    begin, end = (first - 1) // BLOCK * BLOCK + 1, -(-(first + steps - 1) // BLOCK) * BLOCK + 1
    rates = optimizer.learning_rate(np.arange(begin, end))[first - begin:][:steps]
    wrong = np.flatnonzero(~((rates >= 0) & (rates < math.inf)))
    if len(wrong):
        optimizer.rate(asked[wrong[0]])  # raises the error
    return np.ascontiguousarray(rates, np.float64)


def steps_ahead(learning_rate, first):
    """Return how many steps from step `first` may have their rates read at once: of other functions, one."""
    return AHEAD - (first - 1) % AHEAD if isinstance(learning_rate, Schedule) else 1


def step_count():
    """A field for a number of steps, at least one."""
    return checked(whole_number)


def rate_or_schedule(where, value):
    return value if isinstance(value, Schedule) else positive().metadata["check"](where, value)


def fraction(default):
    """A field for a factor that reduces a rate."""
    above_1 = math.nextafter(1.0, 2.0)
    return number_between(default, math.nextafter(0.0, 1.0), above_1, "a number above 0 and at most 1")


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply the learning rate by `factor` every `every` steps: α factor^⌊t / every⌋, with t = 0 in the first step.

    Parameters
    ----------
    learning_rate : float
        The rate of the first step.
    every : int
        The number of steps between two reductions.
    factor : float, default 0.5
        In (0, 1].

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
    """Reduce the learning rate in each step, by `factor` in every `every` steps: α factor^(t / every).

    Parameters
    ----------
    learning_rate : float
        The rate of the first step.
    every : int
        The number of steps in which the rate is multiplied by the factor.
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
    """Reduce the learning rate along half a cosine, then keep it (Loshchilov and Hutter 2017, without restarts).

    final + (α − final) (1 + cos(π t / steps)) / 2, for t up to `steps`.

    Parameters
    ----------
    learning_rate : float
        The rate of the first step.
    steps : int
        The number of steps until the final rate.
    final : float, default 0
        The final rate.

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
    """Increase the learning rate linearly, then follow another schedule from its first step.

    In the first steps the rate is s / steps of that schedule's first rate, for s = 1, 2, …, steps. So no step has rate zero.

    Parameters
    ----------
    learning_rate : float or schedule
        The schedule after the warm-up.
    steps : int
        The number of steps of the warm-up.

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
    """Increase the learning rate and reduce it to a very low one, both along half a cosine (Smith and Topin 2018).

    The momentum is not changed.

    Parameters
    ----------
    learning_rate : float
        The highest rate.
    steps : int
        The number of steps of the cycle; after it the rate is constant.
    rise : float, default 0.3
        The fraction of the steps in which it increases, in [0, 1).
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
    """Interpolate from start to end along half a cosine; share in [0, 1] is the position, limited to that interval."""
    cos = np.cos(np.pi * np.clip(share, 0, 1))
    return start * ((1 + cos) / 2) + end * ((1 - cos) / 2)  # exact at both ends
