"""The earlier path of the layer, for old pickles."""

from fastnn.layers.randomness.dropout import Dropout

__all__ = ["Dropout"]
