"""The earlier path of the layer, for old pickles."""

from fastnn.layers.randomness.gaussian_noise import GaussianNoise

__all__ = ["GaussianNoise"]
