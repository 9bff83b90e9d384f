"""Layers that shift and scale: by statistics of the batch, the sample or the training data, or by constants."""
