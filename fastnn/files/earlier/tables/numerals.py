"""The earlier path of how a column's numbers are written; pickles of models of tables name it."""

from fastnn.tables.reading.numerals import NumberFormat

__all__ = ["NumberFormat"]
