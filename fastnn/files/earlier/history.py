"""The earlier path of `fastnn.History`, for old pickles."""

from fastnn.fitting.history import History

__all__ = ["History"]
