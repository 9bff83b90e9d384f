"""Activations a = g(z): one record a file, holding the value, the derivative and their formulas.

An elementwise activation is two scalar functions in plain Python: `value(z)` and `prime(z, a)`, the derivative given both z
and a = g(z). They define the activation: called directly they are the naive version; compiled for a dtype they are the inner
loops of the kernels. `vectorized` and `vectorized_prime` are written independently in NumPy; tests compare the two.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from numba import types

from ..compiling.jit import Kernel, address_of, pointer, view
from ..compiling.registry import Registry
from ..compiling.trace import at_full_width
from ..elementwise.precision import compiled_scalar


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation: its formulas, functions and properties.

    Attributes
    ----------
    name : str
    formula, prime_formula : str
        a as a function of z; da/dz as a function of z and a.
    value : callable
        value(z) -> a, scalars. With `rowwise`, z and a are lists.
    prime : callable
        prime(z, a) -> da/dz, scalars. With `rowwise`, pullback(da, z, a) -> dz, lists.
    vectorized, vectorized_prime : callable
        The same functions on NumPy arrays of any shape (with `rowwise`, along the last axis).
    initializer : str
        The default initializer of a layer with this activation.
    smooth : bool
        Whether the derivative is continuous; if not, `kinks` lists where it jumps.
    needs_z : bool
        Whether the derivative needs z; if not, prime(a, a) = prime(z, a), and a replaces z in memory.
    keeps_order : bool
        Whether the largest of several a is g of the largest z, and where different z have the same a, the derivative is 0.
        Then a max pool may come before the activation.
    rowwise : bool
        Whether an output depends on its whole row, as for softmax; such an activation has its own kernels.
    onnx : str, callable or None
        The ONNX operator that computes it, with `onnx_attributes`. If there is none, a function onnx(graph, z) -> a that
        combines several operators: `graph("Mul", z, 0.5)` adds an operator on values and numbers and returns its output.
    onnx_attributes : dict
    onnx_float64 : callable, optional
        As `onnx`, from operators that ONNX Runtime computes in float64, if it does not compute `onnx` so (version 1.32).
    """

    name: str
    formula: str
    prime_formula: str
    value: Callable
    prime: Callable
    vectorized: Callable | None = None
    vectorized_prime: Callable | None = None
    initializer: str = "glorot_uniform"
    smooth: bool = True
    kinks: tuple[float, ...] = ()
    needs_z: bool = True
    keeps_order: bool = False
    rowwise: bool = False
    onnx: str | Callable | None = None
    onnx_attributes: dict = field(default_factory=dict)
    onnx_float64: Callable | None = None
    forward: Kernel | None = None
    backward: Kernel | None = None
    builtin: bool = True

    def __post_init__(self):
        if self.forward is None:
            object.__setattr__(self, "forward", elementwise_forward(self))
            object.__setattr__(self, "backward", elementwise_backward(self))


def forward_arguments(dtype):
    return pointer(dtype), pointer(dtype), types.intp, types.intp  # a, z, rows, columns


def backward_arguments(dtype):
    return pointer(dtype), pointer(dtype), pointer(dtype), types.intp, types.intp  # dz, z, a, rows, columns


def elementwise_forward(activation):
    """a = g(z). Without `needs_z`, a and z may be the same array."""

    def build(dtype):
        value, in_place = compiled_scalar(activation.value, dtype, f"{activation.name}_value"), not activation.needs_z

        def forward(a, z, rows, columns):
            at_full_width()
            a_, z_ = view(a, 0, rows * columns), view(z, 0, rows * columns)
            if in_place and address_of(a_) == address_of(z_):  # a loop of its own: one over both would not be vectorized
                for i in range(rows * columns):
                    a_[i] = value(a_[i])
                return
            for i in range(rows * columns):
                a_[i] = value(z_[i])

        return forward

    return Kernel(f"{activation.name}_forward", build, forward_arguments, cached=activation.builtin)


def elementwise_backward(activation):
    """dz = da · g'(z), in place: dz holds da when it is called."""

    def build(dtype):
        prime = compiled_scalar(activation.prime, dtype, f"{activation.name}_prime")

        def backward(dz, z, a, rows, columns):
            at_full_width()
            dz_, z_, a_ = view(dz, 0, rows * columns), view(z, 0, rows * columns), view(a, 0, rows * columns)
            for i in range(rows * columns):
                dz_[i] *= prime(z_[i], a_[i])

        return backward

    return Kernel(f"{activation.name}_backward", build, backward_arguments, cached=activation.builtin)


activations = Registry("activation", Activation)
register = activations.register
activations.discover(__name__, __path__)
