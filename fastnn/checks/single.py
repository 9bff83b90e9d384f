"""Checks of single values, and how they are put together.

A check takes where a value was given and the value. It returns the value as it is used, or raises an error that names the
repair. A field of a dataclass carries its check:

    epochs: int | None = checked(or_none(whole_number), default=None)
"""

import math
from dataclasses import MISSING, field, fields

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


def number(low, high, says):
    """A check of numbers from `low` to `high`, both included; `says` ends the sentence "it must be …"."""

    def check(where, value):
        found = real_number(value)
        if not low <= found <= high or (math.isinf(found) and value != found):  # an int too large for a float is no infinity
            raise ValueError(f"{where} is {shown(value)}; it must be {says}")
        return found

    return check


def true_or_false(where, value):
    """`value` as a bool; a word such as "no" is not taken for True."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{where} is {shown(value)}; it must be True or False")
    return bool(value)


def above(low):
    """The least number that is larger than `low`, for a bound that is not included."""
    return math.nextafter(low, math.inf)


def below(high):
    """The largest number that is smaller than `high`, for a bound that is not included."""
    return math.nextafter(high, -math.inf)


share = number(0.0, below(1.0), "a number from 0 up to, but not including, 1")


def unless(exempt, check):
    """A check that takes the values for which `exempt(value)` is true as they are, and checks all others."""
    return lambda where, value: value if exempt(value) else check(where, value)


def or_none(check):
    """A check that takes None too."""
    return unless(lambda value: value is None, check)


def or_word(word, check):
    """A check that takes one word too, such as "auto"."""
    return unless(lambda value: isinstance(value, str) and value == word, check)


def checked(check, *, default=MISSING, **metadata):
    """A field of a dataclass that carries its check."""
    return field(default=default, metadata={"check": check, **metadata})


def check_fields(instance):
    """Check the fields of a frozen dataclass, each as an argument of its class; for `__post_init__`."""
    for each in fields(instance):
        where, value = f"{type(instance).__name__}({each.name}=...)", getattr(instance, each.name)
        object.__setattr__(instance, each.name, each.metadata["check"](where, value))
