"""The derivatives of a computation graph agree with calculus and with the other implementations."""

import doctest
import importlib
import math
import operator
import pkgutil
import sys

import numpy as np
import pytest
from small_nets import LOSSES, OUTPUTS, inputs_and_targets, random_net

from fastnn import graph, naive, vectorized
from fastnn.graph import Value
from fastnn.kernels.activations import activations

MODULES = ["fastnn.graph", *(f"fastnn.graph.{module.name}" for module in pkgutil.iter_modules(graph.__path__))]

EXPRESSIONS = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "numbers on the right": lambda a, b: (a + 2) * 3 - (b - 1) / 4,
    "numbers on the left": lambda a, b: (2 + a) * (3 * b) + (1 - a) * (2 / b),
    "powers": lambda a, b: a**3 + b**-2 + a**0.5 + b**0 + b**1,
    "minus": lambda a, b: -(a * -b),
    "a value used often": lambda a, b: a * a * a + a * b + b,
    "sum": lambda a, b: sum([a, b, a * b]),
    "functions": lambda a, b: graph.exp(a) * graph.log(b) + graph.exp(-a * b),
    "activations": lambda a, b: graph.sigmoid(a * b) + graph.tanh(a - b) * graph.relu(a) + graph.relu(-b),
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
@pytest.mark.parametrize(("a", "b"), [(0.7, 1.3), (2.5, 0.4)])
def test_derivatives_are_finite_differences(expression, a, b):
    def result(a, b):
        return expression(Value(a), Value(b)).value

    inputs = Value(a, "a"), Value(b, "b")
    expression(*inputs).backward()
    step = 1e-6
    assert inputs[0].derivative == pytest.approx((result(a + step, b) - result(a - step, b)) / (2 * step), abs=1e-8)
    assert inputs[1].derivative == pytest.approx((result(a, b + step) - result(a, b - step)) / (2 * step), abs=1e-8)


def test_notes_example():
    J = graph.notes_example()
    J.backward()
    nodes = {node.label: (node.value, node.derivative) for node in graph.topological_order(J)}
    assert nodes == {"a": (5, 3), "b": (3, 6), "c": (2, 9), "u": (6, 3), "v": (11, 3), "J": (33, 1)}


def test_backward_starts_afresh():
    a = Value(3.0)
    b = a * a
    c = b * 2
    for root, expected in ((c, 12), (c, 12), (b, 6), (a, 1)):
        root.backward()
        assert a.derivative == expected


def test_inputs_come_first():
    J, _ = graph.network_loss(random_net([2, 3, 1]), ["tanh", "sigmoid"], [[1.0, 2.0]], [[1.0]])
    order = graph.topological_order(J)
    place = {node: index for index, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is J
    for node in order:
        assert all(place[source] < place[node] for source, _ in node.inputs)


def test_a_deep_graph():
    total = Value(0.0)
    first = total
    for _ in range(5000):
        total = total + 1
    total.backward()
    assert (total.value, first.derivative) == (5000, 1)


@pytest.mark.parametrize("activation", activations, ids=str)
def test_activations_of_a_row(activation):
    numbers, da = [0.3, -1.2, 2.0], [1.0, -0.5, 2.0]
    z = [Value(number) for number in numbers]
    a = graph.activate_row(activation, z)
    sum(d * node for d, node in zip(da, a, strict=True)).backward()
    outputs = getattr(naive, activation)(numbers)
    assert [node.value for node in a] == outputs
    expected = naive.records.pullback(activations[activation], da, numbers, outputs)
    assert [node.derivative for node in z] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("activation", "loss"), OUTPUTS)
@pytest.mark.parametrize("batch", [1, 3])
def test_network_derivatives_are_the_gradients(activation, loss, batch):
    parameters, names = random_net([2, 3, 2]), ["relu", activation]
    x, y = inputs_and_targets(batch, 2, 2, LOSSES[loss])
    J, nodes = graph.network_loss(parameters, names, x, y, loss)
    J.backward()
    value, gradients = vectorized.backward(parameters, names, x, y, loss)
    assert J.value == pytest.approx(value, rel=1e-12)
    for layer, expected in zip(graph.derivatives(nodes), gradients, strict=True):
        for derivative, gradient in zip(layer, expected, strict=True):
            np.testing.assert_allclose(derivative, gradient, rtol=1e-10, atol=1e-14)


def test_logistic_regression_of_the_notes():
    """dz = a − y, along either path: −y/a + (1 − y)/(1 − a) times a(1 − a)."""
    J, _ = graph.network_loss([([[0.5], [-1.0]], [0.25])], ["sigmoid"], [[1.0, 2.0]], [[1.0]], "binary_cross_entropy")
    J.backward()
    nodes = {node.label: node for node in graph.topological_order(J)}
    a = 1 / (1 + math.exp(1.25))
    assert nodes["0.a[0,0]"].derivative == pytest.approx(-1 / a)
    assert nodes["0.z[0,0]"].derivative == pytest.approx(a - 1)
    assert nodes["0.weight[1,0]"].derivative == pytest.approx(2 * (a - 1))


def test_table():
    a = Value(4.0, "a")
    table = graph.describe((a * 2 + a) / 3 - 1).splitlines()
    assert [line.split() for line in table] == [
        ["node", "formula", "value", "dn4/dnode"],
        ["a", "4", "1"],
        ["n1", "a", "*", "2", "8", "0.333333"],
        ["n2", "n1", "+", "a", "12", "0.333333"],
        ["n3", "n2", "/", "3", "4", "1"],
        ["n4", "n3", "-", "1", "3", "1"],
    ]
    assert len({len(line) for line in table}) == 1


def test_table_of_a_network():
    parameters, x, y = [([[1.0, 0.0]], [0.0, 0.0])], [[1.0], [2.0]], [[1.0, 0.0], [0.0, 1.0]]
    J, _ = graph.network_loss(parameters, ["softmax"], x, y, "cross_entropy")
    formulas = ["x[1,:] @ 0.weight[:,0] + 0.bias[0]", "softmax(0.z[1,:])[0]", "cross_entropy(a[1,:], y[1,:])", "mean(loss)"]
    for formula in formulas:
        assert formula in graph.describe(J)


def test_errors_name_the_repair():
    a, b = Value(2.0), Value(3.0)
    with pytest.raises(TypeError, match="exp"):
        a**b
    with pytest.raises(ValueError, match="activate_row"):
        graph.activate("softmax", a)
    with pytest.raises(ValueError, match="unknown activation 'tahn'"):
        graph.activate("tahn", a)
    with pytest.raises(ValueError, match="y has shape"):
        graph.network_loss([([[1.0]], [0.0])], ["tanh"], [[1.0]], [[1.0, 2.0]])


def drawn_texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_drawing():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    ax = graph.draw(graph.notes_example())
    assert {"a", "u = b * c", "J = 3 * v", "33", "dJ/dc = 9"} <= set(drawn_texts(ax))
    assert len(ax.patches) == 6
    J, _ = graph.network_loss(random_net([2, 3, 2]), ["relu", "softmax"], [[1.0, 2.0]], [[1.0, 0.0]], "cross_entropy")
    figure, axes = plt.subplots(1, 2)
    assert graph.draw(J, axes[1]) is axes[1]
    assert len(axes[1].patches) == len(graph.topological_order(J))
    # no two boxes overlap
    boxes = [patch.get_window_extent() for patch in axes[1].patches]
    assert not any(boxes[i].overlaps(boxes[j]) for i in range(len(boxes)) for j in range(i))
    # the text stays in its box
    figure.canvas.draw()
    texts = [text for text in axes[1].texts if text.get_text()]
    for i, box in enumerate(boxes):
        for text in texts[3 * i : 3 * i + 3]:
            extent = text.get_window_extent()
            assert box.x0 - 1 <= extent.x0
            assert extent.x1 <= box.x1 + 1
    plt.close("all")


def test_drawing_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install \"fastnn-numba\[plot\]\""):
        graph.draw(graph.notes_example())


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


NONE = [None, "1", 1j, [1.0], object(), True]


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_number_and_no_node_is_refused(value):
    node = Value(2.0)
    for operate in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        for sides in ((node, value), (value, node)):
            with pytest.raises(TypeError, match=r"unsupported operand|can only concatenate|can't multiply"):
                operate(*sides)
    with pytest.raises(ValueError, match=r"^value is .*; it must be a number"):
        Value(value)
    if not isinstance(value, str):
        with pytest.raises(ValueError, match=r"^label is .*; it must be a str"):
            node.named(value)
    for call in (graph.exp, graph.log, graph.describe, graph.topological_order, lambda z: graph.activate("relu", z),
                 lambda z: graph.activate_row("softmax", [z])):
        with pytest.raises(ValueError, match=r"(x|root|z|z\[0\]) is .*; it must be a Value, such as Value\(1.0\)"):
            call(value)


@pytest.mark.parametrize(("call", "says"), [
    (lambda: Value(-1.0) ** 0.5, "-1 \\*\\* 0.5 is no real number; take the power of a node above 0"),
    (lambda: graph.log(Value(0.0)), "x is 0; the logarithm takes numbers above 0"),
    (lambda: graph.activate_row("softmax", []), "z is empty; give at least one node"),
    (lambda: graph.activate_row("softmax", 3), "z is 3; it must be a list"),
    (lambda: loss_of(x=[1.0]), r"x has shape \(1,\); it must have 2 axes"),
    (lambda: loss_of(x=[["a"]]), "x has dtype <U1; it must hold real numbers"),
    (lambda: loss_of(y=[[]]), "y has shape .*; it must have 2 axes, none of them empty"),
    (lambda: loss_of(x=[[1.0], [1.0, 2.0]]), "x is not a rectangular array: .*; give rows of equal length"),
    (lambda: loss_of(parameters=[[[2.0]]]), r"parameters is .*; it must be a list of \(weight, bias\), one a layer"),
    (lambda: loss_of(parameters=[([2.0], [0.0])]), "weight of layer 0 has shape .*; it must have 2 axes"),
    (lambda: loss_of(activations=3), "activations is 3; it must be a list"),
    (lambda: graph.derivatives(3), "nodes is 3; it must be a list"),
])
def test_graphs_that_cannot_be(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def loss_of(**given):
    return graph.network_loss(**{"parameters": [([[2.0]], [0.0])], "activations": ["identity"], "x": [[1.0]], "y": [[1.0]],
                                 **given})
