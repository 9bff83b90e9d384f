"""The earlier path of the layer, for old pickles."""

from fastnn.layers.shapes.reshape import Reshape

__all__ = ["Reshape"]
