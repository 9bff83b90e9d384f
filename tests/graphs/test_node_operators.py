"""Operators on nodes: what they compute, and what those that are not there say; steps of joins."""

import numpy as np
import pytest

from fastnn import GRU, Add, Concatenate, Conv1D, Dense, Input, LastStep, MaxPool1D, Network

X = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")


@pytest.mark.parametrize("power", [1, 2, 3, 5])
def test_powers(power):
    x = Input(3)
    net = Network(inputs=x, outputs=Dense(2)(Dense(3)(x) ** power), dtype="float64")
    weight, bias, *rest = net.parameters.values()
    np.testing.assert_allclose(net.forward(X), (X @ weight + bias) ** power @ rest[0] + rest[1], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("use", "message"), [
    (lambda x: 1 / x, "1 cannot be divided by a node; make a layer of your own, see fastnn.CustomLayer"),
    (lambda x: x / x, "a node cannot be divided by a node; multiply it, or make a layer"),
    (lambda x: x ** 0.5, r"a node \*\* 0.5 is not there; it can be a whole number from 1 to 8"),
    (lambda x: x ** -1, r"a node \*\* -1 is not there"), (lambda x: x ** x, r"a node \*\* <Input"),
    (lambda x: x ** True, r"a node \*\* True"), (lambda x: 2 ** x, r"2 \*\* a node is not there"),
    (lambda x: x @ np.ones((3, 2)), r"a node @ … is not there; use Dense"),
    (lambda x: np.ones((2, 3)) @ x, r"a node @ … is not there; use Dense"),
    (lambda x: abs(x), "abs of a node is not there"),
])
def test_what_is_not_there_names_the_repair(use, message):
    with pytest.raises(ValueError, match=message):
        use(Input(3))


def test_joins_of_other_steps_are_refused_when_they_are_built():
    x, y = Input((None, 3), name="x"), Input((None, 3), name="y")
    message = "joins sequences that may have different numbers of steps: "
    with pytest.raises(ValueError, match=message + "of 1000 steps .* has 998 and .* has 1000"):
        Add()(Conv1D(3, 3)(x), x)
    with pytest.raises(ValueError, match=message + ".* are of different inputs"):
        Concatenate()(x, y)
    with pytest.raises(ValueError, match=message + "of 1000 steps"):
        Dense(3)(x) + MaxPool1D(2)(GRU(3, return_sequences=True)(x))


def test_joins_of_the_same_steps_are_built():
    x = Input((None, 3), name="x")
    h = GRU(3, return_sequences=True)(x) + Dense(3)(x)
    h = Concatenate()(h, x, h * x)
    net = Network(inputs=x, outputs=Dense(1)(LastStep()(h)))
    assert net.forward([X, X[:2]]).shape == (2, 1)
