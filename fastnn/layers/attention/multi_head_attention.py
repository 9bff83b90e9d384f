"""Attention of several heads, each with its own projections of queries, keys and values."""

import math
from dataclasses import dataclass, field, replace

from ...checks import true_or_false, whole_number
from ...kernels.activations import activations
from ..base import register
from ..dense import lower_product
from ..initializers import initializers
from .onnx import hidden, without_padding
from .rows import Attending, emit_attention, steps_of_all

PROJECTIONS = "query", "key", "value"


@register
@dataclass(frozen=True)
class MultiHeadAttention(Attending):
    """Attention of several heads (Vaswani et al. 2017).

    Queries, keys and values are products of what it reads and a weight each; each head attends with its own columns of them,
    by scaled dot products. The results of the heads, side by side, are multiplied by an output weight.

    It is called as `Attention` is: on one node, whose steps attend to one another, on a query and a source, or on query,
    keys and values. In a list of layers it takes a sequence that attends to itself.

    Parameters
    ----------
    heads : int
    key_dim : int, optional
        The number of features of a head; by default those of the query divided by the number of heads.
    out_features : int, optional
        By default those of the query.
    causal : bool, default False
        Whether a step sees only itself and those before it; for a sequence that attends to itself.
    initializer : str, default "glorot_uniform"
        Of the weights.

    Notes
    -----
    The parameters are "query_weight" (features of the query, heads · key_dim) and "query_bias", likewise for key and value,
    and "output_weight" (heads · key_dim, out_features) and "output_bias". The columns of head number h are those from
    h · key_dim on. Their transposes, the first three one after the other, are the `in_proj_weight` and `out_proj.weight` of
    `torch.nn.MultiheadAttention`.

    Examples
    --------
    >>> from fastnn import Input, MultiHeadAttention, Network, Residual, GlobalAveragePool, Dense
    >>> x, source = Input((None, 16)), Input((None, 6))
    >>> MultiHeadAttention(4)(x, source).shape
    (None, 16)
    >>> net = Network([Residual(MultiHeadAttention(2)), GlobalAveragePool(), Dense(2, "softmax")], inputs=(None, 8))
    >>> net.parameters["0.query_weight"].shape
    (8, 8)
    """

    heads: int
    key_dim: int | None = None
    out_features: int | None = None
    causal: bool = field(default=False, kw_only=True)
    initializer: str = field(default="glorot_uniform", kw_only=True)
    functions = "attention_forward", "attention_backward", "linear_forward", "linear_backward"
    torch = "MultiheadAttention"

    def __post_init__(self):
        for name in ("heads", "key_dim", "out_features"):
            if name == "heads" or getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(f"MultiHeadAttention({name}=...)", getattr(self, name)))
        object.__setattr__(self, "causal", true_or_false("MultiHeadAttention(causal=...)", self.causal))
        object.__setattr__(self, "initializer", initializers.resolve(self.initializer).name)

    def __repr__(self):
        given = {name: getattr(self, name) for name in ("key_dim", "out_features")}
        options = [f"{name}={value}" for name, value in given.items() if value is not None]
        options += ["causal=True"] * self.causal
        options += [f"initializer={self.initializer!r}"] * (self.initializer != "glorot_uniform")
        return f"MultiHeadAttention({', '.join([str(self.heads), *options])})"

    def features_of_head(self, query):
        """Return the number of features of a head for a query of this shape."""
        if self.key_dim is not None:
            return self.key_dim
        if query[-1] % self.heads:
            raise ValueError(f"{self!r} shares the {query[-1]} features of a query among {self.heads} heads, and they are "
                             f"no multiple of {self.heads}; give key_dim, the number of features of a head")
        return query[-1] // self.heads

    def output_shape(self, shapes):
        query = self.taken(shapes)[0]
        self.features_of_head(query)
        return *query[:-1], self.out_features or query[-1]

    def parameter_shapes(self, shapes):
        taken = self.taken(shapes)
        width, found = self.heads * self.features_of_head(taken[0]), {}
        for name, shape in zip(PROJECTIONS, taken, strict=True):
            found |= {f"{name}_weight": (shape[-1], width), f"{name}_bias": (width,)}
        out = self.out_features or taken[0][-1]
        return found | {"output_weight": (width, out), "output_bias": (out,)}

    def initial_parameters(self, shapes, generator, activation):
        initializer = initializers[self.initializer]
        return {name: initializer.draw(generator, shape) if name.endswith("weight") else 0.0
                for name, shape in self.parameter_shapes(shapes).items()}

    def multiply_adds(self, shapes):
        query, keys, _ = self.taken(shapes)
        queries, steps = (query[0] or 1 if len(query) > 1 else 1), keys[0] or 1
        weights = {name: math.prod(shape) for name, shape in self.parameter_shapes(shapes).items()}
        products = queries * (weights["query_weight"] + weights["output_weight"])
        products += steps * (weights["key_weight"] + weights["value_weight"])
        return products + 2 * queries * steps * self.heads * self.features_of_head(query)

    def lower(self, program, index, given, activation):
        tensors = steps_of_all(program, self, given)
        size = self.features_of_head(tensors[0].shape)
        width, projected = self.heads * size, []
        for number, (name, x) in enumerate(zip(PROJECTIONS, tensors, strict=True)):
            # the backward pass reaches the last reader of a tensor first: it writes its gradient, and those before it add
            again = any(x.gradient is not None and x.gradient == later.gradient for later in tensors[number + 1:])
            with program.on(x.axis):
                projected.append(lower_product(program, replace(x, adds=x.adds or again), width, f"{index}.{name}_weight",
                                               f"{index}.{name}_bias"))
        with program.on(tensors[0].axis):
            joined = program.tensor((width,))
        emit_attention(program, *projected, joined, scores="dot", heads=self.heads, causal=self.causal,
                       scale=1 / math.sqrt(size), key_features=size, value_features=size)
        with program.on(tensors[0].axis):
            a = lower_product(program, joined, self.out_features or tensors[0].features, f"{index}.output_weight",
                              f"{index}.output_bias")
        return program.like(a, given[0]) if len(given[0].shape) > 1 else a

    def onnx(self, graph, x, parameters):
        one = len(graph.shape) == 1
        tensors = x[0], x[-1] if len(x) < 3 else x[1], x[-1]
        if one:
            tensors = graph("Unsqueeze", x[0], graph.tensor("query_axis", [1], "int64")), *tensors[1:]
        width = parameters["output_weight"].shape[0]
        size, heads = width // self.heads, []
        tensors = tensors[0], *(without_padding(graph, each) for each in tensors[1:])
        for name, each in zip(PROJECTIONS, tensors, strict=True):
            product = graph("MatMul", each, graph.tensor(f"{name}_weight", parameters[f"{name}_weight"]))
            product = graph("Add", product, graph.tensor(f"{name}_bias", parameters[f"{name}_bias"]))
            split = graph("Reshape", product, graph.tensor(f"{name}_shape", [0, 0, self.heads, size], "int64"))
            heads.append(graph("Transpose", split, perm=[0, 2, 3, 1] if name == "key" else [0, 2, 1, 3]))
        query, keys, values = heads
        scores = graph("Mul", graph("MatMul", query, keys), 1 / math.sqrt(size))
        found = graph("MatMul", graph.activation(activations["softmax"], hidden(graph, scores, self, heads=True)), values)
        joined = graph("Reshape", graph("Transpose", found, perm=[0, 2, 1, 3]),
                       graph.tensor("joined_shape", [0, 0, width], "int64"))
        a = graph("MatMul", joined, graph.tensor("output_weight", parameters["output_weight"]))
        a = graph("Add", a, graph.tensor("output_bias", parameters["output_bias"]))
        return graph("Squeeze", a, graph.tensor("query_axis_out", [1], "int64")) if one else a

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x if isinstance(x, list) else [x], parameters)
