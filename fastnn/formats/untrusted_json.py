"""JSON that is not trusted: every key once, every number finite, every text of real characters, and bounded memory.

Objects take up to some thirty times the memory of the text that describes them ("[],[],[],…"). So before a text is parsed,
what it may become is reckoned from its brackets, commas and colons, and refused where that is more than `MEMORY`.
"""

import json
import math

MEMORY = 16 * 2**20  # bytes that the objects made of one text may take, characters of its strings aside
OPENING, BETWEEN = 200, 100  # at most so many for an opening bracket; for a comma or colon with what stands beside it


def to_text(value, *, special=False):
    """`value` as JSON; special: NaN and infinities may be in it. ValueError for what `from_text` would refuse."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=special)
    text.encode()  # half a character, as a lone surrogate is, cannot stand in a file
    check_memory(text)
    return text


def from_text(text, *, special=False):
    """The reverse of `to_text`; ValueError or RecursionError for whatever else is in the text."""
    check_memory(text)
    value = (LENIENT if special else STRICT).decode(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()  # surrogates may be written in escapes
    return value


def check_memory(text):
    opening, between = text.count("[") + text.count("{"), text.count(",") + text.count(":")
    if OPENING * opening + BETWEEN * between > MEMORY:
        raise ValueError(f"its description has {opening + between:,} parts, more than are read")


def unique(pairs):
    """A dict of pairs of which no two have one key: readers differ in which of the two they take."""
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
