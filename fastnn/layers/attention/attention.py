"""Attention of one sequence to the steps of another, or of its own."""

import math
from dataclasses import dataclass, field

from ...checks import shown, true_or_false
from ...kernels.activations import activations
from ..base import register
from ..initializers import initializers
from .onnx import hidden, without_padding
from .rows import Attending, emit_attention, steps_of_all

SCORES = "dot", "additive"


@register
@dataclass(frozen=True)
class Attention(Attending):
    """A weighted mean of the steps of a source, with weights that depend on a query.

    Each step of the query has a score with each step of the source; the softmax of its scores are the weights of its mean.

    Called on two nodes it takes a query and a source, `Attention()(query, source)`, sequences of any lengths: the output has
    the steps of the query and the features of the source. Called on one, the steps of a sequence attend to one another, as
    in a list of layers. Called on three, these are query, keys and values: scores come from the keys, and the values are
    averaged. A query of one axis, such as the last state of a recurrent layer, gives one mean for each sample.

    Lengths are those of the sequences, so that there are no masks. The layer has no products of its own: put `Dense` before
    it, or take a `MultiHeadAttention`. Sequences must have at least one step.

    Parameters
    ----------
    score : {"dot", "additive"}
        "dot": q · k / √features (Vaswani et al. 2017). "additive": Σ w tanh(q + k) with a "weight" w (features,) (Bahdanau
        et al. 2014). Query and keys have the same number of features.
    causal : bool, default False
        Whether a step sees only itself and those before it; for a sequence that attends to itself.

    Examples
    --------
    >>> from fastnn import Attention, Dense, GRU, Input, LastStep, Network
    >>> question, text = Input((None, 8), name="question"), Input((None, 8), name="text")
    >>> found = Attention()(question, text)
    >>> found.shape
    (None, 8)
    >>> net = Network(inputs=[question, text], outputs=Dense(2, "softmax")(LastStep()(found)))
    >>> Network([Dense(6), Attention(causal=True), GRU(4)], inputs=(None, 3)).shapes
    [(None, 3), (None, 6), (None, 6), (4,)]
    """

    score: str = "dot"
    causal: bool = field(default=False, kw_only=True)
    functions = "attention_forward", "attention_backward"

    def __post_init__(self):
        if not isinstance(self.score, str) or self.score not in SCORES:
            raise ValueError(f"Attention(score=...) is {shown(self.score)}; it must be 'dot' or 'additive'")
        object.__setattr__(self, "causal", true_or_false("Attention(causal=...)", self.causal))

    def __repr__(self):
        options = [repr(self.score)] * (self.score != "dot") + ["causal=True"] * self.causal
        return f"Attention({', '.join(options)})"

    def output_shape(self, shapes):
        query, keys, values = self.taken(shapes)
        if query[-1] != keys[-1]:
            raise ValueError(f"{self!r} compares each query with the keys, which need as many features: here a query has "
                             f"{query[-1]} and a key {keys[-1]}; put Dense({keys[-1]}) on the query, or Dense({query[-1]}) "
                             "on the keys")
        return *query[:-1], values[-1]

    def parameter_shapes(self, shapes):
        return {"weight": (self.taken(shapes)[1][-1],)} if self.score == "additive" else {}

    def initial_parameters(self, shapes, generator, activation):
        return {name: initializers["glorot_uniform"].draw(generator, (*shape, 1))[:, 0]
                for name, shape in self.parameter_shapes(shapes).items()}

    def multiply_adds(self, shapes):
        query, keys, values = self.taken(shapes)
        return (query[0] or 1 if len(query) > 1 else 1) * (keys[0] or 1) * (keys[-1] + values[-1])

    def lower(self, program, index, given, activation):
        query, keys, values = steps_of_all(program, self, given)
        with program.on(query.axis):
            a = program.tensor(values.shape)
        features, operands = keys.features, {"learned": None}
        if self.score == "additive":
            weight = program.offsets[f"{index}.weight"]
            operands = {"weight": weight, "learned": (weight, features)}
            if program.training:
                operands["partials"] = program.arena.take(program.samples * features)
                program.emit_update(start=weight, rows=1, columns=features, parts=1)
        emit_attention(program, query, keys, values, a, scores=self.score, heads=1, causal=self.causal,
                       scale=1 / math.sqrt(features) if self.score == "dot" else 1.0, key_features=features,
                       value_features=values.features, **operands)
        return program.like(a, given[0]) if len(given[0].shape) > 1 else a

    def onnx(self, graph, x, parameters):
        query, keys, values = x[0], x[-1] if len(x) < 3 else x[1], x[-1]
        one, scores = len(graph.shape) == 1, None
        if one:
            query = graph("Unsqueeze", query, graph.tensor("query_axis", [1], "int64"))
        if self.score == "dot":
            transposed = graph("Transpose", keys, perm=[0, 2, 1])
            scores = graph("Mul", graph("MatMul", query, transposed), 1 / math.sqrt(graph.shape[-1]))
        else:
            sums = graph("Add", graph("Unsqueeze", query, graph.tensor("steps_axis", [2], "int64")),
                         graph("Unsqueeze", keys, graph.tensor("queries_axis", [1], "int64")))
            scores = graph("MatMul", graph("Tanh", sums), graph.tensor("weight", parameters["weight"]))
        weights = graph.activation(activations["softmax"], hidden(graph, scores, self))
        a = graph("MatMul", weights, without_padding(graph, values))
        return graph("Squeeze", a, graph.tensor("query_axis_out", [1], "int64")) if one else a

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x if isinstance(x, list) else [x], parameters)
