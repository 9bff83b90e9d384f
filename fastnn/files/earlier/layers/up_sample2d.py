"""The earlier path of the layer, for old pickles."""

from fastnn.layers.shapes.up_sample2d import UpSample2D

__all__ = ["UpSample2D"]
