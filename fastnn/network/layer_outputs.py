"""The output of each layer of a network."""

import numpy as np

from ..kernels.interpreter import batch as batches
from ..layers import is_ragged
from ..program import ForwardProgram
from ..program.several import input_tensors
from ..runtime.threads import resolve_threads
from ..samples.checked_data import enter_samples
from ..samples.data import samples_of
from ..samples.several import enter_inputs


class LayerOutputs(ForwardProgram):
    """A forward pass in which every step computes its own activation, so that the tensor of each is its output."""

    keeps_outputs = True

    def __init__(self, network, chunk):
        super().__init__(network, chunk, workers=1)
        wiring = network.wiring
        if network.has_several:
            given = input_tensors(self)
        else:
            given = [self.input_tensor()]
            self.emit(batches.gather_row(self.dtype, 1, x=given[0].offset, in_features=given[0].features))
        self.lower_steps(wiring.with_steps(tuple(step.with_activation(step.layer.activation) for step in wiring.steps)),
                         given)
        self.finish()

    def compute(self, X):
        """Return the output of each step for X."""
        found = [np.empty((len(X), *tensor.shape), self.dtype) for tensor in self.outputs]
        for first in range(0, len(X), self.batch):
            chunk = X[slice(first, first + self.batch)]
            self.sources = enter_inputs(self.call, chunk) if self.network.has_several else enter_samples(self.call, chunk)
            self.run_samples(len(chunk))
            for out, tensor in zip(found, self.outputs, strict=True):
                own = self.memory.reshape(-1)[tensor.offset:tensor.offset + len(chunk) * tensor.features]
                out[first:first + len(chunk)] = own.reshape(len(chunk), *tensor.shape)
        return found


def layer_outputs(net, X, threads=None):
    """Return the outputs of each layer, a list of arrays (samples, *output shape), as in prediction.

    In a graph they are in its order. A layer that is used several times has as many outputs.
    """
    if any(map(is_ragged, net.shapes)):
        raise ValueError(f"this network takes sequences of any length, inputs={net.input_shapes}, and outputs of layers are "
                         "arrays of samples of one shape; make the network again with a number of steps instead of None")
    X, _ = samples_of(net, X), resolve_threads(threads)
    return LayerOutputs(net, LayerOutputs.plan(net, len(X), 1)[0]).compute(X)
