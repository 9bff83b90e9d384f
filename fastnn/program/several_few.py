"""Outputs of a few samples of a network with several inputs or outputs, with as little work in Python as possible."""

import math

import numpy as np

from ..kernels.compiling.jit import ANY
from ..kernels.interpreter.axes import AS_NUMBERS, SOURCE
from ..kernels.interpreter.interpreter import one_phase_kernel
from ..runtime.idle import put_back, take
from .base import address
from .forward import FEW
from .several import SeveralPrediction

WORDS = len(SOURCE.kinds)


class SeveralFew(SeveralPrediction):
    """A program for at most FEW samples of inputs of one shape; used by one Python thread at a time."""

    def __init__(self, network):
        inputs, outputs = network.wiring.inputs, len(network.wiring.outputs)
        super().__init__(network, FEW, 1, (None,) * inputs)
        self.template = np.zeros((inputs + outputs, WORDS), np.int64)  # the records of the inputs, then of the outputs
        self.template[:, 2] = AS_NUMBERS
        self.shapes = [network.shapes[tensor] for tensor in network.wiring.outputs]
        self.ends = np.cumsum([0, *map(math.prod, self.shapes)]).tolist()
        self.row["chunk"], self.frame_address, self.run = FEW, address(self.frame), one_phase_kernel.entry(ANY)

    def outputs_of(self, arrays, samples):
        """Return the outputs of checked arrays, a list; None if a layer reports a failure."""
        sources, call = self.template.copy(), self.call
        for number, array in enumerate(arrays):
            sources[number, 0] = address(array)
        together = np.empty(samples * self.ends[-1], self.dtype)
        call["sources"], call["outputs"], call["capacity"] = address(sources), address(together), samples
        call["batch"] = samples
        self.run(self.frame_address)
        if self.found.any():
            self.found[:] = 0
            return None
        return [together[samples * begin:samples * end].reshape(samples, *shape)
                for begin, end, shape in zip(self.ends, self.ends[1:], self.shapes, strict=False)]


def few_of_several(network, X):
    """Return the outputs of a few samples, a list with those of each output; None for what needs other checks.

    X: a dict by name or a list, of contiguous arrays of the network's dtype, finite.
    """
    names = network.graph.inputs
    if type(X) is dict and len(X) == len(names):
        arrays = [X.get(name) for name in names]
    elif type(X) in (list, tuple) and len(X) == len(names) > 1:
        arrays = X
    else:
        return None
    samples, shapes = len(arrays[0]) if type(arrays[0]) is np.ndarray and arrays[0].ndim else 0, network.shapes
    if not 0 < samples <= FEW or not may_be_few(network):
        return None
    for array, shape in zip(arrays, shapes, strict=False):
        if type(array) is not np.ndarray or array.dtype != network.dtype or array.shape != (samples, *shape):
            return None
        if not (array.flags.c_contiguous and array.flags.aligned and np.isfinite(array).all()):
            return None
    idle = network.idle_programs.setdefault("few", [])
    program = take(idle, SeveralFew, network)
    try:
        return program.outputs_of(arrays, samples)
    finally:
        put_back(idle, program)


def may_be_few(network):
    """Return whether samples of floats need no more checks: none is a sequence, none was learned from as bytes."""
    if any(None in shape for shape in network.shapes[:network.wiring.inputs]):
        return False
    scales = network.fitted_on
    return scales is None or all(scale is None or scale.kind == "float" for scale in scales.each.values())
