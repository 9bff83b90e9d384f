"""Populations: many networks trained in one compiled call, as an ensemble, a sweep of hyperparameters or folds."""

from .population import Population
from .recipe import k_folds
from .search import Sweep, sweep

__all__ = ["Population", "Sweep", "k_folds", "sweep"]
