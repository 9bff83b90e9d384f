"""Lowering: conversion of a network, a batch size and a number of threads to tables of rows and one arena.

The table contains addresses of arrays; a program keeps these arrays alive.
"""

from .base import Program, Tensor, address
from .forward import SMALLEST_CHUNK, EvaluationProgram, ForwardProgram, PredictionProgram, small_prediction
from .training import GRADIENT_CHUNK, TOTALS, TrainingProgram

__all__ = [
    "GRADIENT_CHUNK", "SMALLEST_CHUNK", "TOTALS", "EvaluationProgram", "ForwardProgram",
    "PredictionProgram", "Program", "Tensor", "TrainingProgram", "address", "small_prediction",
]
