"""Checks of single values, and functions that combine them.

A check takes the place where a value was given, and the value. It returns the value in the form in which it is used, or
raises an error that names the repair. A field of a dataclass carries its check:

    epochs: int | None = checked(or_none(whole_number), default=None)
"""

import math
from dataclasses import MISSING, field, fields

import numpy as np


def shown(value, most=80):
    """Return the repr of a value for an error, on one line and shortened."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # from the caller's own repr, or an int with more digits than Python prints
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[:most - 1]}…"


def real_number(value):
    """Return `value` as a float, infinite for an int too large for one; NaN if it is not a real number."""
    # in Python a bool is an int, and in NumPy a duration is an integer
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def number(low, high, says):
    """Return a check for numbers from `low` to `high`, both included; `says` completes the sentence "it must be …"."""

    def check(where, value):
        found = real_number(value)
        if not low <= found <= high or (math.isinf(found) and value != found):  # a huge int is not infinity
            raise ValueError(f"{where} is {shown(value)}; it must be {says}")
        return found

    return check


def true_or_false(where, value):
    """Return `value` as a bool; a word such as "no" does not count as True."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{where} is {shown(value)}; it must be True or False")
    return bool(value)


def above(low):
    """Return the smallest number larger than `low`, for an exclusive bound."""
    return math.nextafter(low, math.inf)


def below(high):
    """Return the largest number smaller than `high`, for an exclusive bound."""
    return math.nextafter(high, -math.inf)


share = number(0.0, below(1.0), "a number from 0 up to, but not including, 1")


def unless(exempt, check):
    """Return a check that accepts values for which `exempt(value)` is true unchanged, and checks all others."""
    return lambda where, value: value if exempt(value) else check(where, value)


def or_none(check):
    """Return a check that also accepts None."""
    return unless(lambda value: value is None, check)


def or_word(word, check):
    """Return a check that also accepts one word, such as "auto"."""
    return unless(lambda value: isinstance(value, str) and value == word, check)


def checked(check, *, default=MISSING, **metadata):
    """Return a field of a dataclass that carries its check."""
    return field(default=default, metadata={"check": check, **metadata})


def check_fields(instance):
    """Check the fields of a frozen dataclass, each as an argument of its class; for `__post_init__`."""
    for each in fields(instance):
        where, value = f"{type(instance).__name__}({each.name}=...)", getattr(instance, each.name)
        object.__setattr__(instance, each.name, each.metadata["check"](where, value))
