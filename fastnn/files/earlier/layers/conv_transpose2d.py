"""The earlier path of the layer, for old pickles."""

from fastnn.layers.convolution.conv_transpose2d import ConvTranspose2D

__all__ = ["ConvTranspose2D"]
