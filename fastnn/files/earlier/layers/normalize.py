"""The earlier path of the layer, for old pickles."""

from fastnn.layers.normalization.normalize import Normalize

__all__ = ["Normalize"]
