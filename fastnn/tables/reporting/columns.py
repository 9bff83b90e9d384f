"""The part of a report about the data: each column with its distribution and with what the networks see of it."""

import numpy as np

from ..columns.cells import as_numbers, without, word_counts
from ..columns.dates import days_of
from .drawing import brief, sparkline

BINS, WORDS, ROWS = 24, 12, 20_000  # of small pictures; rows that they show, at most
COLUMNS = 200  # in the table


def columns_table(result):
    """Return (head, rows, note) of a table of the columns; cells that begin with "<svg" are pictures."""
    preprocessing, rows = result.model.preprocessing, []
    table = result.table if len(result.table) <= ROWS else result.table.sample(ROWS, random_state=0)
    for column in preprocessing.columns[:COLUMNS]:
        series = without(result.table[column.name], preprocessing.missing_values, getattr(column, "categories", ()))
        drawn, words = shape_of(column, without(table[column.name], preprocessing.missing_values,
                                                getattr(column, "categories", ())))
        missing = series.isna().mean()
        rows.append((column.name, column.kind, drawn, words, f"{100 * missing:.1f} %" if missing else "–", str(column),
                     str(len(column.features))))
    more = len(preprocessing.columns) - COLUMNS
    return (("column", "kind", "distribution", "values", "missing", "what the networks see", "features"), rows,
            f"and {more:,} more columns" if more > 0 else "")


def shape_of(column, series):
    """Return (small picture, summary) of a column."""
    if column.kind in ("number", "code", "date", "missing"):
        values = as_numbers(days_of(series) if column.kind == "date" else series, getattr(column, "truth", False))
        values = values[~np.isnan(values)]
        if not len(values):
            return "", ""
        if column.kind == "date":
            ends = np.datetime64("1970-01-01") + np.array([values.min(), values.max()]).astype("m8[D]")
            summary = f"{ends[0]} to {ends[1]}"
        else:
            low, middle, high = map(brief, (float(values.min()), float(np.median(values)), float(values.max())))
            summary = f"{low} to {high}, median {middle}"
        low, high = np.quantile(values, [0.005, 0.995])
        heights, _ = np.histogram(np.clip(values, low, high), BINS)
        return sparkline(heights.tolist()), summary
    if column.kind == "text":
        counts = sorted(word_counts(series).items(), key=lambda each: -each[1])
        first = ", ".join(word for word, _ in counts[:3])
        return (sparkline([count for _, count in counts[:WORDS]]),
                f"{len(counts):,} different: {first}" + (", …" if len(counts) > 3 else ""))
    return "", ""
