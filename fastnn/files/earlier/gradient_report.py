"""The earlier path of the report of `fastnn.check_gradients`, for old pickles."""

from fastnn.gradient_check import GradientReport, ParameterCheck

__all__ = ["GradientReport", "ParameterCheck"]
