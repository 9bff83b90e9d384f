"""Weights of samples and classes in losses, gradients and training."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Dense, Network


def test_weight_two_is_a_sample_twice_and_weight_zero_none():
    net, weights = classifier(dtype="float64"), np.array([0, 1, 2] + [1] * 20)
    times = np.repeat(np.arange(23), weights)
    loss, gradients = net.loss_and_gradients(X, LABELS, sample_weight=weights)
    expected_loss, expected = net.loss_and_gradients(X[times], LABELS[times])
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-12, atol=1e-15)
    assert net.evaluate(X, LABELS, sample_weight=weights)["loss"] == pytest.approx(expected_loss, rel=1e-13)

    other = classifier(dtype="float64")
    history = net.fit(X, LABELS, sample_weight=weights, batch_size=23, shuffle=False, optimizer=SGD(0.1))
    other.fit(X[times], LABELS[times], batch_size=len(times), shuffle=False, optimizer=SGD(0.1))
    assert history["loss"] == pytest.approx([expected_loss], rel=1e-13)
    for name, view in net.parameters.items():
        np.testing.assert_allclose(view, other.parameters[name], rtol=1e-12, atol=1e-15)


def test_the_size_of_the_weights_does_not_matter():
    net = classifier(dtype="float64")
    loss, gradients = net.loss_and_gradients(X, LABELS)
    for scale in (1e-30, 7.0, 1e30):
        again, scaled = net.loss_and_gradients(X, LABELS, sample_weight=np.full(23, scale))
        assert again == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(scaled["0.weight"], gradients["0.weight"], rtol=1e-12)


def test_class_weights_are_sample_weights_by_label():
    by_class, by_sample = classifier(), classifier()
    by_class.fit(X, LABELS, epochs=3, class_weight={0: 2.0, 2: 0.5}, sample_weight=np.full(23, 3.0))
    by_sample.fit(X, LABELS, epochs=3, sample_weight=3.0 * np.array([2.0, 1.0, 0.5])[LABELS])
    assert same(by_class, by_sample)
    for y in (np.eye(3)[LABELS], LABELS.tolist()):
        again = classifier()
        again.fit(X, y, epochs=3, class_weight={0: 2.0, 2: 0.5}, sample_weight=np.full(23, 3.0))
        assert same(by_class, again)


def test_balanced_classes_weigh_the_same():
    y = np.array([0] * 20 + [1] * 3)
    balanced, given = (Network([Dense(1, "sigmoid")], inputs=4) for _ in range(2))
    balanced.fit(X, y, class_weight="balanced")
    given.fit(X, y, class_weight={0: 23 / 40, 1: 23 / 6})
    assert same(balanced, given)


def test_balancing_counts_samples_by_their_weights():
    times = np.arange(23) % 4
    again = np.repeat(np.arange(23), times)
    weighted, repeated = (classifier(dtype="float64") for _ in range(2))
    weighted.fit(X, LABELS, epochs=3, batch_size=100, shuffle=False, class_weight="balanced", sample_weight=times)
    repeated.fit(X[again], LABELS[again], epochs=3, batch_size=100, shuffle=False, class_weight="balanced")
    np.testing.assert_allclose(weighted.forward(X), repeated.forward(X), rtol=1e-6)
