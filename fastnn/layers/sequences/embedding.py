"""A vector for each token."""

from dataclasses import dataclass
from math import nan

from ...checks import whole_number
from ...kernels.layers.sequences.embedding import embedding_list_row, embedding_row, used_size
from ...kernels.layers.sequences.embedding_of_numbers import embedding_of_numbers_list_row, embedding_of_numbers_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register

LARGEST_FIRST = 0.05
EXACT = 2**24  # whole numbers below are exact in float32


@register
@dataclass(frozen=True)
class Embedding(Layer):
    """A vector of its own for each token, a row of the weight.

    A sequence of tokens, whole numbers from 0 to tokens − 1, becomes a sequence (steps, features). It is the first layer of
    a network with `inputs=(None,)`.

    A single feature that holds the number of a category, of shape (1,), becomes (features,), its vector: in a graph, a part
    of the features such as `x[3:4]`, or an input of its own. It takes any number of categories in little memory, where
    one-hot features would take one for each. A feature is not checked before the network runs: for a number that is none of
    a category, such as 0.5, -1 or one that is too large, the vector is NaN, also in ONNX files.

    A step of training changes only the rows of the tokens in its batch: other rows, and what the optimizer keeps for them,
    such as Adam's means, stay as they are. The number of steps, from which Adam corrects its means, is that of the network.
    This is the rule of PyTorch's `SparseAdam`, here for every optimizer. The gradient of a row adds up in the order of the
    positions, whatever the number of threads.

    Parameters
    ----------
    tokens : int
        The size of the vocabulary.
    features : int

    Examples
    --------
    >>> from fastnn import Dense, Embedding, LastStep, Network
    >>> net = Network([Embedding(1000, 16), LastStep(), Dense(2, "softmax")], inputs=(None,))
    >>> net.shapes
    [(None,), (None, 16), (16,), (2,)]
    >>> net.predict([[5, 0, 7], [999]]).shape
    (2,)

    The first two features are numbers, the third is that of a city:

    >>> from fastnn import Concatenate, Input
    >>> x = Input(3)
    >>> row = Concatenate()(x[:2], Embedding(20_000, 8)(x[2:]))
    >>> net = Network(inputs=x, outputs=Dense(1)(Dense(32, "relu")(row)))
    >>> net.predict([[0.1, -0.4, 19_999]]).shape
    (1,)
    """

    tokens: int
    features: int
    functions = "embedding_forward", "embedding_backward"
    torch = "Embedding"

    def __post_init__(self):
        for name in ("tokens", "features"):
            object.__setattr__(self, name, whole_number(f"Embedding({name}=...)", getattr(self, name)))

    def __repr__(self):
        return f"Embedding({self.tokens}, {self.features})"

    def works_over_time(self, shape):
        return shape == (None,)

    def output_shape(self, shape):
        if shape == (1,) and self.tokens <= EXACT:
            return self.features,
        if shape == (1,):
            raise ValueError(f"{self!r} takes sequences of tokens, inputs=(None,); a feature holds the numbers of at most "
                             f"{EXACT:,} categories")
        if shape != (None,):
            raise ValueError(f"{self!r} takes sequences of tokens, inputs=(None,), and here a sample has the shape {shape}; "
                             "it also takes one feature that holds the number of a category, of shape (1,)")
        return None, self.features

    def kept_between_steps(self, shape):
        return {}

    def parameter_shapes(self, shape):
        return {"weight": (self.tokens, self.features)}

    def initial_parameters(self, shape, generator, activation):
        return {"weight": generator.uniform(-LARGEST_FIRST, LARGEST_FIRST, (self.tokens, self.features))}

    def multiply_adds(self, shape):
        return self.features

    def lower(self, program, index, x, activation):
        row, list_row, gradients = embedding_row, embedding_list_row, {}
        if x.shape:  # of one feature
            x = program.in_arena(x)
            row, list_row, gradients = embedding_of_numbers_row, embedding_of_numbers_list_row, {"dx": x.gradient}
        a, weight = program.tensor((self.features,)), program.offsets[f"{index}.weight"]
        table = {"x": x.offset, "weight": weight, "tokens": self.tokens, "features": self.features}
        used, begins = program.list_of_used(index, used_size(self.tokens))
        if used:
            program.emit(list_row(program.dtype, used=used, begins=begins, **table))
        parts = program.parts(program.batch * self.features, NUMBERS_PER_PART)
        program.emit(row(program.dtype, parts, a=a.offset, da=a.gradient, used=used, **gradients, **table))
        if program.training:
            program.emit_update(start=weight, rows=self.tokens, columns=self.features, parts=parts, used=used)
        return a

    def onnx(self, graph, x, parameters):
        weight = graph.tensor("weight", parameters["weight"])
        if graph.shape != (1,):
            return graph("Gather", weight, x, axis=0)
        # Cast truncates 0.5, and Gather takes -1 as the last row: numbers of no category are found, and give NaN
        last = graph.integers("last_axis", [-1])
        x = graph("Squeeze", x, last)
        token = graph("Cast", x, to="int64")
        known = graph("And", graph("Equal", graph("Cast", token, to=graph.dtype), x),
                      graph("And", graph("GreaterOrEqual", x, 0), graph("Less", x, self.tokens)))
        rows = graph("Gather", weight, graph("Where", known, token, graph.integers("first_category", 0)), axis=0)
        return graph("Where", graph("Unsqueeze", known, last), rows, nan)

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x, parameters)
