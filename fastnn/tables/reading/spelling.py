"""How the values of a column stand in a file: TRUE, 007 or 1.50, of which a table has True, 7 and 1.5."""

from ..columns.cells import distinct, written

MOST = 1000  # different values; with more they are no classes


def spelling_of(series, raw):
    """{value, as text: how most cells that hold it are written}.

    series: a column of a table. raw: a function that gives its cells as text, called where there are few different values
    and these are no text.
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
