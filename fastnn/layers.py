"""Layers: frozen specifications. A layer says what parameters it has; `fastnn.program` lowers it to rows of the table."""

from dataclasses import dataclass

from .checks import whole_number
from .initializers import initializers
from .kernels.activations import Activation, activations
from .kernels.linear import combine_row, dense_row
from .kernels.product import chain_count
from .kernels.registry import Registry
from .kernels.table import BACKWARD_INPUT, BACKWARD_OUTPUT, BACKWARD_WEIGHT, FORWARD
from .threads import FLOPS_PER_PART, NUMBERS_PER_PART


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: a = g(x @ weight + bias).

    Parameters
    ----------
    out_features : int
        How many outputs it has.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    initializer : str, optional
        How its weight is drawn, one of `fastnn.initializers`; the default suits the activation.

    Examples
    --------
    >>> from fastnn import Dense
    >>> Dense(64, "relu")
    Dense(64, 'relu')
    """

    out_features: int
    activation: str = "identity"
    initializer: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "out_features", whole_number("Dense(out_features=...)", self.out_features))
        record = activations.resolve(self.activation)
        if activations.get(record.name) is not record:
            raise ValueError(f"activation {record.name!r} is not registered; register it with fastnn.register_activation")
        object.__setattr__(self, "activation", record.name)
        if self.initializer is not None:
            object.__setattr__(self, "initializer", initializers.resolve(self.initializer).name)

    def __repr__(self):
        tail = f", initializer={self.initializer!r}" if self.initializer else ""
        return f"Dense({self.out_features}, {self.activation!r}{tail})"

    @property
    def activation_record(self) -> Activation:
        return activations[self.activation]

    def parameter_shapes(self, in_features):
        """The shapes of its parameters by name, in the order in which they lie in memory."""
        return {"weight": (in_features, self.out_features), "bias": (self.out_features,)}

    def initial_parameters(self, in_features, generator):
        """First values of its parameters, float64 arrays by name."""
        initializer = initializers[self.initializer or self.activation_record.initializer]
        return {"weight": initializer.draw(generator, (in_features, self.out_features)), "bias": 0.0}

    def lower(self, program, index, x, activation):
        """Emit the row of this layer, number `index`, for the tensor x; return the tensor that it gives.

        activation: the record to apply, None for none (a loss on the logits stands for the activation).
        """
        in_features, out_features = x.features, self.out_features
        work = 2 * program.batch * in_features * out_features
        z = program.tensor(out_features)
        a = z if activation is None else program.tensor(out_features, gradient=z.gradient)
        wants_dx = program.training and x.gradient is not None
        parts = program.parts(work, FLOPS_PER_PART)
        by_chains = program.training and parts > 1 and chain_count(in_features) > 1
        row = dense_row(
            program.dtype, activation,
            {
                FORWARD: parts if by_chains else min(parts, program.batch),
                BACKWARD_OUTPUT: program.parts(program.batch * out_features, NUMBERS_PER_PART),
                BACKWARD_INPUT: parts,
                BACKWARD_WEIGHT: min(parts, in_features),
            },
            x=x.offset, z=z.offset, a=a.offset, dz=z.gradient, dx=x.gradient if wants_dx else None,
            scratch=program.scratch(in_features * out_features) if wants_dx else 0,
            weight=program.offsets[f"{index}.weight"], bias=program.offsets[f"{index}.bias"],
            batch=program.batch, in_features=in_features, out_features=out_features, x_data=x.data,
            chains=program.arena.take((chain_count(in_features) - 1) * program.batch * out_features) if by_chains else 0,
        )
        program.emit(row)
        if by_chains:
            program.emit(combine_row(program.dtype, parts, row))
        # the bias lies behind the weight, like one more row of it
        program.emit_update(start=program.offsets[f"{index}.weight"], rows=in_features + 1, columns=out_features,
                            parts=min(parts, in_features))
        return a

    def config(self):
        """What `Network.load` needs to make it again."""
        return {"layer": "Dense", "out_features": self.out_features, "activation": self.activation,
                "initializer": self.initializer}


layers = Registry("layer", type)
layers.records["Dense"] = Dense


def layers_from_config(configs):
    """The layers that a list of their `config()` describes."""
    return [layers[options["layer"]](**{name: value for name, value in options.items() if name != "layer"})
            for options in configs]


def parameter_shapes(layers, inputs):
    """The shapes of all parameters of a network by name ("0.weight", …), in the order in which they lie in memory."""
    shapes, in_features = {}, inputs
    for index, layer in enumerate(layers):
        for name, shape in layer.parameter_shapes(in_features).items():
            shapes[f"{index}.{name}"] = shape
        in_features = layer.out_features
    return shapes
