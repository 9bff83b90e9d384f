"""Populations: many networks trained in one compiled call, as an ensemble, a sweep of hyperparameters or folds."""

from .population import Population

__all__ = ["Population"]
