"""Layers that only change the shape, pad with zeros, or repeat pixels."""
