"""The earlier path of `fastnn.LBFGS`; pickles name it."""

from fastnn.fitting.lbfgs import LBFGS

__all__ = ["LBFGS"]
