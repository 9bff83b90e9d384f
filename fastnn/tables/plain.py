"""Columns and targets as plain data and back. A file is not trusted: each field is held against its annotation."""

import math
from dataclasses import asdict, fields

from ..checks import true_or_false


def to_config(described):
    """A column or a target as plain data."""
    return {"kind": described.kind, **asdict(described)}


def from_config(kinds, config):
    """What `to_config` described: one of `kinds`, dataclasses by name."""
    kind, given = kinds[config["kind"]], {name: value for name, value in config.items() if name != "kind"}
    types = {field.name: field.type for field in fields(kind)}
    if given.keys() != types.keys():
        raise ValueError(f"a column of {config['kind']} has {', '.join(types)}; this one has {', '.join(given)}")
    return kind(**{name: CHECKS[types[name]](name, value) for name, value in given.items()})


def number(where, value):
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{where} is {value!r}; it must be a finite number")
    if where in ("scale", "limit") and value <= 0:
        raise ValueError(f"{where} is {value!r}; it must be above 0")
    return float(value)


def word(where, value):
    """A text, or a whole number: tables made of arrays have such names, targets such labels."""
    if type(value) not in (str, int):
        raise ValueError(f"{where} is {value!r}; it must be text")
    return value


def words(where, values):
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where} is {values!r}; it must be a list of texts")
    return tuple(word(where, value) for value in values)


def different_words(where, values):
    found = words(where, values)
    if len(set(found)) != len(found):
        raise ValueError(f"{where} has a text twice")
    return found


CHECKS = {str: word, float: number, bool: true_or_false, tuple: different_words}
