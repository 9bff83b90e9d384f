"""Initializers draw from the distribution of their formula. Registered ones are included automatically."""

import math

import numpy as np
import pytest

from fastnn import Dense, Network, activations, initializers

FAN_IN, FAN_OUT = 400, 300  # enough draws to know the variance to about half a percent
VARIANCE = {
    "zeros": 0.0,
    "normal": 0.01**2,
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "he_normal": 2 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
}

every_initializer = pytest.mark.parametrize("name", initializers)


def drawn(name, shape=(FAN_IN, FAN_OUT), seed=0):
    return initializers[name].draw(np.random.default_rng(seed), shape)


def test_every_initializer_has_a_variance_here():
    assert list(VARIANCE) == list(initializers)


@every_initializer
def test_mean_and_variance(name):
    weight, variance = drawn(name), VARIANCE[name]
    assert abs(weight.mean()) <= 5 * math.sqrt(variance / weight.size)
    assert weight.var() == pytest.approx(variance, rel=0.03)
    if name.endswith("uniform"):  # √3 standard deviations either way
        limit = math.sqrt(3 * variance)
        assert 0.99 * limit < abs(weight).max() <= limit
    elif name.endswith("normal"):  # a normal distribution has kurtosis 3
        assert (weight**4).mean() / weight.var()**2 == pytest.approx(3, rel=0.05)


@every_initializer
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (17, 1), (3, 65)])
def test_shape_and_seed(name, shape):
    weight = drawn(name, shape)
    assert weight.shape == shape
    np.testing.assert_array_equal(weight, drawn(name, shape))
    assert np.isfinite(weight).all()
    assert name == "zeros" or (weight != drawn(name, shape, seed=1)).all()


@every_initializer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_draws_weights_and_starts_biases_at_zero(name, dtype):
    net = Network([Dense(FAN_OUT, initializer=name), Dense(3, initializer=name)], FAN_IN, dtype=dtype)
    assert net.parameters["0.weight"].var(dtype="float64") == pytest.approx(VARIANCE[name], rel=0.03)
    assert not net.parameters["0.bias"].any()
    assert not net.parameters["1.bias"].any()
    assert name == "zeros" or not np.array_equal(net.parameters["0.weight"][:3, 0], net.parameters["1.weight"][:3, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_precisions_start_alike(dtype):
    double = Network([Dense(17, "relu")], inputs=3, dtype="float64", seed=4).parameters["0.weight"]
    np.testing.assert_array_equal(Network([Dense(17, "relu")], inputs=3, dtype=dtype, seed=4).parameters["0.weight"],
                                  double.astype(dtype))


@pytest.mark.parametrize("activation", activations)
def test_the_default_suits_the_activation(activation):
    default = activations[activation].initializer
    assert default in initializers
    expected = Network([Dense(5, activation, initializer=default)], inputs=3, loss="squared_error").parameters["0.weight"]
    np.testing.assert_array_equal(
        Network([Dense(5, activation)], inputs=3, loss="squared_error").parameters["0.weight"], expected
    )


def test_the_defaults_are_those_of_the_literature():
    # He's for rectifiers, LeCun's for selu, Glorot's for activations symmetric about zero
    assert activations["relu"].initializer.startswith("he")
    assert activations["leaky_relu"].initializer.startswith("he")
    assert activations["selu"].initializer == "lecun_normal"
    assert activations["tanh"].initializer.startswith("glorot")


def test_every_record_says_what_it_is():
    for record in initializers.values():
        assert record.formula
        assert record.source


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"unknown initializer 'he'; the known ones are .*he_normal"):
        Dense(3, initializer="he")
