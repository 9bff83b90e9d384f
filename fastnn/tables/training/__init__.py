"""From a table to a trained model: the task, the split, training, and what simpler models reach."""

from .training import Result, train

__all__ = ["Result", "train"]
