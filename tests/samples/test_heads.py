"""The head alone defines the meaning of outputs, for any last layer and loss."""

import ast
from pathlib import Path

import jit_callers
import numpy as np
import pytest
from small_nets import OUTPUTS

import fastnn
from fastnn import Dense, Network, Population, losses
from fastnn.samples.heads import OneClass, Values, YesOrNo

PACKAGE = Path(fastnn.__file__).parent
ENDS = [(last, loss, outputs) for last, loss in OUTPUTS for outputs in (1, 3)
        if not (outputs == 1 and (last == "softmax" or losses[loss].targets == "classes"))]
every_end = pytest.mark.parametrize(("last", "loss", "outputs"), ENDS)
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4))


def network(last, loss, outputs):
    return Network([Dense(5, "tanh"), Dense(outputs, last)], inputs=4, loss=loss, dtype="float64")


def expected_head(last, loss, outputs):
    if loss == "output" or (last not in ("softmax", "sigmoid") and losses[loss].targets == "values"):
        return Values
    return YesOrNo if outputs == 1 or losses[loss].targets == "binary" else OneClass


def values_for(net):
    """Return targets (samples, outputs) that any loss accepts."""
    y = rng.uniform(0.1, 0.9, size=(len(X), net.outputs))
    return y / y.sum(axis=1, keepdims=True) if net.objective.head.targets == "classes" else y


@every_end
def test_the_head_follows_from_last_layer_and_loss(last, loss, outputs):
    head = network(last, loss, outputs).objective.head
    assert type(head) is expected_head(last, loss, outputs)
    assert (head.outputs, head.targets) == (outputs, "none" if loss == "output" else losses[loss].targets)
    assert head == network(last, loss, outputs).objective.head


@every_end
def test_predictions_are_the_head_s_however_they_are_asked_for(last, loss, outputs):
    net = network(last, loss, outputs)
    head, out = net.objective.head, net.forward(X)
    predicted, unsound = head.predictions(out)
    assert unsound == -1
    assert predicted.shape == (len(X), *head.predicted_shape)
    assert predicted.dtype == head.predicted_dtype(net.dtype)
    for some in (slice(0, 3), slice(None), slice(0, 0)):  # few rows go another way than many
        got = net.predict(X[some])
        assert got.dtype == predicted.dtype
        assert got.shape == predicted[some].shape
        np.testing.assert_array_equal(got, predicted[some])
    np.testing.assert_array_equal(Population([net]).predict(X), predicted)
    assert net.is_classifier == (predicted.dtype == np.int64) == (head.classes is not None)


@every_end
def test_reported_are_the_metrics_of_the_head(last, loss, outputs):
    net = network(last, loss, outputs)
    head, y = net.objective.head, values_for(net)
    history = net.fit(X, y, epochs=1, validation_data=(X, y))
    metrics = net.evaluate(X, y)
    assert [*metrics] == [metric.name for metric in head.metrics]
    assert [*history] == [*metrics, *(f"val_{name}" for name in metrics)]
    if "accuracy" in metrics:
        right = net.predict(X) == (head.labels(head.check_targets(y, len(X), "float64")) if head.one_label else y >= 0.5)
        assert metrics["accuracy"] == pytest.approx(right.mean())
    population = Population([network(last, loss, outputs)])
    assert dict(population.fit(X, y, epochs=1, validation_data=(X, y))[0]) == dict(history)


@every_end
def test_labels_are_taken_where_they_are_said_to_be(last, loss, outputs):
    net = network(last, loss, outputs)
    head, labels = net.objective.head, rng.integers(max(outputs, 2), size=len(X))
    if head.takes_labels:
        assert net.evaluate(X, labels) == net.evaluate(X, np.eye(outputs)[labels])
        np.testing.assert_array_equal(head.labels(head.check_targets(np.eye(outputs)[labels], len(X), "float64")), labels)
    elif outputs == 1:
        assert net.evaluate(X, labels) == net.evaluate(X, labels[:, None].astype(float))
    else:
        with pytest.raises(ValueError, match=r"this network takes \(40, 3\)"):
            net.evaluate(X, labels)


@every_end
def test_compiled_code_takes_the_same_whole_numbers(last, loss, outputs):
    net, labels = network(last, loss, outputs), rng.integers(max(outputs, 2), size=len(X))
    model = net.compiled()
    gradients = np.empty_like(model.parameters)
    if net.objective.head.whole_numbers is None:
        with pytest.raises(ValueError, match="y holds whole numbers"):
            jit_callers.loss_and_gradients(model, X, labels, gradients)
    else:
        assert jit_callers.loss_and_gradients(model, X, labels, gradients) == net.loss_and_gradients(X, labels)[0]


@every_end
def test_classes_have_weights_where_a_sample_has_one(last, loss, outputs):
    net, y = network(last, loss, outputs), None
    head = net.objective.head
    if not head.one_label:
        with pytest.raises(ValueError, match=rf"class_weight is .* learns {outputs} .*sample_weight"):
            net.fit(X, values_for(net), class_weight="balanced")
        return
    y = rng.integers(max(outputs, 2), size=len(X))
    weights, twin = np.array([1.0, 3.0, 0.5])[y], network(last, loss, outputs)
    net.fit(X, y, class_weight={1: 3.0, **({2: 0.5} if outputs > 1 else {})})
    twin.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(net.predict(X), twin.predict(X))
    assert net.evaluate(X, y) == twin.evaluate(X, y)


def test_members_learn_alike_where_their_heads_mean_the_same():
    for one in ENDS:
        for other in ENDS:
            nets = [network(*one), network(*other)]
            if type(nets[0].objective.head) is type(nets[1].objective.head) and one[2] == other[2]:
                Population(nets)
            else:
                with pytest.raises(ValueError, match="member 1 learns"):
                    Population(nets)


def decisions(path):
    """Return where a file decides on the meaning of outputs without a head."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr == "is_classifier":
            yield node
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            owner = {"targets": ("loss",), "outputs": ("network", "net", "self")}.get(node.left.attr, ())
            if ast.unparse(node.left.value).endswith(owner):
                yield node


def test_nothing_else_decides_it():
    allowed = {"samples/heads.py", "architecture/objective.py",  # which make them
               "cli/compare.py", "sklearn/losses.py"}  # which are about losses, whatever the network
    found = {f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}: {ast.unparse(node)}"
             for path in PACKAGE.rglob("*.py") for node in decisions(path)
             if path.relative_to(PACKAGE).as_posix() not in allowed}
    assert not found
