"""Predictions of a stream, part by part: those of the whole table, to the bit, since a row does not depend on others."""

from functools import partial

import numpy as np

from ..unseen import warn_of_unseen
from .windows import Buffers, ahead, rows_of


def outputs_of(model, stream, columns=(), threads=None):
    """Yield (DataFrame, outputs of the network) of the parts of a stream, in the order of its rows.

    columns: the names of columns in the data frames; others are there if the model needs them. Values that training did not
    have are reported once, at the end.
    """
    names = model.preprocessing.names
    wanted = [name for name in stream.columns if name in names or name in columns]
    missing = [name for name in names if name not in wanted]
    if missing:
        model.preprocessing.transform(next(stream.frames(1, wanted)))  # raises the error
    parts, unseen, rows = stream.frames(rows_of(len(model.preprocessing.features)), wanted), {}, 0
    buffers = Buffers(len(model.preprocessing.features))
    for frame, X, found in ahead(partial(encoded, model.preprocessing, buffers), parts):
        rows += len(frame)
        for column, words in found:
            counts = unseen.setdefault(column.name, (column, {}))[1]
            for word, count in words.items():
                counts[word] = counts.get(word, 0) + count
        yield frame, model.network.forward(X, threads=threads)
    warn_of_unseen([*unseen.values()], rows)


def encoded(preprocessing, buffers, frame):
    """Return (DataFrame, its matrix, what training did not have)."""
    return frame, *preprocessing.encoded(frame, buffers.take(len(frame)))


def all_outputs(model, stream, threads=None):
    """Return the outputs for all rows of a stream, (rows, outputs)."""
    found = [outputs for _, outputs in outputs_of(model, stream, threads=threads)]
    return np.concatenate(found) if found else np.empty((0, model.network.outputs), model.network.dtype)
