"""The columns of data frames: a network counts them by their places, so those of the fit must come in the same order."""


def columns_of(X):
    """Return the names of the columns of a data frame as a list; None for what has none."""
    columns = getattr(X, "columns", None)
    return None if columns is None or callable(columns) else [*columns]


def check_columns(columns, X, name="X"):
    """Raise an error for a data frame with the columns of the fit, a list or None, in another order."""
    if columns is None or (found := columns_of(X)) is None or found == columns:
        return
    if len(found) == len(columns) and {*found} == {*columns}:
        place = next(k for k, (own, other) in enumerate(zip(columns, found, strict=True)) if own != other)
        raise ValueError(f"{name} has the columns that this network was fitted on in another order: column {place} was "
                         f"{columns[place]!r} and is {found[place]!r}; give {name}[columns] with those of the fit, "
                         "or an array if the order is meant")
