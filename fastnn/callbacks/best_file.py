"""What the file of a best network says of itself: by which metric it is the best, its value, and what it was measured on.

A best is carried from one fit to the next only as far as its file bears it out. So what a callback calls its best is what
the network in the file comes to, whoever has moved or replaced the file in between.
"""

import hashlib
import os

import numpy as np

from ..files.networks import PROVOKED, open_file
from ..formats.safetensors import TensorFile
from ..formats.untrusted_json import from_text, to_text

NAME = "best"  # of the text in the file
ROWS, BYTES = 4096, 2**24  # of data that are looked at to tell whether they are the same: so many rows, spread evenly


def text(record):
    """The record of a best, a dict with its "value", as {name: text} for the metadata of its file."""
    return {NAME: to_text(record, special=True)}


def recorded(path):
    """What the file at `path` says of itself, a dict; None if it says nothing or is damaged."""
    try:
        with open_file(path) as file:
            opened = TensorFile(file, os.fstat(file.fileno()).st_size)
            found = from_text(opened.metadata[NAME], special=True)
            right = isinstance(found, dict) and isinstance(found["value"], float) and not opened.is_damaged()
    except (*PROVOKED, OSError, MemoryError):
        return None
    return found if right else None


def digest(*data):
    """A few letters that tell Data from others; what lies between the rows that it looks at is not seen."""
    sha = hashlib.sha256()
    for each in data:
        if each is None:
            continue
        rows = np.arange(len(each.X)) if each.rows is None else each.rows
        width = each.X.itemsize * (each.X.size // len(each.X))
        most = max(1, min(len(rows), ROWS, BYTES // width))
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
        sha.update(f"{each.samples} {each.X.size // len(each.X)}".encode())
        for array in (each.X, each.targets.labels, each.targets.values, each.weights):
            if array is not None:
                kind = np.float32 if array.dtype.kind == "f" else array.dtype  # whatever the dtype of the network
                with np.errstate(over="ignore"):
                    sha.update(array[rows].astype(kind).tobytes())
    return sha.hexdigest()[:16]
