"""Operators on nodes: what they compute, and what those that are not there say; steps of joins."""

import math
import re

import numpy as np
import pytest

import fastnn
from fastnn import GRU, Add, Concatenate, Conv1D, Dense, Input, LastStep, MaxPool1D, Multiply, Network
from fastnn.layers.joins.base import repetition

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
    (lambda x: abs(x), "abs of a node is not there"), (lambda x: x > 0, r"Activation\('relu'\)\(x\) the larger of x and 0"),
    (lambda x: max(x, x), r"Maximum\(\)\(x, y\) is the larger"), (lambda x: math.exp(x), "a node is no number"),
    (lambda x: np.array([x, x]), "no array can be made of it"), (np.exp, r"register_activation\('exp', value, derivative\)"),
    (np.tanh, r"write Activation\('tanh'\)\(x\)"), (lambda x: np.maximum(x, 0), "Activation.'relu'.*the larger of x and 0"),
    (np.mean, "np.mean does not take nodes.*GlobalAveragePool"), (lambda x: np.dot(x, x), r"write Dot\(\)\(x, y\)"),
    (lambda x: np.concatenate([x, x]), r"Concatenate\(\)\(x, y\)"), (lambda x: np.clip(x, 0, 1), "make a layer of your own"),
    (lambda x: np.where(x, x, x), "make a layer of your own"), (np.add.reduce, "np.add.reduce does not take nodes"),
    (lambda x: np.reshape(x, 3), r"Reshape\(shape\)\(x\)"),
])
def test_what_is_not_there_names_the_repair(use, message):
    with pytest.raises(ValueError, match=message):
        use(Input(3))


def test_numpy_computes_what_operators_stand_for():
    x = Input(3)
    y = Dense(3)(x)
    for one, other in ((np.add(x, y), x + y), (np.subtract(x, 2), x - 2), (np.multiply(2, x), 2 * x), (np.negative(x), -x),
                       (np.divide(x, 4), x / 4), (np.power(x, 2), x ** 2), (np.float64(3) - x, 3 - x)):
        assert one.layer == other.layer
        assert one.reads == other.reads


def test_what_is_no_attribute_names_the_layer():
    for name, message in (("reshape", "Reshape"), ("mean", "GlobalAveragePool"), ("relu", "Activation"), ("Dense", "call")):
        with pytest.raises(AttributeError, match=f"a node has no attribute '{name}'.*{message}"):
            getattr(Input(3), name)
    assert not hasattr(Input(3), "T")


@pytest.mark.parametrize(("shape", "whole"), [
    ((1,), (4,)), ((3,), (8, 6, 3)), ((1,), (8, 6, 3)), ((1, 1, 3), (8, 6, 3)), ((8, 6, 1), (8, 6, 3)),
    ((1, 6, 3), (8, 6, 3))])
def test_a_node_is_repeated_as_the_message_says(shape, whole):
    x, y = Input(shape), Input(whole)
    code = repetition(shape, whole)
    with pytest.raises(ValueError, match=re.escape(f"what has the shape {shape}, called x here, by {code} ")):
        Multiply()(y, x)
    repeated = eval(code, {name: getattr(fastnn, name) for name in ("Concatenate", "Reshape", "UpSample2D")}, {"x": x})
    net = Network(inputs=[x, y], outputs=Multiply()(y, repeated), dtype="float64", loss="squared_error")
    given = [np.random.default_rng(0).normal(size=(2, *each)) for each in (shape, whole)]
    expected = given[1] * given[0].reshape(2, *[1] * (len(whole) - len(shape)), *shape)
    np.testing.assert_allclose(net.forward(given).reshape(expected.shape), expected, rtol=1e-12)


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
