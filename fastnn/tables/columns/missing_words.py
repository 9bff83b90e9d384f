"""Words such as NA, None and null, which stand for a missing value in most tables and are categories in some.

In a column of text, such words are read as written; in a column of numbers they are missing. For text, whether they are
missing is decided in training and prediction, so that a data frame and its CSV file give the same result.
"""

# the missing values of pandas' read_csv, in addition to an empty cell
MISSING_WORDS = frozenset(["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
                           "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"])


def means_missing(cell, known=()):
    """Return whether a cell is blank, or is a word that stands for a missing value and is not `known`."""
    if not isinstance(cell, str) or cell in known:
        return False
    return not cell.strip() or cell.strip() in MISSING_WORDS


def with_words(pd, table, read_text):
    """Return a table in which words such as NA in columns of text are text, not missing values.

    pd: the module pandas. table: as pandas reads it from a file, with these words as missing values. read_text(names): reads
    the columns as text, in which only empty cells are missing.
    """
    names = [name for name, column in table.items()
             if column.hasnans and pd.api.types.infer_dtype(column, skipna=True) == "string"]
    if names:
        again = read_text(names)
        for name in names:
            table[name] = again[name]
    return table
