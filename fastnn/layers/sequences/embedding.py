"""A vector for each token."""

from dataclasses import dataclass

from ...checks import whole_number
from ...kernels.layers.sequences.embedding import embedding_list_row, embedding_row, used_size
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register

LARGEST_FIRST = 0.05


@register
@dataclass(frozen=True)
class Embedding(Layer):
    """A vector of its own for each token, a row of the weight.

    A sequence of tokens, whole numbers from 0 to tokens − 1, becomes a sequence (steps, features). It is the first layer of
    a network with `inputs=(None,)`.

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
        return len(shape) == 1

    def output_shape(self, shape):
        if shape != (None,):
            raise ValueError(f"{self!r} takes sequences of tokens, inputs=(None,), and here a sample has the shape {shape}")
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
        a, weight = program.tensor((self.features,)), program.offsets[f"{index}.weight"]
        table = {"weight": weight, "tokens": self.tokens, "features": self.features}
        used, begins = program.list_of_used(index, used_size(self.tokens))
        if used:
            program.emit(embedding_list_row(program.dtype, x=x.offset, used=used, begins=begins, **table))
        parts = program.parts(program.batch * self.features, NUMBERS_PER_PART)
        program.emit(embedding_row(program.dtype, parts, x=x.offset, a=a.offset, da=a.gradient, used=used, **table))
        if program.training:
            program.emit_update(start=weight, rows=self.tokens, columns=self.features, parts=parts, used=used)
        return a

    def onnx(self, graph, x, parameters):
        return graph("Gather", graph.tensor("weight", parameters["weight"]), x, axis=0)

    def onnx_over_time(self, graph, x, parameters):
        return self.onnx(graph, x, parameters)
