"""The earlier path of the split of a table."""

from fastnn.tables.training.split import split

__all__ = ["split"]
