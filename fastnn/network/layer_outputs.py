"""The output of each layer of a network."""

import numpy as np

from ..kernels.interpreter import batch as batches
from ..program import ForwardProgram
from ..runtime.threads import resolve_threads
from ..samples.data import enter_samples
from ..samples.features import features


class LayerOutputs(ForwardProgram):
    """A forward pass in which every step computes its own activation, so that the tensor of each is its output."""

    def __init__(self, network, chunk):
        super().__init__(network, chunk, workers=1)
        x, wiring = self.input_tensor(), network.wiring
        self.emit(batches.gather_row(self.dtype, 1, x=x.offset, in_features=x.features))
        self.lower_steps(wiring.with_steps(tuple(step._replace(activation=step.layer.activation) for step in wiring.steps)),
                         [x])
        self.finish()

    def compute(self, X):
        """Return the output of each step for X."""
        found = [np.empty((len(X), *tensor.shape), self.dtype) for tensor in self.outputs]
        for first in range(0, len(X), self.batch):
            chunk = X[first:first + self.batch]
            enter_samples(self.call, chunk)
            self.run_samples(len(chunk))
            for out, tensor in zip(found, self.outputs, strict=True):
                own = self.memory.reshape(-1)[tensor.offset:tensor.offset + len(chunk) * tensor.features]
                out[first:first + len(chunk)] = own.reshape(len(chunk), *tensor.shape)
        return found


def layer_outputs(net, X, threads=None):
    """Return the outputs of each layer, a list of arrays (samples, *output shape), as in prediction.

    In a graph they are in its order. A layer that is used several times has as many outputs.
    """
    if net.is_ragged:
        raise ValueError(f"this network takes sequences of any length, inputs={net.shapes[0]}, and outputs of layers are "
                         "arrays of samples of one shape; make the network again with a number of steps instead of None")
    X, _ = features(X, net.shapes[0], net.dtype), resolve_threads(threads)
    return LayerOutputs(net, LayerOutputs.plan(net, len(X), 1)[0]).compute(X)
