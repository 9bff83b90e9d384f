"""The earlier path of layers, for old pickles."""

from fastnn.layers.pooling.max_pool import GlobalMaxPool, MaxPool1D, MaxPool2D

__all__ = ["GlobalMaxPool", "MaxPool1D", "MaxPool2D"]
