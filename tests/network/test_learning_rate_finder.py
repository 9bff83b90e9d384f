"""The learning rate finder."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Dense, Network, learning_rate_finder, plot
from fastnn.network.learning_rate_finder import steepest


def test_rates_losses_and_the_suggestion():
    """Of a parabola the rate beyond which gradient descent explodes is known: 2 over the curvature."""
    points = np.random.default_rng(0).normal(size=(320, 1))
    points /= np.sqrt(np.mean(points ** 2))
    net = Network([Dense(1)], inputs=1, dtype="float64")
    found = learning_rate_finder(net, points, 5 * points[:, 0] + 20, optimizer=SGD(), batch_size=320, lowest=1e-4,
                                 highest=100)
    ratios = found.rates[1:] / found.rates[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert found.rates[0] == 1e-4
    assert len(found.rates) == len(found.losses) < 100  # it exploded
    assert 0.01 < found.suggestion < 2 < found.rates[-1] < 40
    assert found.losses[0] == pytest.approx(net.evaluate(points, 5 * points[:, 0] + 20)["loss"])
    assert "falls fastest" in str(found)


def test_the_network_stays_as_it_is():
    net, optimizer = classifier(), SGD(0.5)
    found = learning_rate_finder(net, X, LABELS, optimizer=optimizer, batch_size=8, steps=12)
    assert len(found.rates) <= 12  # over several epochs, since there are few samples
    assert same(net, classifier())
    assert net.history is None
    assert optimizer.learning_rate == 0.5


def test_the_picture():
    pytest.importorskip("matplotlib")
    found = learning_rate_finder(classifier(), X, LABELS, steps=20)
    ax = plot.learning_rates(found)
    assert ax.get_xscale() == "log"
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), found.rates)
    with pytest.raises(ValueError, match="learning_rate_finder"):
        plot.learning_rates([1, 2])


@pytest.mark.parametrize("options", [{"lowest": 0}, {"lowest": 2, "highest": 1}, {"steps": 2}, {"batch_size": 0}])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=[*options][-1]):
        learning_rate_finder(classifier(), X, LABELS, **options)


def test_the_average_of_a_few_first_batches_suggests_nothing():
    smoothed = np.concatenate([[0.40, 0.34], np.linspace(0.335, 0.33, 58), np.linspace(0.32, 0.22, 10), [0.3, 0.5]])
    rates = np.geomspace(1e-6, 1, len(smoothed))
    assert rates[50] < steepest(rates, smoothed) < rates[70]
