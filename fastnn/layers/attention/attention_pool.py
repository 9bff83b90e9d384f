"""A learned weighted mean of the steps of each sequence."""

import math
from dataclasses import dataclass

from ...kernels.activations import activations
from ..base import register
from ..sequences.over_time import OverTime
from .rows import emit_attention


@register
@dataclass(frozen=True)
class AttentionPool(OverTime):
    """A weighted mean of the steps of each sequence, with weights that depend on the steps.

    A sequence (steps, features) becomes (features,): Σ pₜ xₜ, where p is the softmax of q · xₜ / √features over its steps.
    The "query" q (features,) is learned; it begins with zeros, so that the layer begins as the mean. Sequences must not be
    empty.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import AttentionPool, Dense, Network
    >>> net = Network([Dense(8, "tanh"), AttentionPool(), Dense(2, "softmax")], inputs=(None, 3))
    >>> net.predict_proba([np.zeros((4, 3)), np.ones((2, 3))]).shape
    (2, 2)
    """

    functions = "attention_pool_forward", "attention_pool_backward"
    adds_gradient = True

    def output_shape(self, shape):
        if len(shape) > 2:
            repair = "Flatten()" if shape[0] is None else "Reshape((-1, features))"
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {shape}; put "
                             f"{repair} before it")
        return super().output_shape(shape)

    def parameter_shapes(self, shape):
        return {"query": (shape[-1],)}

    def initial_parameters(self, shape, generator, activation):
        return {"query": 0.0}

    def multiply_adds(self, shape):
        return 2 * (shape[0] or 1) * shape[-1]

    def lower(self, program, index, x, activation):
        x = program.steps_of(x)
        query, features = program.offsets[f"{index}.query"], x.features
        with program.on(None):
            a, partials = program.tensor(x.shape), 0
            if program.training:
                partials = program.arena.take(program.samples * features)
                program.emit_update(start=query, rows=1, columns=features, parts=1)
        emit_attention(program, None, x, x, a, scores="dot", heads=1, causal=False, scale=1 / math.sqrt(features),
                       key_features=features, value_features=features, learned=(query, features),
                       partials=partials)
        return a

    def onnx(self, graph, x, parameters):
        features, steps = graph.shape[-1], graph.axes[0]
        scores = graph("MatMul", x, graph.tensor("query", parameters["query"]))  # (batch, steps)
        scores = graph("Mul", scores, 1 / math.sqrt(features))
        if steps:
            scores, x = steps.keep(scores, -math.inf, axes=0), steps.keep(x, 0.0)
        weights = graph.activation(activations["softmax"], scores)
        mean = graph("MatMul", graph("Unsqueeze", weights, graph.tensor("before", [1], "int64")), x)
        return graph("Squeeze", mean, graph.tensor("one", [1], "int64"))

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x, parameters)
