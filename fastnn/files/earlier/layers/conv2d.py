"""The earlier path of the layer, for old pickles."""

from fastnn.layers.convolution.conv2d import Conv2D

__all__ = ["Conv2D"]
