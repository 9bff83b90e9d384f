"""Vocabularies in JSON files.

    format       the kind of file, and the version of this format
    split        "words" or "characters"
    lowercase    true or false
    tokens       what tokens 1, 2, 3, … stand for, one behind the other, words with a space between
    sha256       a digest of all other entries, which detects damage

A file is not trusted: it is parsed by `fastnn.formats.untrusted_json`, and what it holds is checked as the arguments of
`Vocabulary` are.
"""

import hashlib
import json
import os

from ..files.networks import LONGEST, PROVOKED, ModelFormatError, open_file
from ..formats.atomic_file import write_whole
from ..formats.untrusted_json import from_text, to_text
from .splitting import JOINTS

FORMAT = "fastnn-vocabulary-1"
KEYS = {"format", "split", "lowercase", "tokens", "sha256"}
LARGEST = 2**30  # bytes of a file that is read


def save(path, tokens, split, lowercase):
    """Write a vocabulary to `path`, atomically."""
    entries = {"format": FORMAT, **described(tokens, split, lowercase)}
    write_whole(path, [to_text(entries | {"sha256": digest(entries)}).encode()])


def load(path, make):
    """Return `make(tokens, split, lowercase=...)` of what the file at `path` holds."""
    with open_file(path) as file:
        try:
            if os.fstat(file.fileno()).st_size > LARGEST:
                raise ValueError("it has more bytes than a vocabulary may")
            tokens, split, lowercase = entries_of(file.read())
            return make(tokens, split, lowercase=lowercase)
        except PROVOKED as error:
            raise ModelFormatError(f"cannot load a vocabulary from {path}: {str(error)[:LONGEST]}; give a file that "
                                   "Vocabulary.save wrote") from error


def described(tokens, split, lowercase):
    """Return a vocabulary as plain data."""
    # one text, because a list of so many has more parts than are read of a file that is not trusted
    return {"split": split, "lowercase": lowercase, "tokens": JOINTS[split].join(tokens)}


def arguments_of(found):
    """Return (tokens, split, lowercase) of what `described` returned."""
    joint, tokens = JOINTS[found["split"]], found["tokens"]
    return (tokens.split(joint) if joint and tokens else list(tokens)), found["split"], found["lowercase"]


def entries_of(payload):
    """Return tokens, split and lowercase of the bytes of a file."""
    found = from_text(payload.decode("utf-8"))
    if not isinstance(found, dict) or found.keys() != KEYS:
        raise ValueError(f"it must be an object with the keys {', '.join(sorted(KEYS))}")
    if found["format"] != FORMAT:
        raise ValueError(f"its format is {str(found['format'])[:40]!r}; this version of fastnn takes {FORMAT!r}")
    written = found.pop("sha256")
    if written != digest(found):
        raise ValueError("it is damaged: its digest does not fit")
    return arguments_of(found)


def digest(entries):
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
