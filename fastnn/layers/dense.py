"""The fully connected layer."""

from dataclasses import dataclass

from ..checks import not_negative, whole_number
from ..kernels.layers.dense import combine_row, dense_row
from ..kernels.products.product import chain_count
from ..runtime.threads import FLOPS_PER_PART, NUMBERS_PER_PART
from .base import Layer, features_of, refuse_exchanged, register, registered_activation
from .initializers import initializers


@register
@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer: a = g(x @ weight + bias).

    Parameters
    ----------
    out_features : int
        The number of outputs.
    activation : str or Activation, default "identity"
        The name of g, one of `fastnn.activations`.
    initializer : str, optional
        The initializer of the weight, one of `fastnn.initializers`; the default depends on the activation.
    l1, l2 : float, default 0
        Penalty on the weight: l1 Σ |w| + l2 Σ w² is part of the loss. The bias has no penalty.

    Examples
    --------
    >>> from fastnn import Dense
    >>> Dense(64, "relu")
    Dense(64, 'relu')
    """

    out_features: int
    activation: str = "identity"
    initializer: str | None = None
    l1: float = 0.0
    l2: float = 0.0
    takes_activation = True
    adds_gradient = True
    functions = "linear_forward", "linear_backward"
    torch = "Linear"

    def __post_init__(self):
        refuse_exchanged(self, "out_features")
        object.__setattr__(self, "out_features", whole_number("Dense(out_features=...)", self.out_features))
        object.__setattr__(self, "activation", registered_activation(self.activation))
        if self.initializer is not None:
            object.__setattr__(self, "initializer", initializers.resolve(self.initializer).name)
        for name in ("l1", "l2"):
            object.__setattr__(self, name, not_negative(f"Dense({name}=...)", getattr(self, name)))

    def __repr__(self):
        options = {name: getattr(self, name) for name in ("initializer", "l1", "l2")}
        tail = "".join(f", {name}={value!r}" for name, value in options.items() if value)
        return f"Dense({self.out_features}, {self.activation!r}{tail})"

    def output_shape(self, shape):
        features_of(self, shape)
        return (self.out_features,)

    def parameter_shapes(self, shape):
        return {"weight": (*shape, self.out_features), "bias": (self.out_features,)}

    def initial_parameters(self, shape, generator, activation):
        initializer = initializers[self.initializer or activation.initializer]
        return {"weight": initializer.draw(generator, (*shape, self.out_features)), "bias": 0.0}

    def lower(self, program, index, x, activation):
        a = lower_product(program, x, self.out_features, f"{index}.weight", f"{index}.bias", activation)
        if self.l1 or self.l2:
            program.emit_penalty(program.offsets[f"{index}.weight"], x.features * self.out_features, self.l1, self.l2)
        return a

    def onnx(self, graph, x, parameters):
        z = graph("Gemm", x, *(graph.tensor(name, array) for name, array in parameters.items()))  # x @ weight + bias
        return graph.activation(self.activation_record, z)

    def config(self):
        penalties = {name: value for name, value in (("l1", self.l1), ("l2", self.l2)) if value}
        return {"layer": "Dense", "out_features": self.out_features, "activation": self.activation,
                "initializer": self.initializer, **penalties}


def lower_product(program, x, out_features, weight, bias, activation=None):
    """Emit the rows of a = g(x @ weight + bias) for each row of x; return the tensor of a.

    weight, bias: names of parameters, by the number of their layer, which lie one after the other in memory.
    """
    in_features, weight = x.features, program.offsets[weight]
    work = 2 * program.batch * in_features * out_features
    z, a = program.around_activation((out_features,), activation)
    wants_dx = program.training and x.gradient is not None
    parts = program.parts(work, FLOPS_PER_PART)
    by_chains = program.training and parts > 1 and chain_count(in_features) > 1
    shares = {"forward": parts if by_chains else min(parts, program.batch)}
    if program.training:
        shares["backward_first"] = program.parts(program.batch * out_features, NUMBERS_PER_PART)
        shares["backward_second"] = max(parts, program.parts(program.batch * in_features, NUMBERS_PER_PART))
        shares["backward_third"] = min(parts, in_features)
    row = dense_row(
        program.dtype, activation, shares,
        x=x.offset, z=z.offset, a=a.offset, dz=z.gradient, dx=x.gradient if wants_dx else None,
        scratch=program.scratch(in_features * out_features) if wants_dx else 0,
        weight=weight, bias=program.offsets[bias],
        batch=program.batch, in_features=in_features, out_features=out_features, from_data=x.from_data,
        chains=program.arena.take((chain_count(in_features) - 1) * program.batch * out_features) if by_chains else 0,
        padded=True,  # arrays of the arena end with a cache line
        gathered=program.training and program.is_gathered(x),
        adds=x.adds,
    )
    program.emit(row)
    if by_chains:
        program.emit(combine_row(program.dtype, parts, row))
    if program.training:  # the bias follows the weight in memory, like one more row of it
        program.emit_update(start=weight, rows=in_features + 1, columns=out_features, parts=min(parts, in_features))
    return a
