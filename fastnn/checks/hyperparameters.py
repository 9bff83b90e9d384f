"""Hyperparameters of optimizers: fields of a dataclass that check what is assigned to them.

Each kind has a range, `bounded`, far wider than anybody trains with: within it the update of a gradient that is not huge
cannot overflow, as `fastnn.fitting.safe_steps` shows.
"""

import math
from dataclasses import MISSING, field

import numpy as np


def shown(value, most=80):
    """What a value looks like in an error: its repr, on one line and not too long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr of the caller's own, or an int of more digits than Python prints
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most - 1]}…"


def real_number(value):
    """`value` as a float, infinite where it is an int too large for one; NaN if it is no real number of Python or NumPy."""
    # a bool is an int to Python, and a duration an integer to NumPy
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def number_between(default, low, high, says, bounded=None):
    """A number with low ≤ number < high; a default of MISSING makes one that has to be given."""

    def check(where, value):
        number = real_number(value)
        if not low <= number < high:
            raise ValueError(f"{where} is {shown(value)}; it must be {says}")
        return number

    return field(default=default, metadata={"check": check, "bounded": bounded})


def positive(default=MISSING, bounded=(1e-10, 1e10)):
    """A hyperparameter above zero, such as what is added to a divisor."""
    return number_between(default, math.nextafter(0.0, 1.0), math.inf, "a positive, finite number", bounded)


def not_negative(default=MISSING):
    """A hyperparameter of zero or more, such as a decay."""
    return number_between(default, 0.0, math.inf, "a finite number of zero or more", (0.0, 0.1))


def in_unit_interval(default=MISSING):
    """A hyperparameter from 0 up to, but not including, 1: how much of a mean is kept."""
    return number_between(default, 0.0, 1.0, "a number from 0 up to, but not including, 1", (0.0, 0.99999))


def part(default=MISSING):
    """A hyperparameter from 0 to 1, both included: how much of a sum is kept."""
    return number_between(default, 0.0, math.nextafter(1.0, 2.0), "a number from 0 to 1", (0.0, 0.99999))


def flag(default):
    """A hyperparameter that is on or off."""

    def check(where, value):
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{where} is {shown(value)}; it must be True or False")
        return bool(value)

    return field(default=default, metadata={"check": check, "bounded": (0.0, 1.0)})


def unless(exempt, default, hyperparameter):
    """`hyperparameter` with another default, and its check for all values but those that are exempt."""
    given = hyperparameter.metadata["check"]
    return field(default=default,
                 metadata={**hyperparameter.metadata,
                           "check": lambda where, value: value if exempt(value) else given(where, value)})


def rate_or_schedule(default):
    """The learning rate: a positive number, or a function of the number of the step, such as a `fastnn.CosineDecay`."""
    return unless(lambda value: callable(value) and not isinstance(value, type), default, positive(bounded=(0.0, 10.0)))


def optional(hyperparameter):
    """One that may be None, and by default is."""
    return unless(lambda value: value is None, None, hyperparameter)


def limit():
    """A bound on the gradients, by keyword: None for none, or a number above zero. The update does not depend on it."""
    return field(default=None, kw_only=True, metadata={**optional(positive()).metadata, "limit": True})
