"""The Huber loss (Huber 1964) with δ = 1: squared for small errors, absolute for large ones."""

import numpy as np

from . import Loss, register


def value(a, y):
    size = abs(a - y)
    return 0.5 * size * size if size < 1.0 else size - 0.5


def prime(a, y):
    difference = a - y
    return -1.0 if difference < -1.0 else 1.0 if difference > 1.0 else difference


def vectorized(a, y):
    size, square = np.abs(a - y), (a - y) ** 2
    return np.where(size < 1, square / 2, size - 0.5)


register(Loss(
    name="huber",
    formula="½ (a − y)² where |a − y| < 1, else |a − y| − ½",
    prime_formula="a − y, limited to [−1, 1]",
    value=value,
    prime=prime,
    vectorized=vectorized,
    vectorized_prime=lambda a, y: np.clip(a - y, -1, 1),
))
