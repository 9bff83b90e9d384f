"""Lowering: a network, a batch size and a number of threads become tables of rows and one arena.

The kernels read and write at addresses that stand in the table; a program keeps alive every array that it has put there.
"""

from .base import Program, Tensor, address
from .forward import SMALLEST_CHUNK, EvaluationProgram, ForwardProgram, PredictionProgram, small_prediction
from .training import GRADIENT_CHUNK, TOTALS, TrainingProgram

__all__ = [
    "GRADIENT_CHUNK", "SMALLEST_CHUNK", "TOTALS", "EvaluationProgram", "ForwardProgram",
    "PredictionProgram", "Program", "Tensor", "TrainingProgram", "address", "small_prediction",
]
