"""The earlier path of layers, for old pickles."""

from fastnn.layers.randomness.random_views import RandomCrop, RandomFlip, RandomShift

__all__ = ["RandomCrop", "RandomFlip", "RandomShift"]
