"""How a text becomes words or characters, and a text again."""

import re
import unicodedata
from functools import cache
from itertools import chain

UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # what is shown for an unknown token; in a text, it is an unknown token
SPLITS = {"words": lambda text: word_pattern().findall(text), "characters": list}
JOINTS = {"words": " ", "characters": ""}


def normalized(text, lowercase):
    """Return a text in Unicode's form NFC, in which an accented letter is one character; lowercase: in small letters."""
    text = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", text.lower()) if lowercase else text  # small letters may have an accent more


@cache
def word_pattern():
    """Return the pattern of a word: don't is one, and a punctuation mark by itself.

    Python's \\w leaves out the vowel signs and accents that many scripts write as characters of their own, and the joiners
    between letters.
    """
    marks = "".join(map(chr, (code for code in chain(range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # all there are
                              if unicodedata.category(chr(code))[0] == "M")))
    letter = rf"[\w{marks}\u200c\u200d]"
    return re.compile(rf"{letter}+(?:['’]{letter}+)*|[^\w\s]")
