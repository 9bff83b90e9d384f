"""Columns and targets as plain data and back. A file is not trusted: each field of a dataclass carries its check."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields

import numpy as np

from ..checks import real_number, several, shown
from ..checks.single import above, number


def to_config(described):
    """Return a column or a target as plain data, without optional fields at their defaults, for earlier versions."""
    if hasattr(described, "config"):
        return described.config()
    left_out = {each.name for each in fields(described)
                if each.metadata.get("optional") and getattr(described, each.name) == each.default}
    return {"kind": described.kind, **{name: value for name, value in asdict(described).items() if name not in left_out}}


def from_config(kinds, config):
    """Return the object of one of `kinds`, dataclasses by name, from the result of `to_config`."""
    known = isinstance(config, Mapping) and config.get("kind")
    if not isinstance(known, str) or known not in kinds:
        raise ValueError(f"it holds {shown(config)}; it must hold dicts whose 'kind' is {' or '.join(map(repr, kinds))}")
    kind, given = kinds[config["kind"]], {name: value for name, value in config.items() if name != "kind"}
    checks = {field.name: field.metadata["check"] for field in fields(kind)}
    optional = {field.name for field in fields(kind) if field.metadata.get("optional")}
    if not checks.keys() - optional <= given.keys() <= checks.keys():
        raise ValueError(f"{known!r} must have {', '.join(checks)}; this one has {shown([*given])}")
    return kind(**{name: checks[name](name, value) for name, value in given.items()})


def finite(where, value):
    """Return a finite Python number."""
    if type(value) not in (int, float) or not math.isfinite(real_number(value)):
        raise ValueError(f"{where} is {shown(value)}; it must be a finite number")
    return float(value)


def positive(where, value):
    """Return a finite Python number above 0."""
    if finite(where, value) <= 0:
        raise ValueError(f"{where} is {shown(value)}; it must be above 0")
    return float(value)


deviations = number(above(0.0), math.inf, "a number of standard deviations above 0, infinity, or 'auto'")


def word(where, value):
    """Return a text or an integer: tables made from arrays have such names, and targets such labels."""
    if type(value) not in (str, int):
        raise ValueError(f"{where} is {shown(value)}; it must be text")
    return value


def words(where, values):
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {shown(values)}; it must be a list of texts")
    return tuple(word(where, value) for value in values)


def marks(where, values):
    """Return the list of missing values: texts and Python numbers."""
    found = tuple(value.item() if isinstance(value, np.generic) else value for value in several(where, values))
    for value in found:
        if type(value) is not str and not math.isfinite(real_number(value)):
            raise ValueError(f"{where} holds {shown(value)}; it must hold texts and finite numbers (an empty cell, None "
                             "and NaN are missing anyway)")
    return found


def different_words(where, values):
    found = words(where, values)
    if len(set(found)) != len(found):
        raise ValueError(f"{where} has a text twice")
    return found
