"""Training a model on a table: the task, the split, training, and baselines."""

from .training import Result, train

__all__ = ["Result", "train"]
