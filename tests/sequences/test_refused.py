"""What does not take sequences of any length says so, with what does."""

import numpy as np
import pytest

from fastnn import Dense, LastStep, Network, Sequences

rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 3)) for n in (4, 2, 5, 3)]
Y = [0, 1, 0, 1]


@pytest.mark.parametrize("y", [
    [np.zeros(len(one), int) for one in X], [[0] * len(one) for one in X], Sequences.of_lengths(np.zeros(14), [4, 2, 5, 3]),
])
def test_targets_of_steps_for_one_output_a_sequence(y):
    net = Network([Dense(2), LastStep(), Dense(2, "softmax")], inputs=(None, 3))
    with pytest.raises(ValueError, match="y has a target for each step, and this network has one for each sequence"):
        net.fit(X, y)


def test_values_of_several_outputs_are_no_targets_of_steps():
    net = Network([Dense(2), LastStep(), Dense(3)], inputs=(None, 3))
    same = [one[:2] for one in X]
    net.fit(X, [[1.0, 2.0, 3.0]] * 4)
    net.fit(same, [[1.0, 2.0, 3.0]] * 4)


@pytest.mark.parametrize("given", [X, tuple(X), Sequences(np.zeros((9, 3)), [0, 4, 9])])
def test_estimators(given):
    estimators = pytest.importorskip("fastnn.sklearn")
    for estimator in (estimators.NetworkClassifier(max_iter=2), estimators.NetworkRegressor(max_iter=2)):
        with pytest.raises(ValueError, match=r"X holds sequences of several lengths.*layers=\[GRU\(64\)\]"):
            estimator.fit(given, Y[:len(given)])


@pytest.mark.filterwarnings("ignore:no convergence")
def test_estimators_with_layers_for_them():
    estimators = pytest.importorskip("fastnn.sklearn")
    fixed = [LastStep(), Dense(4, "relu")]
    estimators.NetworkClassifier(layers=fixed, input_shape=(5, 3), max_iter=2).fit(rng.normal(size=(4, 5, 3)), Y)


def test_outputs_of_layers():
    from fastnn.network.layer_outputs import layer_outputs

    with pytest.raises(ValueError, match="a number of steps instead of None"):
        layer_outputs(Network([Dense(2), LastStep(), Dense(2)], inputs=(None, 3)), X)
