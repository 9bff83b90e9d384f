"""Sums of tensors: Add, Subtract and Average."""

from dataclasses import dataclass

from ...kernels.layers.joins.add import add_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import register
from .base import Join


class WeightedSum(Join):
    """Base class of the sums a = Σ factor · x. A subclass defines the factors."""

    functions = "weighted_sum_forward", "weighted_sum_backward"

    def factors(self, count):
        """Return the factors of so many tensors."""
        return [1.0] * count

    def lower(self, program, index, given, activation):
        given, factors = [program.in_arena(x) for x in given], self.factors(len(given))
        taken = sole_gradient(given, factors) if program.training else None
        a = program.tensor(given[0].shape, gradient=None if taken is None else given[taken].gradient)
        wanted = [None if number == taken else x.gradient for number, x in enumerate(given)]
        for number in range(1, len(given)):
            y, first = given[number], number == 1
            x = given[0] if first else a
            program.emit(add_row(
                program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x=x.offset, y=y.offset,
                a=a.offset, da=a.gradient, features=a.features, dx=wanted[0] if first else None, dy=wanted[number],
                adds_x=x.adds, adds_y=y.adds, factors=(factors[0] if first else 1.0, factors[number]),
            ))
        return a


def sole_gradient(given, factors):
    """Return the number of a tensor whose gradient's memory can hold that of the sum, or None: for 1 · x they are the same.

    The gradient of x must be written here, not added to, and belong to no other tensor of the sum.
    """
    gradients = [x.gradient for x in given]
    for number in reversed(range(len(given))):
        if factors[number] == 1 and not given[number].adds and gradients[number] is not None \
                and gradients.count(gradients[number]) == 1:
            return number
    return None


@register
@dataclass(frozen=True)
class Add(WeightedSum):
    """The sum of tensors of one shape. For two nodes of a graph, `x + y` is the same.

    Examples
    --------
    >>> from fastnn import Add, Dense, Input
    >>> x = Input(4)
    >>> Add()(Dense(3)(x), Dense(3, "tanh")(x), Dense(3, "relu")(x)).shape
    (3,)
    """

    def onnx(self, graph, x, parameters):
        return chained(graph, "Add", x)


@register
@dataclass(frozen=True)
class Subtract(WeightedSum):
    """The difference of two tensors of one shape, the first minus the second. `x - y` is the same.

    Examples
    --------
    >>> from fastnn import Dense, Input, Subtract
    >>> x = Input(4)
    >>> Subtract()(x, Dense(4)(x)).shape
    (4,)
    """

    most = 2

    def factors(self, count):
        return [1.0, -1.0]

    def onnx(self, graph, x, parameters):
        return graph("Sub", *x)


@register
@dataclass(frozen=True)
class Average(WeightedSum):
    """The mean of tensors of one shape, element by element.

    Examples
    --------
    >>> from fastnn import Average, Dense, Input
    >>> x = Input(4)
    >>> Average()([Dense(3)(x), Dense(3, "tanh")(x)]).shape
    (3,)
    """

    def factors(self, count):
        return [1.0 / count] * count

    def onnx(self, graph, x, parameters):
        return graph("Mul", chained(graph, "Add", x), 1.0 / len(x))


def chained(graph, operator, values):
    """Add an operator of two values for each value after the first; return the last output."""
    result, *others = values
    for value in others:
        result = graph(operator, result, value)
    return result
