"""The plain functions of a custom layer over all samples: its rung of loops."""

import numpy as np

from ..kernels.layers.custom.rows import BACKWARD, FORWARD
from ..layers.custom.declaration import OUTPUT, OUTPUT_GRADIENT, declare
from ..layers.custom.trial import plain_call


def arrays_of(net, X):
    """Return (declaration, parameters and state by name, [inputs by name of each sample]) of a network of one layer."""
    layer = net.layers[0]
    declaration = declare(layer, net.graph.taken[0])
    common = {name.removeprefix("layer."): view for name, view in (*net.parameters.items(), *net.state.items())}
    samples = [dict(zip(declaration.reads, arrays, strict=True)) for arrays in zip(*X.values(), strict=True)]
    return declaration, common, samples


def run_forward(declaration, arrays, dtype):
    """Run the forward function; add its output and its memory to the arrays."""
    arrays |= {name: np.zeros(shape, dtype) for name, shape in (declaration.memory | {OUTPUT: declaration.output}).items()}
    plain_call(declaration, FORWARD, arrays)


def plain_forward(net, X):
    """Return the outputs (samples, outputs)."""
    declaration, common, samples = arrays_of(net, X)
    outputs = []
    for sample in samples:
        arrays = common | sample
        run_forward(declaration, arrays, net.dtype)
        outputs.append(arrays[OUTPUT].ravel())
    return np.array(outputs)


def plain_gradients(net, X, y):
    """Return the gradients of the parameters for the loss squared error with targets y, by public name."""
    declaration, common, samples = arrays_of(net, X)
    gradients = {f"d{name}": np.zeros(shape, net.dtype) for name, shape in declaration.parameters.items()}
    for sample, target in zip(samples, y, strict=True):
        arrays = common | sample | gradients
        run_forward(declaration, arrays, net.dtype)
        arrays[OUTPUT_GRADIENT] = (arrays[OUTPUT] - target.reshape(arrays[OUTPUT].shape)) / len(samples)
        arrays |= {f"d{name}": np.zeros(shape, net.dtype) for name, shape in declaration.reads.items()}
        plain_call(declaration, BACKWARD, arrays)
    return {f"layer.{name}": gradients[f"d{name}"] for name in declaration.parameters}
