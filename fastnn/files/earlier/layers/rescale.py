"""The earlier path of the layer, for old pickles."""

from fastnn.layers.normalization.rescale import Rescale

__all__ = ["Rescale"]
