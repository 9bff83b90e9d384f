"""Words such as NA, None and null, which stand for a missing value in most tables and are categories in some.

A file is read with its words as they are written where a column holds text; among numbers they are missing. Which they are
in text is decided where it is learned from and predicted, so that a data frame and its CSV file are one.
"""

# what pandas' read_csv takes for missing, beside an empty cell
MISSING_WORDS = frozenset(["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
                           "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"])


def means_missing(cell, known=()):
    """Whether a cell is blank, or holds a word that stands for a missing value and is none of the `known` ones."""
    if not isinstance(cell, str) or cell in known:
        return False
    return not cell.strip() or cell.strip() in MISSING_WORDS


def with_words(pd, table, read_text):
    """A table from a file, whose columns of text hold words such as NA as they are written.

    pd: the module pandas. table: as it reads one, such words missing. read_text(names): these columns as text, in which only
    empty cells are missing.
    """
    names = [name for name, column in table.items()
             if column.hasnans and pd.api.types.infer_dtype(column, skipna=True) == "string"]
    if names:
        again = read_text(names)
        for name in names:
            table[name] = again[name]
    return table
