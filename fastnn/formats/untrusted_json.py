"""Untrusted JSON: unique keys, finite numbers, valid Unicode, and bounded memory.

Objects take up to about thirty times the memory of their text ("[],[],[],…"). So before a text is parsed, the memory of its
objects is estimated from its brackets, commas and colons, and the text is refused if that exceeds `MEMORY`.
"""

import json
import math

MEMORY = 16 * 2**20  # largest memory in bytes of the objects of one text, without the characters of its strings
OPENING, BETWEEN = 200, 100  # upper bounds: bytes for an opening bracket; for a comma or colon with its neighbor


def to_text(value, *, special=False):
    """Return `value` as JSON; special: allow NaN and infinity. Raise ValueError for anything that `from_text` refuses."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=special)
    text.encode()  # raises an error for lone surrogates, which a file cannot hold
    check_memory(text)
    return text


def from_text(text, *, special=False):
    """Invert `to_text`; raise ValueError or RecursionError for any other text."""
    check_memory(text)
    value = (LENIENT if special else STRICT).decode(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()  # surrogates may be escaped in the text
    return value


def check_memory(text):
    opening, between = text.count("[") + text.count("{"), text.count(",") + text.count(":")
    if OPENING * opening + BETWEEN * between > MEMORY:
        raise ValueError(f"its description has {opening + between:,} parts, more than are read")


def unique(pairs):
    """Return a dict of pairs, and refuse duplicate keys: readers differ in which of two values they use."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("its description has a key twice")
    return made


def finite(digits):
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"its description holds the number {digits:.20}, beyond all floats")
    return number


def refuse(constant):
    raise ValueError(f"its description holds {constant}, which is no number")


STRICT = json.JSONDecoder(object_pairs_hook=unique, parse_float=finite, parse_constant=refuse)
LENIENT = json.JSONDecoder(object_pairs_hook=unique, parse_float=finite)
