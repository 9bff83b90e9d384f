"""The earlier path of the schedules; pickles name it."""

from fastnn.fitting.schedules import CosineDecay, ExponentialDecay, OneCycle, Schedule, StepDecay, WarmUp

__all__ = ["CosineDecay", "ExponentialDecay", "OneCycle", "Schedule", "StepDecay", "WarmUp"]
