"""Checked training data: arrays, targets, weights; heads, which define the meaning of outputs; metrics."""
