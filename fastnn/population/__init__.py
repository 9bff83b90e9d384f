"""Populations: many networks trained in one compiled call, for ensembles, hyperparameter sweeps and cross-validation."""

from .population import Population
from .recipe import k_folds
from .search import Sweep, sweep

__all__ = ["Population", "Sweep", "k_folds", "sweep"]
