"""The kernels called from Python: they equal the loops and NumPy, threads change no bit, nothing is written outside."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from guarded import results_of
from small_nets import LOSSES, SIZES, inputs_and_targets, outputs_for, random_net

from fastnn import kernels, naive, vectorized
from fastnn.compiled import calls
from fastnn.kernels.activations import activations
from fastnn.kernels.optimizers import optimizers

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
SHAPES = [(batch, 3, 2) for batch in SIZES] + [(3, n, 3) for n in SIZES] + [(2, 3, n) for n in SIZES] + [(17, 65, 65)]

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
every_shape = pytest.mark.parametrize(("batch", "in_features", "out_features"), SHAPES)
every_activation = pytest.mark.parametrize("activation", activations.values(), ids=lambda record: record.name)
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda record: record.name)
every_optimizer = pytest.mark.parametrize("kind", optimizers.values(), ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def results(monkeypatch):
    yield from results_of(calls, monkeypatch)


def assert_equal(dtype, compiled, *rungs):
    """Compiled results have the dtype, and equal the others, which computed the same numbers in float64."""
    if isinstance(compiled, (tuple, list)):
        for each in zip(compiled, *rungs, strict=True):
            assert_equal(dtype, *each)
        return
    if not isinstance(compiled, float):
        assert compiled.dtype == dtype
        assert compiled.flags.c_contiguous
    for rung in rungs:
        exact = np.asarray(rung, np.float64)
        scale = max(1.0, np.abs(exact).max(initial=0.0))
        np.testing.assert_allclose(compiled, exact, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def linear_arrays(batch, in_features, out_features, dtype):
    rng = np.random.default_rng(batch + in_features + out_features)
    [(weight, bias)] = random_net([in_features, out_features])
    arrays = rng.normal(size=(batch, in_features)), weight, bias, rng.normal(size=(batch, out_features))
    return [array.astype(dtype) for array in arrays]


def in_float64(*arrays):
    return [array.astype(np.float64) for array in arrays]


@every_dtype
@every_shape
def test_linear(dtype, batch, in_features, out_features):
    x, weight, bias, dz = linear_arrays(batch, in_features, out_features, dtype)
    exact_x, exact_weight, exact_bias, exact_dz = in_float64(x, weight, bias, dz)
    assert_equal(dtype, kernels.linear_forward(x, weight, bias), *(
        rung.linear_forward(exact_x, exact_weight, exact_bias) for rung in (naive, vectorized)))
    assert_equal(dtype, kernels.linear_backward(dz, x, weight), *(
        rung.linear_backward(exact_dz, exact_x, exact_weight) for rung in (naive, vectorized)))


@every_dtype
@every_shape
def test_threads_change_no_bit(monkeypatch, dtype, batch, in_features, out_features):
    monkeypatch.setattr(calls, "FLOPS_PER_PART", 1)  # so that even this is cut into parts
    x, weight, bias, dz = linear_arrays(batch, in_features, out_features, dtype)
    alone = kernels.linear_forward(x, weight, bias, threads=1), *kernels.linear_backward(dz, x, weight, threads=1)
    for threads in (2, 3):
        shared = (kernels.linear_forward(x, weight, bias, threads=threads),
                  *kernels.linear_backward(dz, x, weight, threads=threads))
        for one, other in zip(alone, shared, strict=True):
            assert one.tobytes() == other.tobytes()


@every_dtype
def test_a_row_alone_is_the_row_in_a_batch(dtype):
    x, weight, bias, _ = linear_arrays(17, 65, 65, dtype)
    z = kernels.linear_forward(x, weight, bias)
    for i in range(len(x)):
        assert kernels.linear_forward(x[i:i + 1], weight, bias).tobytes() == z[i:i + 1].tobytes()


@every_dtype
@every_activation
@pytest.mark.parametrize("shape", [(n, 5) for n in SIZES] + [(2, n) for n in SIZES] + [(2, 2, 3), (7,)], ids=str)
def test_activation(dtype, activation, shape):
    z, da = (3 * np.random.default_rng(1).normal(size=(2, *shape))).astype(dtype)
    forward, prime = (getattr(kernels, name) for name in (activation.name, f"{activation.name}_prime"))
    a = forward(z)
    assert_equal(dtype, a, *(getattr(rung, activation.name)(*in_float64(z)) for rung in (naive, vectorized)))
    arguments = (da, z, a) if activation.rowwise else (z, a)
    assert_equal(dtype, prime(*arguments), *(
        getattr(rung, f"{activation.name}_prime")(*in_float64(*arguments)) for rung in (naive, vectorized)))


@every_dtype
@every_loss
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("batch", "outputs"), [(n, 3) for n in SIZES] + [(2, n) for n in SIZES])
def test_loss(dtype, loss, batch, outputs, weighted):
    _, y = inputs_and_targets(batch, 1, outputs, loss)
    a, y = outputs_for(loss, y.shape).astype(dtype), y.astype(dtype)
    weights = np.random.default_rng(3).integers(0, 3, size=batch) + np.eye(1, batch)[0] if weighted else None
    kept = a.copy(), y.copy()
    for name in (loss.name, f"{loss.name}_gradient"):
        assert_equal(dtype, getattr(kernels, name)(a, y, weights), *(
            getattr(rung, name)(*in_float64(a, y), weights) for rung in (naive, vectorized)))
    for array, copy in zip((a, y), kept, strict=True):
        assert array.tobytes() == copy.tobytes()  # the kernels of losses destroy their targets; a call must not


@every_dtype
@every_optimizer
@pytest.mark.parametrize("size", [*SIZES, 1000])
def test_optimizer(dtype, kind, size):
    optimizer = kind(learning_rate=0.05)
    rng = np.random.default_rng(size)
    parameters, gradients = rng.normal(size=(2, size)).astype(dtype)
    exact, state = parameters.astype(np.float64), [np.zeros(size, dtype) for _ in kind.slots]
    exact_state, loops = in_float64(*state), (parameters.tolist(), [[0.0] * size for _ in kind.slots])
    for step in (1, 2, 3):
        before = parameters.copy()
        updated, state = kernels.optimizer_update(optimizer, parameters, gradients, state, step)
        assert parameters.tobytes() == before.tobytes()
        exact, *exact_state = optimizer.vectorized(exact, gradients.astype(np.float64), *exact_state, step)
        optimizer.update(loops[0], gradients.tolist(), *loops[1],
                         optimizer.coefficients(step, *optimizer.hyperparameters().tolist()))
        assert_equal(dtype, (updated, state), (exact, exact_state), loops)
        parameters = updated


def test_anything_of_real_numbers_will_do():
    rows, weight, bias = [[1, 2], [3, 4]], [[1.0], [2.0]], [0.5]
    strided = np.arange(8.0).reshape(2, 4)[:, ::2]
    for x in (rows, np.array(rows), np.array(rows, np.float32), np.asfortranarray(rows)):
        z = kernels.linear_forward(x, weight, bias)
        assert z.dtype == np.float64
        assert z.tolist() == [[5.5], [11.5]]
    assert kernels.linear_forward(strided, weight, bias).tolist() == [[4.5], [16.5]]
    assert kernels.relu(-1.0).shape == ()
    assert kernels.relu(2.5) == 2.5


def test_no_rows():
    x = np.zeros((0, 3), np.float32)
    assert kernels.tanh(x).shape == kernels.softmax(x).shape == (0, 3)


class TestErrorsNameTheRepair:
    def test_features(self):
        with pytest.raises(ValueError, match=r"x has shape \(1, 3\) and weight \(2, 1\)"):
            kernels.linear_forward([[1.0, 2.0, 3.0]], [[1.0], [2.0]], [0.0])

    @pytest.mark.parametrize(("x", "weight"), [((0, 3), (3, 2)), ((1, 0), (0, 2)), ((1, 3), (3, 0))])
    def test_no_size_is_zero(self, x, weight):
        x, weight, dz = np.zeros(x), np.zeros(weight), np.zeros((x[0], weight[1]))
        with pytest.raises(ValueError, match="at least one sample, one feature in and one out"):
            kernels.linear_forward(x, weight, np.zeros(dz.shape[1]))
        with pytest.raises(ValueError, match="at least one sample, one feature in and one out"):
            kernels.linear_backward(dz, x, weight)

    def test_rows(self):
        with pytest.raises(ValueError, match="dz has 2 rows and x has 1"):
            kernels.linear_backward([[1.0], [1.0]], [[1.0, 2.0]], [[1.0], [2.0]])

    def test_shapes(self):
        with pytest.raises(ValueError, match=r"a has shape \(1,\); it must be that of z, \(2,\)"):
            kernels.tanh_prime([0.0, 1.0], [0.0])

    def test_rowwise(self):
        with pytest.raises(ValueError, match="softmax takes rows"):
            kernels.softmax(np.zeros((2, 0)))

    def test_text(self):
        with pytest.raises(ValueError, match="z has dtype <U1; it must hold real numbers"):
            kernels.tanh(["a"])

    def test_targets(self):
        with pytest.raises(ValueError, match=r"y has shape \(2,\); it must be that of the outputs, \(2, 1\)"):
            kernels.squared_error([[1.0], [2.0]], [1.0, 2.0])

    @pytest.mark.parametrize("function", [kernels.gaussian, kernels.gaussian_gradient])
    def test_outputs_of_a_target(self, function):
        """Of three outputs, the gradient of the third would be memory that nobody wrote."""
        with pytest.raises(ValueError, match=r"shape \(2, 3\); gaussian takes 2 outputs for each target"):
            function(np.ones((2, 3)), np.ones((2, 3)))

    def test_weights(self):
        with pytest.raises(ValueError, match="one for each sample"):
            kernels.squared_error([[1.0], [2.0]], [[1.0], [2.0]], weights=[1.0])

    def test_state(self):
        with pytest.raises(ValueError, match="state has 0 vectors; Adam keeps 2: mean, square"):
            kernels.optimizer_update(optimizers["adam"](), [1.0], [1.0], [], step=1)

    def test_threads(self):
        with pytest.raises(ValueError, match="threads is 0"):
            kernels.linear_forward([[1.0]], [[1.0]], [0.0], threads=0)

    def test_unknown_names(self):
        with pytest.raises(AttributeError, match="has no attribute 'tahn'"):
            _ = kernels.tahn


def test_names_are_those_of_the_other_rungs():
    names = set(calls.registered_functions()) | {"linear_forward", "linear_backward"}
    for rung in (kernels, naive, vectorized):
        assert {*filter(str.isidentifier, names)} <= set(dir(rung)) <= {*filter(str.isidentifier, dir(rung))}
        assert all(callable(getattr(rung, name)) for name in names)
    modules = {module.name for module in pkgutil.iter_modules(kernels.__path__)}
    assert not names & modules  # one would hide the other


def test_examples_run():
    assert doctest.testmod(importlib.import_module("fastnn.compiled.calls")).failed == 0
