"""Divergence: where in a step numbers are no longer finite, and the error message about it."""

import numpy as np

from ..kernels.elementwise.finite import all_finite
from ..kernels.interpreter.table import STATISTICS
from ..kernels.training.watch import NOT_FINITE


class DivergenceError(ArithmeticError):
    """Raised when a step would produce numbers that are not finite. Everything is as it was before that step.

    Attributes
    ----------
    epoch, batch : int
        The step, both counted from 0 (the message counts from 1); batches are counted in their
        epoch. None in a fit with `LBFGS`, which has neither.
    layer : int or None
        The number of the layer where it began, None if it was not in a layer.
    """

    def __init__(self, message, epoch=None, batch=None, layer=None):
        super().__init__(message)
        self.epoch, self.batch, self.layer = epoch, batch, layer


def advice(network):
    """Return suggestions for a network whose outputs are not finite."""
    return (f"scale the inputs to about unit size, or check that loss {network.loss!r} takes what "
            f"{last_activations(network)} gives, and that the parameters are finite")


def last_activations(network):
    return " or ".join(repr(layer.activation) for layer in network.graph.last_layers)


def step_error(network, program, epoch, batch, overflowed=None):
    """Return the error for the step of this batch, in which `program` stopped.

    overflowed: name of the array that overflowed in the update, None if there was no update.
    """
    layer, what = cause(network, program, batch, overflowed)
    message = (f"numbers are no longer finite in epoch {epoch + 1}, batch {batch + 1}: {what}. The weights are those from "
               f"before that step. Lower the learning rate, clip the gradients (clip_norm=1.0), scale the inputs and "
               f"targets to about unit size, or check that loss {network.loss!r} takes what "
               f"{last_activations(network)} gives")
    return DivergenceError(message, epoch, batch, layer)


def cause(network, program, batch, overflowed=None):
    """Return (number of the layer or None, the first that is not finite of weights, update, outputs, …, gradients)."""
    for name, view in {**network.parameters, **network.state}.items():
        if not all_finite(view):
            return of_layer(network, name, "{}, {},", view)
    if overflowed is not None:
        index = network.graph.layer_of(overflowed)
        return index, f"the update of {overflowed}, {called(network, index)}, overflows"
    samples = program.samples_in(batch)
    for step, tensor in zip(network.wiring.steps, program.outputs, strict=True):
        output = program.memory.reshape(-1)[tensor.offset:tensor.offset + samples * tensor.features]
        if not all_finite(output):
            return step.index, f"the output of {called(network, step.index)} holds {not_finite(output)}"
    if program.found[NOT_FINITE] >= STATISTICS:
        index = int(program.found[NOT_FINITE]) - STATISTICS
        return index, f"mean or variance of the batch overflow in {called(network, index)}"
    if not program.loss_is_finite(samples):
        index = network.wiring.steps[-1].index
        return index, (f"the loss is not finite, though outputs are: those of {called(network, index)} reach "
                       f"{np.abs(output).max():.3g}")
    gradients = network.vectors.parameters.split(program.gradients)
    for name, gradient in reversed(gradients.items()):  # gradients are computed from the last layer to the first
        if not all_finite(gradient):
            return of_layer(network, name, "the gradient of {}, {},", gradient)
    return None, "something was not finite"


def of_layer(network, name, phrase, array):
    index = network.graph.layer_of(name)
    return index, f"{phrase.format(name, called(network, index))} holds {not_finite(array)}"


def called(network, index):
    return f"layer {network.graph.names[index]} ({network.layers[index]!r})"


def not_finite(array):
    """Return the first element that is not finite."""
    return array[~np.isfinite(array)].flat[0]
