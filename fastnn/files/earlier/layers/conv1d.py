"""The earlier path of the layer, for old pickles."""

from fastnn.layers.convolution.conv1d import Conv1D

__all__ = ["Conv1D"]
