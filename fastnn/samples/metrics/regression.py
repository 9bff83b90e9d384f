"""Metrics of values: y and predicted are (samples,) or (samples, outputs); for several outputs, the mean over them.

    mse     mean (y − ŷ)²
    rmse    √ mean (y − ŷ)²
    mae     mean |y − ŷ|
    r2      1 − Σ (y − ŷ)² / Σ (y − mean(y))²: 1 is perfect, 0 no better than the mean; NaN if all y are equal
"""

import numpy as np


def mse(y, predicted):
    return np.mean(squares(y, predicted))


def rmse(y, predicted):
    return np.mean(np.sqrt(np.mean(squares(y, predicted), axis=0)))


def mae(y, predicted):
    return np.mean(abs(y.astype(np.float64) - predicted))


def r2(y, predicted):
    y = y.astype(np.float64)
    spread = np.sum((y - y.mean(axis=0)) ** 2, axis=0)
    shares = np.divide(np.sum(squares(y, predicted), axis=0), spread, out=np.full_like(spread, np.nan), where=spread > 0)
    return 1 - np.mean(shares)


def squares(y, predicted):
    return (y.astype(np.float64) - predicted) ** 2
