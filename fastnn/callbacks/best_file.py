"""Metadata of a file with a best network: the metric, its value, and a digest of the data it was computed on.

A later fit keeps the best of an earlier one only if the file confirms it. So the best of a callback is always the value of
the network in the file, even if the file was moved or replaced in between.
"""

import hashlib
import os

import numpy as np

from ..files.networks import PROVOKED, open_file
from ..formats.safetensors import TensorFile
from ..formats.untrusted_json import from_text, to_text
from ..runtime.quiet import quiet
from ..samples.series.sequences import Sequences

NAME = "best"  # name of the text in the file
ROWS, BYTES = 4096, 2**24  # size of the sample of the data that is compared: at most so many rows, evenly spaced
SEQUENCES = 64  # the largest number of them that a digest covers


def text(record):
    """Return the record of a best, a dict with its "value", as {name: text} for the metadata of its file."""
    return {NAME: to_text(record, special=True)}


def recorded(path):
    """Return the record in the file at `path`, a dict; None if there is none or it is damaged."""
    try:
        with open_file(path) as file:
            opened = TensorFile(file, os.fstat(file.fileno()).st_size)
            found = from_text(opened.metadata[NAME], special=True)
            right = isinstance(found, dict) and isinstance(found["value"], float) and not opened.is_damaged()
    except (*PROVOKED, OSError, MemoryError):
        return None
    return found if right else None


def digest(*data):
    """Return a short digest of Data. It covers evenly spaced rows, so changes between them are not detected."""
    sha = hashlib.sha256()
    for each in data:
        if each is None:
            continue
        rows = np.arange(len(each.X)) if each.rows is None else each.rows
        if isinstance(each.X, Sequences):
            sha.update(digest_of_sequences(each, rows))
            continue
        width = each.X.itemsize * (each.X.size // len(each.X))
        most = max(1, min(len(rows), ROWS, BYTES // width))
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
        sha.update(f"{each.samples} {each.X.size // len(each.X)}".encode())
        for array in (each.X, each.targets.labels, each.targets.values, each.weights):
            if array is not None:
                kind = np.float32 if array.dtype.kind == "f" else array.dtype  # the same for every dtype of the network
                sha.update(quiet(array[rows].astype, kind, over="ignore").tobytes())
    return sha.hexdigest()[:16]


def digest_of_sequences(data, rows):
    """Return the bytes of a digest of Data whose samples are sequences: of evenly spaced ones."""
    sha = hashlib.sha256(f"{data.samples} {data.X.values.shape[1:]}".encode())
    sha.update(data.X.lengths[rows].tobytes())
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), SEQUENCES)).astype(np.int64)]
    targets = data.targets.part(rows)
    for array in (data.X[rows].steps, targets.labels, targets.values):
        if array is not None:
            kind = np.float32 if array.dtype.kind == "f" else array.dtype
            sha.update(quiet(array.astype, kind, over="ignore").tobytes())
    return sha.digest()
