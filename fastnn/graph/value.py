"""The nodes of a computation graph: numbers, the operators and functions on them, and backpropagation."""

import math

import numpy as np

from .. import naive
from ..checks import an_instance, real_number, several, shown
from ..kernels.activations import activations as registry


class Value:
    """A number in a computation graph.

    A Value that you make is an input of the graph; one made by an operator or a function is a node that knows its inputs.

    Parameters
    ----------
    value : float
    label : str
        Its name in tables and drawings.
    formula : str
        The formula from which it was computed, with {} for the name of each input.
    inputs : sequence of (Value, float)
        Each input and the derivative of this node with respect to it.

    Attributes
    ----------
    derivative : float
        The derivative of the result with respect to this node, after a call of `backward` on the result.

    Examples
    --------
    >>> x = Value(3.0, "x")
    >>> y = (x * x + 1).named("y")
    >>> y.backward()
    >>> y.value, x.derivative
    (10.0, 6.0)
    """

    def __init__(self, value, label="", *, formula="", inputs=()):
        if not is_number(value):
            raise ValueError(f"value is {shown(value)}; it must be a number")
        self.value, self.label = real_number(value), an_instance("label", label, str)
        self.formula, self.inputs = an_instance("formula", formula, str), several("inputs", inputs)
        self.derivative = 0.0

    def named(self, label):
        """Set the label of the node, and return the node."""
        self.label = an_instance("label", label, str)
        return self

    def backward(self):
        """Set `derivative` of all nodes that this node depends on to the derivative of this node with respect to them."""
        nodes = topological_order(self)
        for node in nodes:
            node.derivative = 0.0
        self.derivative = 1.0
        for node in reversed(nodes):
            for source, local in node.inputs:
                source.derivative += node.derivative * local

    def __add__(self, other):
        return operation("+", self, other, add)

    def __radd__(self, number):
        begins_a_sum = is_number(number) and number == 0  # as the built-in function `sum` does
        return self if begins_a_sum else operation("+", number, self, add)

    def __sub__(self, other):
        return operation("-", self, other, subtract)

    def __rsub__(self, number):
        return operation("-", number, self, subtract)

    def __mul__(self, other):
        return operation("*", self, other, multiply)

    def __rmul__(self, number):
        return operation("*", number, self, multiply)

    def __truediv__(self, other):
        return operation("/", self, other, divide)

    def __rtruediv__(self, number):
        return operation("/", number, self, divide)

    def __pow__(self, exponent):
        if isinstance(exponent, Value):
            raise TypeError("the exponent of ** must be a plain number; write a power of two nodes as exp(log(a) * b)")
        if not is_number(exponent):
            return NotImplemented
        value, exponent = self.value, real_number(exponent)
        if value < 0 and not exponent.is_integer():
            raise ValueError(f"{value:g} ** {exponent:g} is no real number; take the power of a node above 0")
        local = exponent * value ** (exponent - 1) if exponent else 0.0
        return Value(value**exponent, formula=f"{{}} ** {exponent:g}", inputs=[(self, local)])

    def __neg__(self):
        return Value(-self.value, formula="-{}", inputs=[(self, -1.0)])

    def __repr__(self):
        label = f"{self.label!r}, " if self.label else ""
        return f"Value({label}value={self.value:g}, derivative={self.derivative:g})"


def is_number(value):
    """Return whether `value` is a real number of Python or NumPy, including NaN and infinity."""
    return isinstance(value, (float, np.floating)) or not math.isnan(real_number(value))


def a_node(where, value):
    """Return `value` if it is a node, else raise ValueError."""
    if not isinstance(value, Value):
        raise ValueError(f"{where} is {shown(value)}; it must be a Value, such as Value(1.0)")
    return value


# The value of an operator, and its derivatives with respect to its left and right operands.


def add(x, y):
    return x + y, 1.0, 1.0


def subtract(x, y):
    return x - y, 1.0, -1.0


def multiply(x, y):
    return x * y, y, x


def divide(x, y):
    return x / y, 1 / y, -x / y**2


def operation(symbol, left, right, rule):
    """Return the node of `left symbol right`; a plain number becomes part of the formula instead of a node."""
    if not all(isinstance(side, Value) or is_number(side) for side in (left, right)):
        return NotImplemented
    x, y = (side.value if isinstance(side, Value) else real_number(side) for side in (left, right))
    value, dx, dy = rule(x, y)
    names = ["{}" if isinstance(side, Value) else f"{real_number(side):g}" for side in (left, right)]
    inputs = [(side, local) for side, local in ((left, dx), (right, dy)) if isinstance(side, Value)]
    return Value(value, formula=f"{names[0]} {symbol} {names[1]}", inputs=inputs)


def exp(x: Value) -> Value:
    """Return eˣ, whose derivative is itself."""
    value = math.exp(a_node("x", x).value)
    return Value(value, formula="exp({})", inputs=[(x, value)])


def log(x: Value) -> Value:
    """Return the natural logarithm of x, whose derivative is 1/x."""
    if not a_node("x", x).value > 0:
        raise ValueError(f"x is {x.value:g}; the logarithm takes numbers above 0")
    return Value(math.log(x.value), formula="log({})", inputs=[(x, 1 / x.value)])


def activate(name: str, z: Value) -> Value:
    """Return a = g(z) for a registered activation, as one node with the record's derivative g'(z).

    Examples
    --------
    >>> z = Value(0.0, "z")
    >>> activate("softplus", z).backward()
    >>> z.derivative
    0.5
    """
    activation = registry.resolve(name)
    if activation.rowwise:
        raise ValueError(f"{activation.name} takes a whole row; use activate_row")
    a_node("z", z)
    a = naive.records.activate(activation, z.value)
    local = naive.records.derivative(activation, z.value, a)
    return Value(a, formula=f"{activation.name}({{}})", inputs=[(z, local)])


def activate_row(name: str, z: list[Value], z_name: str = "z") -> list[Value]:
    """Return the activations of a row; if they are row-wise, each is a node with all of z as its inputs.

    Examples
    --------
    >>> z = [Value(0.0, "z[0]"), Value(0.0, "z[1]")]
    >>> a = activate_row("softmax", z)
    >>> a[0].backward()
    >>> z
    [Value('z[0]', value=0, derivative=0.25), Value('z[1]', value=0, derivative=-0.25)]
    """
    activation, z = registry.resolve(name), [a_node(f"z[{j}]", each) for j, each in enumerate(several("z", z))]
    if not z:
        raise ValueError("z is empty; give at least one node")
    if not activation.rowwise:
        return [activate(name, number) for number in z]
    numbers = [number.value for number in z]
    a = naive.records.activate(activation, numbers)
    row = []
    for j in range(len(z)):
        unit = [1.0 if k == j else 0.0 for k in range(len(z))]
        locals_ = naive.records.pullback(activation, unit, numbers, a)  # daⱼ/dz
        row.append(Value(a[j], formula=f"{activation.name}({z_name})[{j}]", inputs=zip(z, locals_, strict=True)))
    return row


def sigmoid(z: Value) -> Value:
    """Return 1 / (1 + e⁻ᶻ), whose derivative is a (1 − a)."""
    return activate("sigmoid", z)


def tanh(z: Value) -> Value:
    """Return the hyperbolic tangent of z, whose derivative is 1 − a²."""
    return activate("tanh", z)


def relu(z: Value) -> Value:
    """Return max(z, 0), whose derivative is 1 where z > 0, else 0."""
    return activate("relu", z)


def topological_order(root: Value) -> list[Value]:
    """Return the nodes that `root` was computed from, each after all of its inputs; `root` comes last."""
    order, seen, stack = [], set(), [(a_node("root", root), False)]
    while stack:  # an explicit stack, because a graph may be deeper than Python's recursion limit
        node, inputs_are_done = stack.pop()
        if inputs_are_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((source, False) for source, _ in reversed(node.inputs))
    return order
