"""Every function of `fastnn.naive` equals the function of that name in `fastnn.vectorized`."""

import ast
import doctest
import importlib
import math
import pkgutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from small_nets import LOSSES, OUTPUTS, SIZES, inputs_and_targets, outputs_for, random_net

from fastnn import naive, vectorized
from fastnn.kernels.activations import Activation, activations
from fastnn.kernels.optimizers import optimizers

MODULES = ["fastnn.naive", *(f"fastnn.naive.{module.name}" for module in pkgutil.iter_modules(naive.__path__))]
SHAPES = [(batch, 3, 2) for batch in SIZES] + [(3, n, 3) for n in SIZES] + [(2, 3, n) for n in SIZES]

every_activation = pytest.mark.parametrize("activation", activations.values(), ids=lambda record: record.name)
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda record: record.name)
every_output = pytest.mark.parametrize(("activation", "loss"), OUTPUTS)


def assert_equal(loops, arrays, tolerance=1e-12):
    """Compare lists with arrays, pair by pair if there are several."""
    if isinstance(arrays, (tuple, list)):
        assert len(loops) == len(arrays)
        for each in zip(loops, arrays, strict=True):
            assert_equal(*each, tolerance)
    else:
        assert isinstance(loops, (float, list))
        np.testing.assert_allclose(np.array(loops), arrays, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("batch", "in_features", "out_features"), SHAPES)
def test_linear(batch, in_features, out_features):
    rng = np.random.default_rng(0)
    x, dz = rng.normal(size=(batch, in_features)), rng.normal(size=(batch, out_features))
    [(weight, bias)] = random_net([in_features, out_features])
    assert_equal(naive.linear_forward(x, weight, bias), vectorized.linear_forward(x, weight, bias))
    assert_equal(naive.linear_backward(dz, x, weight), vectorized.linear_backward(dz, x, weight))


@every_activation
@pytest.mark.parametrize("shape", [(n, 5) for n in SIZES] + [(2, n) for n in SIZES] + [(2, 2, 3), (7,)])
def test_activation(activation, shape):
    z, da = 3 * np.random.default_rng(1).normal(size=(2, *shape))
    a = getattr(vectorized, activation.name)(z)
    assert_equal(getattr(naive, activation.name)(z), a)
    arguments = (da, z, a) if activation.rowwise else (z, a)
    prime = f"{activation.name}_prime"
    assert_equal(getattr(naive, prime)(*arguments), getattr(vectorized, prime)(*arguments))


@pytest.mark.parametrize("activation", [a for a in activations.values() if not a.rowwise], ids=lambda a: a.name)
@pytest.mark.parametrize("z", [-1000.0, -2.5, 0.0, 2.5, 1000.0])
def test_activation_of_a_number(activation, z):
    a = getattr(naive, activation.name)(z)
    assert isinstance(a, float)
    assert a == pytest.approx(float(getattr(vectorized, activation.name)(z)), rel=1e-12, abs=1e-300)
    assert isinstance(getattr(naive, f"{activation.name}_prime")(z, a), float)


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(n, 3) for n in SIZES] + [(3, n) for n in SIZES])
def test_loss(loss, shape, weighted):
    a = outputs_for(loss, shape)
    _, y = inputs_and_targets(len(a), 1, shape[1], loss)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(a)) if weighted else None
    value, gradient = loss.name, f"{loss.name}_gradient"
    assert_equal(getattr(naive, value)(a, y, weights), getattr(vectorized, value)(a, y, weights))
    assert_equal(getattr(naive, gradient)(a, y, weights), getattr(vectorized, gradient)(a, y, weights))


@every_output
def test_backward(activation, loss):
    parameters, names = random_net([4, 5, 3]), ["tanh", activation]
    x, y = inputs_and_targets(5, 4, 3, LOSSES[loss])
    assert_equal(naive.forward(parameters, names, x), vectorized.forward(parameters, names, x))
    assert_equal(naive.backward(parameters, names, x, y, loss), vectorized.backward(parameters, names, x, y, loss))
    weights = [1.0, 0.0, 2.0, 0.5, 3.0]
    assert_equal(naive.backward(parameters, names, x, y, loss, weights),
                 vectorized.backward(parameters, names, x, y, loss, weights))


@every_activation
@pytest.mark.parametrize("width", SIZES)
def test_backward_through_a_hidden_layer(activation, width):
    parameters, names = random_net([2, width, 3, 1]), [activation.name, "softmax", "sigmoid"]
    x, y = inputs_and_targets(3, 2, 1, LOSSES["binary_cross_entropy"])
    assert_equal(naive.backward(parameters, names, x, y, "binary_cross_entropy"),
                 vectorized.backward(parameters, names, x, y, "binary_cross_entropy"))


@pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)
def test_train_step(optimizer):
    optimizer = optimizer(learning_rate=0.05)
    arrays, names = random_net([3, 4, 2]), ["relu", "softmax"]
    lists = naive.records.to_lists(arrays)
    x, y = inputs_and_targets(6, 3, 2, LOSSES["cross_entropy"])
    list_state, array_state = naive.optimizer_state(lists, optimizer), vectorized.optimizer_state(arrays, optimizer)
    for step in range(1, 6):
        J = naive.train_step(lists, names, x, y, "cross_entropy", optimizer, list_state, step)
        again = vectorized.train_step(arrays, names, x, y, "cross_entropy", optimizer, array_state, step)
        assert J == pytest.approx(again, rel=1e-12)
        assert_equal(lists, arrays, tolerance=1e-10)
        assert_equal(list_state, array_state, tolerance=1e-10)


def test_training_goes_down():
    parameters = naive.records.to_lists(random_net([2, 4, 1]))
    x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]
    optimizer = optimizers["adam"](learning_rate=0.1)
    state = naive.optimizer_state(parameters, optimizer)
    history = [naive.train_step(parameters, ["tanh", "sigmoid"], x, y, "squared_error", optimizer, state, step)
               for step in range(1, 301)]
    assert history[-1] < 0.01 < history[0]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 2), (17, 3), (65, 4)])
def test_logistic_regression(m, n):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(m, n))
    y = (X @ rng.normal(size=n) + rng.normal(size=m) > 0).astype(int)
    w, b, history = naive.logistic_regression(X, y, learning_rate=0.5, epochs=200)
    assert_equal((w, b, history), vectorized.logistic_regression(X, y, learning_rate=0.5, epochs=200), tolerance=1e-10)
    assert all(later < earlier for earlier, later in pairwise(history))
    assert history[0] == pytest.approx(math.log(2))


def test_logistic_regression_stays_finite():
    """Where the outputs round to 0 and 1."""
    _, _, history = naive.logistic_regression([[-1e4], [1e4], [2e4]], [1, 0, 1], epochs=3)
    assert all(map(math.isfinite, history))


def test_lists_tuples_and_arrays_are_alike():
    rows = [[1, 2], [3, 4]]
    for x in (rows, ((1, 2), (3, 4)), np.array(rows), [np.array([1, 2]), np.array([3, 4])], np.array(rows, np.float32)):
        z = naive.linear_forward(x, [[1.0], [2.0]], [0.5])
        assert z == [[5.5], [11.5]]
        assert type(z[0][0]) is float


@pytest.mark.parametrize("rung", [naive, vectorized], ids=["naive", "vectorized"])
class TestErrorsNameTheRepair:
    def test_features(self, rung):
        with pytest.raises(ValueError, match=r"x has shape \(1, 3\) and weight \(2, 1\)"):
            rung.linear_forward([[1.0, 2.0, 3.0]], [[1.0], [2.0]], [0.0])

    def test_one_sample_is_still_a_row(self, rung):
        with pytest.raises(ValueError, match=r"must be \(batch, in_features\)"):
            rung.linear_forward([1.0, 2.0], [[1.0], [2.0]], [0.0])

    def test_bias(self, rung):
        with pytest.raises(ValueError, match=r"bias has shape \(2,\); this weight takes \(1,\)"):
            rung.linear_forward([[1.0, 2.0]], [[1.0], [2.0]], [0.0, 0.0])

    def test_targets(self, rung):
        with pytest.raises(ValueError, match=r"y has shape \(2,\); it must be that of the outputs, \(2, 1\)"):
            rung.squared_error([[1.0], [2.0]], [1.0, 2.0])

    @pytest.mark.parametrize("function", ["gaussian", "gaussian_gradient"])
    def test_outputs_of_a_target(self, rung, function):
        with pytest.raises(ValueError, match=r"shape \(2, 3\); gaussian takes 2 outputs for each target"):
            getattr(rung, function)(np.ones((2, 3)), np.ones((2, 3)))

    @pytest.mark.parametrize("weights", [[1.0], []])
    def test_weights(self, rung, weights):
        with pytest.raises(ValueError, match="one for each sample"):
            rung.squared_error_gradient([[1.0], [2.0]], [[1.0], [2.0]], weights=weights)

    def test_weights_without_weight(self, rung):
        with pytest.raises(ValueError, match="sum to 0"):
            rung.squared_error([[1.0], [2.0]], [[1.0], [2.0]], weights=[0.0, 0.0])

    def test_layers(self, rung):
        with pytest.raises(ValueError, match="1 layers of parameters and 2 activations"):
            rung.forward([([[1.0]], [0.0])], ["relu", "relu"], [[1.0]])

    def test_unknown_names(self, rung):
        with pytest.raises(ValueError, match="unknown activation 'tahn'"):
            rung.forward([([[1.0]], [0.0])], ["tahn"], [[1.0]])
        with pytest.raises(ValueError, match="unknown loss 'msle'"):
            rung.backward([([[1.0]], [0.0])], ["tanh"], [[1.0]], [[1.0]], "msle")
        with pytest.raises(AttributeError, match="has no attribute 'tahn'"):
            _ = rung.tahn

    def test_logistic_regression(self, rung):
        with pytest.raises(ValueError, match=r"y has shape \(2, 1\); it must be \(2,\)"):
            rung.logistic_regression([[1.0], [2.0]], [[0.0], [1.0]])
        for X in ([], [1.0, 2.0], [[], []], [[[1.0]]]):
            with pytest.raises(ValueError, match=r"it must be \(m, n\)"):
                rung.logistic_regression(X, [0.0, 1.0])


@pytest.mark.parametrize("rung", [naive, vectorized], ids=["naive", "vectorized"])
def test_names_come_from_the_registries(rung):
    for record in [*activations.values(), *LOSSES.values()]:
        derivative = f"{record.name}_{'prime' if record in activations.values() else 'gradient'}"
        for name, formula in ((record.name, record.formula), (derivative, record.prime_formula)):
            function = getattr(rung, name)
            assert (name in dir(rung)) == name.isidentifier()  # not "quantile_0.5", which cannot be typed after a dot
            assert function is getattr(rung, name)
            assert (function.__module__, function.__name__) == (rung.__name__, name)
            assert formula in function.__doc__
    assert set(rung.__all__) <= set(dir(rung))


@pytest.mark.parametrize("rung", [naive, vectorized], ids=["naive", "vectorized"])
def test_a_new_record_appears_by_itself(rung, monkeypatch):
    cube = Activation("cube", "z³", "3z²", value=lambda z: z * z * z, prime=lambda z, a: 3.0 * z * z)
    mirror = Activation("mirror", "zₙ₋ⱼ", "daₙ₋ⱼ", value=lambda z: z[::-1], prime=lambda da, z, a: da[::-1], rowwise=True,
                        forward=cube.forward, backward=cube.backward)
    for record in (cube, mirror):
        assert record.name not in dir(rung)
        monkeypatch.setitem(activations.records, record.name, record)
        assert record.name in dir(rung)
    assert_same = np.testing.assert_array_equal
    assert_same(rung.cube([[1.0, 2.0]]), [[1.0, 8.0]])
    assert_same(rung.cube_prime([[1.0, 2.0]], [[1.0, 8.0]]), [[3.0, 12.0]])
    assert_same(rung.mirror([1.0, 2.0]), [2.0, 1.0])
    assert_same(rung.mirror([[1.0, 2.0], [3.0, 4.0]]), [[2.0, 1.0], [4.0, 3.0]])
    loss, [(dweight, dbias)] = rung.backward([(np.eye(2), np.zeros(2))], ["mirror"], [[1.0, 2.0]], [[0.0, 0.0]])
    assert loss == 2.5
    assert_same(dweight, [[1.0, 2.0], [2.0, 4.0]])
    assert_same(dbias, [1.0, 2.0])


def test_no_numpy():
    for path in Path(naive.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imported = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not any(name.split(".")[0] in ("numpy", "numba") for name in imported), path.name


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
