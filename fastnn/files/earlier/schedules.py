"""The earlier path of the schedules, for old pickles."""

from fastnn.fitting.schedules import CosineDecay, ExponentialDecay, OneCycle, Schedule, StepDecay, WarmUp

__all__ = ["CosineDecay", "ExponentialDecay", "OneCycle", "Schedule", "StepDecay", "WarmUp"]
