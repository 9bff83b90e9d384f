"""Outputs of a network: shapes, dtypes, labels, accuracy, and numbers that stay finite."""

import dataclasses
import math

import numpy as np
import pytest
from nets import BITS, LABELS, X, classifier

from fastnn import SGD, Dense, Network


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("layer", "loss", "y", "shape", "kind"),
    [
        (Dense(3, "softmax"), None, LABELS, (23,), "int64"),
        (Dense(3, "sigmoid"), "squared_error", LABELS, (23,), "int64"),
        (Dense(1, "sigmoid"), None, BITS, (23,), "int64"),
        (Dense(3, "sigmoid"), None, np.eye(3)[LABELS], (23, 3), "int64"),
        (Dense(1), None, X[:, 0], (23,), None),
        (Dense(2), None, X[:, :2], (23, 2), None),
    ],
    ids=["softmax", "sigmoid for classes", "one sigmoid", "several sigmoids", "regressor", "several values"],
)
def test_shapes_and_dtypes(dtype, layer, loss, y, shape, kind):
    net = Network([Dense(4, "relu"), layer], inputs=4, loss=loss, dtype=dtype)
    history = net.fit(X, y, epochs=2)
    outputs = net.forward(X)
    assert outputs.shape == (23, layer.out_features)
    assert outputs.dtype == dtype
    predicted = net.predict(X)
    assert predicted.shape == shape
    assert predicted.dtype == (kind or dtype)
    for few in (X[:0], X[:1]):
        assert net.predict(few).shape == (len(few), *shape[1:])
        assert net.forward(few).shape == (len(few), layer.out_features)
    metrics = net.evaluate(X, y)
    assert all(type(value) is float for value in metrics.values())
    assert list(metrics) == (["loss", "accuracy"] if kind else ["loss"]) == list(history)
    if kind:
        np.testing.assert_array_equal(net.predict_proba(X), outputs)
        assert metrics["accuracy"] == pytest.approx(np.mean(predicted == y))
    else:
        with pytest.raises(ValueError, match="predict"):
            net.predict_proba(X)


@pytest.mark.parametrize(
    ("layer", "loss"),
    [(Dense(3, "softmax"), None), (Dense(3, "sigmoid"), "squared_error"), (Dense(1, "sigmoid"), None),
     (Dense(1, "sigmoid"), "squared_error"), (Dense(3, "sigmoid"), None)],
    ids=["softmax", "sigmoid for classes", "one sigmoid", "one sigmoid of the notes", "several sigmoids"],
)
@pytest.mark.parametrize("initializer", ["glorot_uniform", "zeros"], ids=["", "tied"])
def test_accuracy_is_the_share_of_right_predictions(layer, loss, initializer):
    layer = dataclasses.replace(layer, initializer=initializer)
    random = np.random.default_rng(1)
    many, labels = random.normal(size=(301, 4)), random.integers(2, size=301)
    net = Network([layer], inputs=4, loss=loss)
    y = random.integers(2, size=(301, 3)) if net.loss == "binary_cross_entropy" and net.outputs > 1 else labels
    accuracy = np.mean(net.predict(many) == y)
    assert net.evaluate(many, y)["accuracy"] == pytest.approx(accuracy)
    standing_still = SGD(1e-30)
    assert net.fit(many, y, batch_size=301, optimizer=standing_still)["accuracy"] == pytest.approx([accuracy])


def test_outputs_are_copies():
    net = classifier()
    for rows in (2, 23):
        first = net.forward(X[:rows])
        kept = first.copy()
        net.forward(X[:rows] + 1)
        np.testing.assert_array_equal(first, kept)


def test_evaluate_is_the_loss_of_the_gradients():
    net = classifier(dtype="float64")
    assert net.evaluate(X, LABELS)["loss"] == pytest.approx(net.loss_and_gradients(X, LABELS)[0], rel=1e-13)
    assert net.loss_function(X, LABELS)() == net.evaluate(X, LABELS)["loss"]


def test_extreme_inputs_leave_the_loss_finite():
    for last, y in (("softmax", LABELS), ("sigmoid", np.eye(3)[LABELS])):
        net = Network([Dense(3, last)], inputs=4)
        loss, gradients = net.loss_and_gradients(1e30 * X, y)
        assert math.isfinite(loss)
        assert all(np.isfinite(gradient).all() for gradient in gradients.values())
