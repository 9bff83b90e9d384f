"""Names of columns: conversion to text, and lookup."""

import difflib
import re
from collections.abc import Hashable

from ...checks import shown

SHOWN = 12  # names of columns in an error


def text_name(name):
    """Return the name of a column as in a CSV file: 3 is "3", a date "2024-01-31", and ("a", "b") "a_b"."""
    if isinstance(name, tuple):
        return "_".join(part for part in map(text_name, name) if part)
    if type(name) is str and name == name.strip():
        return name
    return str(name).removesuffix(" 00:00:00").strip()


def check_there(name, names, why=None):
    """Return `name` as text if it is among the names of a table's columns, which may be numbers; else raise ValueError."""
    texts = [text_name(each) for each in names]
    if isinstance(name, Hashable) and text_name(name) in texts:
        return text_name(name)
    similar = {each.casefold(): each for each in texts}
    near = difflib.get_close_matches(str(name).strip().casefold(), similar, 1)
    some = ", ".join(map(repr, texts[:SHOWN])) + f" and {len(texts) - SHOWN:,} more" * (len(texts) > SHOWN)
    raise ValueError(f"there is no column {shown(name)}{f' ({why})' if why else ''}; "
                     f"{f'did you mean {similar[near[0]]!r}? I' if near else 'i'}t must be one of those that the table "
                     f"has: {some or 'none'}{NO_NAMES if look_like_data(texts) else ''}")


NO_NAMES = "; these look like data: the first line of a file must have the names of the columns"


def look_like_data(texts):
    """Return whether most names of columns are numbers with a decimal point or many digits, as cells of a table are."""
    return 2 * sum(bool(re.fullmatch(r"-?\d*\.\d+", text)) for text in texts) > len(texts) > 0
