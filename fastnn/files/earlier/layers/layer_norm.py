"""The earlier path of the layer, for old pickles."""

from fastnn.layers.normalization.layer_norm import LayerNorm

__all__ = ["LayerNorm"]
