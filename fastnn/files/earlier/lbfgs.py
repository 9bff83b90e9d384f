"""The earlier path of `fastnn.LBFGS`, for old pickles."""

from fastnn.fitting.lbfgs import LBFGS

__all__ = ["LBFGS"]
