"""Hyperparameters of optimizers: fields of a dataclass that check what is assigned to them.

Each kind has a range, `bounded`, far wider than that used in practice. Within it, the update cannot overflow unless the
gradient is huge, as `fastnn.fitting.safe_steps` shows.
"""

import math
from dataclasses import MISSING, field

from . import single
from .single import above, below, checked, number, real_number, shown, true_or_false

__all__ = ["flag", "in_unit_interval", "limit", "not_negative", "number_between", "optional", "part", "positive",
           "rate_or_schedule", "real_number", "shown", "unless"]


def number_between(default, low, high, says, bounded=None):
    """A hyperparameter with low ≤ number < high; with default MISSING, it is required."""
    return checked(number(low, below(high), says), default=default, bounded=bounded)


def positive(default=MISSING, bounded=(1e-10, 1e10)):
    """A hyperparameter above zero, such as a number added to a divisor."""
    return number_between(default, above(0.0), math.inf, "a positive, finite number", bounded)


def not_negative(default=MISSING):
    """A hyperparameter of zero or more, such as a decay."""
    return number_between(default, 0.0, math.inf, "a finite number of zero or more", (0.0, 0.1))


def in_unit_interval(default=MISSING):
    """A hyperparameter in [0, 1): the fraction of a mean that is kept."""
    return number_between(default, 0.0, 1.0, "a number from 0 up to, but not including, 1", (0.0, 0.99999))


def part(default=MISSING):
    """A hyperparameter in [0, 1]: the fraction of a sum that is kept."""
    return number_between(default, 0.0, above(1.0), "a number from 0 to 1", (0.0, 0.99999))


def flag(default):
    """A boolean hyperparameter."""
    return checked(true_or_false, default=default, bounded=(0.0, 1.0))


def unless(exempt, default, hyperparameter):
    """`hyperparameter` with another default, whose check accepts the exempt values."""
    check = single.unless(exempt, hyperparameter.metadata["check"])
    return field(default=default, metadata={**hyperparameter.metadata, "check": check})


def rate_or_schedule(default):
    """The learning rate: a positive number, or a function of the number of the step, such as a `fastnn.CosineDecay`."""
    return unless(lambda value: callable(value) and not isinstance(value, type), default, positive(bounded=(0.0, 10.0)))


def optional(hyperparameter):
    """A hyperparameter that may be None, which is the default."""
    return unless(lambda value: value is None, None, hyperparameter)


def limit():
    """A limit on the gradients, by keyword: None, or a number above zero. The update does not depend on it."""
    return field(default=None, kw_only=True, metadata={**optional(positive()).metadata, "limit": True})
