"""The earlier path of layers, for old pickles."""

from fastnn.layers.pooling.average_pool import AveragePool1D, AveragePool2D, GlobalAveragePool

__all__ = ["AveragePool1D", "AveragePool2D", "GlobalAveragePool"]
