"""Normalization by the mean and standard deviation of the data."""

import math
from dataclasses import dataclass

import numpy as np

from ...kernels.compiling.objects import address
from ...kernels.layers.normalization.normalize import normalize_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register

BLOCK = 1 << 20  # numbers converted to float64 at a time


@register
@dataclass(frozen=True)
class Normalize(Layer):
    """Normalize each channel by its mean and standard deviation in the training data.

    a = (x − mean) · scale, where scale = 1 / standard deviation, or 1 if a channel is constant. The channels are the last
    axis of a sample. The first `fit` computes both from X, over samples and pixels, before it trains; later fits do not
    change them. They are not parameters: they are "mean" and "scale" in `Network.state` and are saved with the network.
    Before the first fit, a = x. The layer must be the first one, or follow only `Flatten` and `Reshape`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, Normalize
    >>> net = Network([Normalize(), Dense(1)], inputs=2)
    >>> history = net.fit(np.array([[1.0, 10.0], [3.0, 30.0]]), np.array([0.0, 1.0]))
    >>> net.state["0.mean"], net.state["0.scale"]
    (array([ 2., 20.], dtype=float32), array([1. , 0.1], dtype=float32))
    """

    functions = "normalize_forward", "normalize_backward"
    learns_from_data = True

    def state_shapes(self, shape):
        return {"mean": shape[-1:], "scale": shape[-1:], "samples": (1,)}

    def initial_state(self):
        return {"mean": 0.0, "scale": 1.0, "samples": 0.0}

    def learn(self, state, X, shape):
        """Compute the state from X (samples, …) at the first call. shape: the shape of a sample of the layer."""
        if state["samples"][0] != 0:
            return
        rows = X.reshape(-1, shape[-1])
        mean, squares = np.zeros(shape[-1]), np.zeros(shape[-1])
        step = max(1, BLOCK // shape[-1])
        for start in range(0, len(rows), step):
            mean += rows[start:start + step].sum(axis=0, dtype=np.float64)
        mean /= len(rows)
        for start in range(0, len(rows), step):
            squares += ((rows[start:start + step] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(rows))
        tiny = np.finfo(state["mean"].dtype)
        constant = ~(deviation > tiny.eps * np.abs(mean)) | ~(deviation > math.sqrt(tiny.tiny))
        state["mean"][:], state["scale"][:] = mean, 1 / np.where(constant, 1.0, deviation)
        state["samples"][:] = len(X)

    def lower(self, program, index, x, activation):
        x, channels, state = program.in_arena(x), x.shape[-1], program.state
        a = program.tensor_like(x)
        program.emit(normalize_row(
            program.dtype, program.parts(program.batch * x.features, NUMBERS_PER_PART), x=x.offset, a=a.offset,
            da=a.gradient if program.training else None, pixels=x.features // channels, channels=channels,
            mean=address(state[f"{index}.mean"]), scale=address(state[f"{index}.scale"]),
        ))
        return a

    def onnx(self, graph, x, parameters):
        mean, scale = (graph.tensor(name, parameters[name]) for name in ("mean", "scale"))
        graph.tensor("samples", parameters["samples"])
        return graph("Mul", graph("Sub", x, mean), scale)
