"""The earlier path of the layer, for old pickles."""

from fastnn.layers.normalization.batch_norm import BatchNorm

__all__ = ["BatchNorm"]
