"""The earlier path of the layer, for old pickles."""

from fastnn.layers.convolution.depthwise_conv2d import DepthwiseConv2D

__all__ = ["DepthwiseConv2D"]
