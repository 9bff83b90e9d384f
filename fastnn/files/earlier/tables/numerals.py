"""The earlier path of number formats, for old pickles of models of tables."""

from fastnn.tables.reading.numerals import NumberFormat

__all__ = ["NumberFormat"]
