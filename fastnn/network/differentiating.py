"""The loss of checked data as a function of the parameters, and its gradient."""

import math

from ..fitting.divergence import DivergenceError, advice
from ..program import GRADIENT_CHUNK, TrainingProgram, evaluation_program

SEQUENCES_CHUNK = 32  # sequences at a time, since each has many rows


def loss_and_gradients(network, data, training, threads):
    """Return (loss, {parameter: gradient}); training: whether layers behave as in training."""
    program = gradient_program(network, data, training, threads)
    if program.accumulate(0, program.batches) is not None:
        raise DivergenceError(f"the loss of these samples is not finite; {advice(network)}")
    return program.take_mean()[0], network.vectors.parameters.split(program.gradients)


def gradient_program(network, data, training, threads):
    """Return the program that has accumulated the gradients of all the data."""
    whole = training and any(layer.mixes_samples for layer in network.layers)
    chunk = SEQUENCES_CHUNK if network.is_ragged else GRADIENT_CHUNK
    return TrainingProgram(network, data.normalize_weights(), len(data.X) if whole else chunk, threads,
                           normalize=False, as_in_training=training)


def loss_function(network, data, training):
    """Return a function without arguments that returns the loss for the current parameters; NaN if it diverges."""
    if not training:
        program = evaluation_program(network, data, threads=1)
        return lambda: program.evaluate()[0]
    program = gradient_program(network, data, training, threads=1)

    def loss():
        diverged = program.accumulate(0, program.batches)
        value = program.take_mean()[0]
        return value if diverged is None else math.nan

    return loss
