"""Losses: one record a file, holding the value and the gradient that belong together.

A loss is two scalar functions in plain Python, of one output a and its target y: `value(a, y)` and `prime(a, y)`, the
derivative in a. The loss of a batch sums over the outputs and averages over the samples:

    J = Σᵢ wᵢ Σⱼ value(aᵢⱼ, yᵢⱼ),    da = wᵢ prime(aᵢⱼ, yᵢⱼ),    wᵢ = 1/m (or the sample's share of all weights)

Nothing after the loss divides. Where a loss cancels with the activation before it (cross entropy after softmax), `on_logits`
holds the loss as a function of z. That form stays exact where the probabilities round to 0 or 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numba import types

from ..compiling.jit import Kernel, offset, pointer, view
from ..compiling.registry import Registry
from ..compiling.trace import at_full_width
from ..elementwise.precision import compiled_scalar
from ..elementwise.reduction import row_sum_float64

CACHED = 2048  # elements of each array to process at a time, so that all three arrays stay in the L1 cache


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss: its formulas, functions and properties.

    Attributes
    ----------
    name : str
    formula, prime_formula : str
        The loss of one output as a function of a and y, and its derivative with respect to a.
    value, prime : callable
        value(a, y) -> loss and prime(a, y) -> dloss/da, of scalars. With `rowwise`, a and y are lists, and prime returns a
        list.
    vectorized, vectorized_prime : callable
        The same functions on NumPy arrays, elementwise (with `rowwise`, along the last axis).
    smooth : bool
        Whether the derivative is continuous; if not, `kinks` lists the values of a − y where it jumps.
    on_logits : dict of str to Loss
        By the name of an activation, this loss as a function of that activation's z; its gradient is dz.
    domain : tuple of float
        The open interval that contains every valid a.
    targets : str
        "classes" (labels or probabilities that sum to one), "binary" (0 or 1, or between) or "values".
    on_target : callable
        For "values": on_target(y) returns the output with the smallest loss. By default that is y.
    needs_targets : bool
        False for a loss that depends on the output alone; then y may lack it.
    outputs_of_target : int
        The number of outputs for each number of a target. With 2, the first half of the outputs predicts the targets, and
        the kernel gets these in the first half of the columns of y.
    """

    name: str
    formula: str
    prime_formula: str
    value: Callable
    prime: Callable
    vectorized: Callable | None = None
    vectorized_prime: Callable | None = None
    smooth: bool = True
    kinks: tuple[float, ...] = ()
    rowwise: bool = False
    on_logits: dict = field(default_factory=dict)
    domain: tuple[float, float] = (float("-inf"), float("inf"))
    targets: str = "values"
    kernel: Kernel | None = None
    builtin: bool = True
    on_target: Callable = lambda y: y
    needs_targets: bool = True
    outputs_of_target: int = 1

    def __post_init__(self):
        if self.kernel is None:
            object.__setattr__(self, "kernel", elementwise_loss(self))


def loss_arguments(dtype):
    # row_losses (rows), da (rows, columns), a (rows, columns), y (rows, columns), weights (rows), rows, columns
    return types.CPointer(types.float64), *(pointer(dtype),) * 4, types.intp, types.intp


def plain_name(loss):
    """Return a name for functions: that of the loss without a decimal point."""
    return loss.name.replace(".", "p")


def elementwise_loss(loss):
    """row_losses = wᵢ Σⱼ value(a, y) and da = wᵢ prime(a, y). Destroys y."""

    def build(dtype):
        value = compiled_scalar(loss.value, dtype, f"{plain_name(loss)}_value")
        prime = compiled_scalar(loss.prime, dtype, f"{plain_name(loss)}_prime")

        def kernel(row_losses, da, a, y, weights, rows, columns):
            at_full_width()
            step = max(1, CACHED // columns)
            for start in range(0, rows, step):
                count, k = min(step, rows - start), start * columns
                size = count * columns
                da_, a_, y_ = view(da, k, size), view(a, k, size), view(y, k, size)
                losses, weights_ = view(row_losses, start, count), view(weights, start, count)
                for i in range(size):
                    da_[i] = prime(a_[i], y_[i])
                for i in range(size):  # separate from the loop of the gradients, so that both vectorize
                    y_[i] = value(a_[i], y_[i])
                if columns == 1:
                    for i in range(count):
                        da_[i] *= weights_[i]
                        losses[i] = weights_[i] * np.float64(y_[i])
                    continue
                for i in range(count):
                    da_row = view(da, k + i * columns, columns)
                    for j in range(columns):
                        da_row[j] *= weights_[i]
                    losses[i] = weights_[i] * row_sum_float64(columns, offset(y, k + i * columns))

        return kernel

    return Kernel(f"{plain_name(loss)}_loss", build, loss_arguments, cached=loss.builtin)


losses = Registry("loss", Loss)
register, families = losses.register, losses.families
losses.discover(__name__, __path__)
