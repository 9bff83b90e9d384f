"""Lowering: conversion of a network, a batch size and a number of threads to tables of rows and one arena.

The table contains addresses of arrays; a program keeps these arrays alive.
"""

from .base import Program, Tensor, address
from .forward import SMALLEST_CHUNK, EvaluationProgram, ForwardProgram, PredictionProgram, small_prediction
from .results import TOTALS, new_totals
from .several import SeveralEvaluation, SeveralPrediction
from .training import GRADIENT_CHUNK, TrainingProgram


def evaluation_program(network, data, threads):
    """Return the program that evaluates these data."""
    return (SeveralEvaluation if network.has_several else EvaluationProgram)(network, data, threads)


__all__ = [
    "GRADIENT_CHUNK", "SMALLEST_CHUNK", "TOTALS", "EvaluationProgram", "ForwardProgram", "PredictionProgram", "Program",
    "SeveralPrediction", "Tensor", "TrainingProgram", "address", "evaluation_program", "new_totals", "small_prediction",
]
