"""The earlier path of the layer, for old pickles."""

from fastnn.layers.normalization.group_norm import GroupNorm

__all__ = ["GroupNorm"]
