"""Predictions over Dask data frames: one call for each partition, when Dask computes it, wherever Dask computes it.

The types of the result are known beforehand, without a computation: they are those of the predictions of no rows.
"""

import numpy as np

from .columns.frames import pandas


def is_dask_frame(table):
    """Return whether a table is a Dask data frame."""
    return not isinstance(table, type) and hasattr(table, "map_partitions") and hasattr(table, "__dask_graph__")


def lazily(table, model, compute, names=None, threads=None):
    """Return a Dask series or data frame of what `compute` makes of the outputs of a model for each partition.

    compute: (outputs) → array (rows,) or (rows, columns), or {name: column}. names: of the series, or of the columns.
    """
    example = compute(np.zeros((1, model.network.outputs), model.network.dtype))
    meta = framed(example, names, pandas().RangeIndex(1)).iloc[:0]
    return table.map_partitions(part, model, compute, names, 1 if threads is None else threads, meta=meta,
                                enforce_metadata=False)


def part(frame, model, compute, names, threads):
    """Return the result for a partition, with its index."""
    return framed(compute(model.forward(frame, threads=threads)), names, frame.index)


def framed(values, names, index):
    """Return columns as a Series if there is one, or as a DataFrame."""
    if isinstance(values, dict):
        if len(values) > 1:
            return pandas().DataFrame(values, index=index)
        (names, values), = values.items()
    values = np.asarray(values)
    if values.ndim == 1:
        return pandas().Series(values, index=index, name=names)
    return pandas().DataFrame(values, index=index, columns=names)
