"""The earlier path of the layer, for old pickles."""

from fastnn.layers.shapes.flatten import Flatten

__all__ = ["Flatten"]
