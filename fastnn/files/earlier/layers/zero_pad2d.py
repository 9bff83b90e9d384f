"""The earlier path of the layer, for old pickles."""

from fastnn.layers.shapes.zero_pad2d import ZeroPad2D

__all__ = ["ZeroPad2D"]
