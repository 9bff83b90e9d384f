"""The earlier path of `fastnn.History`; pickles name it."""

from fastnn.fitting.history import History

__all__ = ["History"]
