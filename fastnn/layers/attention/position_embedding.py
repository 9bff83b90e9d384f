"""A learned vector for each position of a sequence."""

from dataclasses import dataclass

from ...checks import whole_number
from ...kernels.layers.attention.position_embedding import position_embedding_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from ..sequences.embedding import LARGEST_FIRST


@register
@dataclass(frozen=True)
class PositionEmbedding(Layer):
    """A vector of its own for each position, added to the step that stands there.

    It is an alternative to `PositionalEncoding`, whose vectors are fixed: attention does not know the order of steps. The
    "weight" (positions, features) is learned. Longer sequences are refused.

    Parameters
    ----------
    positions : int
        The largest number of steps of a sequence.

    Examples
    --------
    >>> from fastnn import Dense, Embedding, GlobalAveragePool, Network, PositionEmbedding, TransformerEncoder
    >>> net = Network([Embedding(100, 16), PositionEmbedding(50), TransformerEncoder(2, 32), GlobalAveragePool(),
    ...                Dense(2, "softmax")], inputs=(None,))
    >>> net.parameters["1.weight"].shape
    (50, 16)
    """

    positions: int
    functions = "position_embedding_forward", "position_embedding_backward"
    torch = "Embedding"

    def __post_init__(self):
        object.__setattr__(self, "positions", whole_number("PositionEmbedding(positions=...)", self.positions))

    def __repr__(self):
        return f"PositionEmbedding({self.positions})"

    def works_over_time(self, shape):
        return True

    def output_shape(self, shape):
        if shape == (None,):
            raise ValueError(f"{self!r} takes sequences of features, and here a sample is a sequence of tokens, "
                             "inputs=(None,); put an Embedding before it")
        if len(shape) != 2:
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {shape}; give "
                             "inputs=(None, features) for sequences of any length, (steps, features) for those of one")
        if shape[0] is not None and shape[0] > self.positions:
            raise ValueError(f"{self!r} has {self.positions} positions, and here a sample has {shape[0]} steps; give "
                             f"PositionEmbedding({shape[0]})")
        return shape

    def most_steps(self, shape):
        return self.positions

    def kept_between_steps(self, shape):
        raise ValueError(f"{self!r} counts the steps of whole sequences")

    def parameter_shapes(self, shape):
        return {"weight": (self.positions, shape[-1])}

    def initial_parameters(self, shape, generator, activation):
        return {"weight": generator.uniform(-LARGEST_FIRST, LARGEST_FIRST, (self.positions, shape[-1]))}

    def multiply_adds(self, shape):
        return (shape[0] or 1) * shape[-1]

    def lower(self, program, index, x, activation):
        given, x, weight = x, program.steps_of(x), program.offsets[f"{index}.weight"]
        with program.on(x.axis):
            a = program.tensor_like(x)
        with program.on(None):
            parts = program.parts(x.axis.rows * x.features, NUMBERS_PER_PART)
            da = a.gradient
            if program.training and da is None:  # nobody asks for the gradient of x, which is that of the weight too
                da = a.gradient = program.arena.borrow(x.axis.rows * x.features)
            program.emit(position_embedding_row(program.dtype, parts, axis=x.axis.place, positions=self.positions,
                                                features=x.features, weight=weight, x=x.offset, a=a.offset, da=da))
            if program.training:
                program.emit_update(start=weight, rows=self.positions, columns=x.features, parts=min(parts, self.positions))
        return program.like(a, given)

    def onnx(self, graph, x, parameters):
        weight, steps = graph.tensor("weight", parameters["weight"]), graph.shape[0]
        if steps < self.positions:
            weight = graph("Slice", weight, *(graph.tensor(name, [number], "int64") for name, number in (
                ("starts", 0), ("ends", steps), ("axes", 0))))
        return graph("Add", x, weight)

    def onnx_over_time(self, graph, x, parameters):
        positions, weight = graph.axes[0].positions, graph.tensor("weight", parameters["weight"])
        return graph("Add", x, graph("Gather", weight, positions, axis=0))
