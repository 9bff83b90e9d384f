"""Laws of every activation, in loops, in NumPy and compiled. Registered records are included automatically."""

import math
import sys

import mpmath
import numpy as np
import pytest
from activation_rungs import compiled_backward, compiled_forward, naive_backward, naive_forward, vectorized_backward

from fastnn.kernels.activations import activations

DTYPES = ["float32", "float64"]
SIZES = [1, 3, 17, 65]
TINY, HUGE = sys.float_info.min, sys.float_info.max
GRID = [0.0, *(sign * size for size in (TINY, 1e-8, 0.5, 1.0, 3.0, 30.0, 700.0) for sign in (1, -1))]

every_activation = pytest.mark.parametrize("activation", list(activations.values()), ids=lambda record: record.name)
every_elementwise = pytest.mark.parametrize(
    "activation", [record for record in activations.values() if not record.rowwise], ids=lambda record: record.name
)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def some_z(rows, columns, dtype):
    """Return numbers of every magnitude up to some hundreds, of both signs."""
    random = np.random.default_rng(rows * 100 + columns)
    return (random.normal(size=(rows, columns)) * 10 ** random.uniform(-3, 2, (rows, columns))).astype(dtype)


def assert_close(got, want, scale, epsilons):
    """Check equality up to some epsilons of the result, or of `scale` if that is larger."""
    allowed = epsilons * np.finfo(got.dtype).eps * np.maximum(np.abs(want), np.abs(scale))
    assert (np.abs(got - want) <= allowed).all(), f"{np.max(np.abs(got - want) / allowed)} times what is allowed"


@every_activation
def test_naive_equals_vectorized(activation):
    z = np.array(GRID)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        a, da = activation.vectorized(z), np.linspace(-1, 1, len(z))
        dz = vectorized_backward(activation, da, z, a)
    np.testing.assert_allclose(naive_forward(activation, GRID), a, rtol=1e-12)
    np.testing.assert_allclose(naive_backward(activation, list(da), GRID, list(a)), dz, rtol=1e-12, atol=1e-15)


@every_activation
def test_vectorized_is_of_the_last_axis(activation):
    z = some_z(6, 3, "float64")
    a = activation.vectorized(z)
    dz, stacked = vectorized_backward(activation, z, z, a), z.reshape(2, 3, 3)
    np.testing.assert_array_equal(activation.vectorized(z[0]), a[0])
    np.testing.assert_array_equal(vectorized_backward(activation, z[0], z[0], a[0]), dz[0])
    np.testing.assert_array_equal(activation.vectorized(stacked), a.reshape(2, 3, 3))
    np.testing.assert_array_equal(vectorized_backward(activation, stacked, stacked, a.reshape(2, 3, 3)), dz.reshape(2, 3, 3))


@every_activation
def test_vectorized_is_quiet_far_out(activation):
    z = np.linspace(-1e4, 1e4, 81)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        a = activation.vectorized(z)
        dz = vectorized_backward(activation, np.ones_like(z), z, a)
    assert np.isfinite(a).all()
    assert np.isfinite(dz).all()


@every_elementwise
@pytest.mark.parametrize("z", [-HUGE, -1000.0, 1000.0, HUGE])
def test_naive_takes_any_finite_number(activation, z):
    a = activation.value(z)
    assert not math.isnan(a)
    assert math.isfinite(activation.prime(z, a))


@every_activation
@every_dtype
@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("columns", SIZES)
def test_compiled_equals_vectorized(activation, dtype, rows, columns):
    z = some_z(rows, columns, dtype)
    da = some_z(columns, rows, dtype).T.copy()
    z_before = z.copy()
    a = compiled_forward(activation, z)
    dz = compiled_backward(activation, da, z, a)
    assert (z == z_before).all()  # neither writes to what it reads

    z_, a_, da_ = z.astype(np.float64), a.astype(np.float64), da.astype(np.float64)
    assert_close(a, activation.vectorized(z_), np.maximum(np.abs(z_), 1), epsilons=4)  # gelu's 1 + erf(z) is no better
    # given the same a, whose rounding was checked above; dz of softmax mixes the da of the row
    assert_close(dz, vectorized_backward(activation, da_, z_, a_), np.abs(da_).max(axis=1, keepdims=True), epsilons=32)


@every_activation
@every_dtype
@pytest.mark.parametrize("columns", SIZES)
def test_row_alone_is_row_in_batch(activation, dtype, columns):
    z = some_z(17, columns, dtype)
    da = some_z(columns, 17, dtype).T.copy()
    a = compiled_forward(activation, z)
    dz = compiled_backward(activation, da, z, a)
    for i in range(17):
        row = slice(i, i + 1)
        alone = compiled_forward(activation, z[row])
        np.testing.assert_array_equal(alone, a[row])
        np.testing.assert_array_equal(compiled_backward(activation, da[row], z[row], alone), dz[row])


@every_activation
@every_dtype
@pytest.mark.parametrize("column", [0, 8, 16])
def test_nan_stays_in_its_row(activation, dtype, column):
    clean = some_z(3, 17, dtype)
    spoilt = clean.copy()
    spoilt[1, column] = np.nan
    a = compiled_forward(activation, clean)
    for got in (compiled_forward(activation, spoilt), compiled_backward(activation, spoilt, clean, a)):
        assert np.isnan(got[1, column])
        assert not np.isnan(got[[0, 2]]).any()
    assert math.isnan(naive_forward(activation, spoilt[1].tolist())[column])
    with np.errstate(invalid="ignore"):  # NumPy's logaddexp warns of a nan
        assert np.isnan(activation.vectorized(spoilt)[1, column])


@every_activation
def test_prime_is_the_derivative_of_value(activation):
    z = np.random.default_rng(0).uniform(-8, 8, 40).tolist()
    z = [each for each in z if all(abs(each - kink) > 1e-3 for kink in activation.kinks)]
    da = np.linspace(-1, 2, len(z)).tolist()
    dz = naive_backward(activation, da, z, naive_forward(activation, z))
    h = 6e-6  # balances the formula's error, of order h², against rounding, of order epsilon/h
    for j in range(len(z)):
        up = naive_forward(activation, [*z[:j], z[j] + h, *z[j + 1 :]])
        down = naive_forward(activation, [*z[:j], z[j] - h, *z[j + 1 :]])
        difference = sum(d * (u - v) for d, u, v in zip(da, up, down, strict=True)) / (2 * h)
        assert dz[j] == pytest.approx(difference, rel=1e-8, abs=1e-8)


@every_elementwise
def test_prime_jumps_at_the_kinks_and_nowhere_else(activation):
    step = 1e-3
    z = [-4 + step * (i + 0.5) for i in range(8000)]
    primes = [activation.prime(each, activation.value(each)) for each in z]
    jumps = {round(z[i] + step / 2, 6) for i in range(7999) if abs(primes[i + 1] - primes[i]) > 10 * step}
    assert jumps == set(activation.kinks)
    assert activation.smooth == (not activation.kinks)


SMALL_RESULTS = {  # name: (the activation in many digits, where its result is near 0)
    "sigmoid": (lambda z: 1 / (1 + mpmath.exp(-z)), [-20.0, -50.0, -80.0]),
    "softplus": (lambda z: mpmath.log1p(mpmath.exp(z)), [-20.0, -50.0, -80.0]),
    "silu": (lambda z: z / (1 + mpmath.exp(-z)), [-50.0, -80.0, 1e-12]),
    "tanh": (mpmath.tanh, [-1e-12, 1e-5]),
    "elu": (mpmath.expm1, [-1e-12, -1e-5]),
}


@every_dtype
@pytest.mark.parametrize("name", SMALL_RESULTS)
def test_small_results_keep_their_digits(name, dtype):
    activation, (exact, where) = activations[name], SMALL_RESULTS[name]
    z = np.array([where], dtype)
    with mpmath.workdps(40):
        a = np.array([[float(exact(mpmath.mpf(float(each)))) for each in z[0]]])
    np.testing.assert_allclose([naive_forward(activation, z[0].tolist())], a, rtol=1e-14)
    np.testing.assert_allclose(activation.vectorized(z.astype(np.float64)), a, rtol=1e-13)
    np.testing.assert_allclose(compiled_forward(activation, z), a, rtol=4 * np.finfo(dtype).eps)
