"""The spelling of values in a file, such as TRUE, 007 or 1.50, which a table has as True, 7 and 1.5."""

from ..columns.cells import distinct, written

MOST = 1000  # largest number of different values; a column with more has no classes


def spelling_of(series, raw):
    """Return {value, as text: the most frequent spelling of it}.

    series: a column of a table. raw: a function that returns its cells as text; it is called if there are few different
    values and they are not text.
    """
    codes, values = distinct(series)
    if len(values) > MOST or all(isinstance(value, str) for value in values):
        return {}
    cells = raw().rename("cell").str.strip().to_frame().assign(code=codes)
    counts = cells[codes >= 0].dropna().value_counts().reset_index().sort_values(["count", "cell"], ascending=[False, True])
    found = {}
    for cell, code in zip(counts["cell"], counts["code"], strict=True):
        found.setdefault(written(values[code]), cell)
    return found
