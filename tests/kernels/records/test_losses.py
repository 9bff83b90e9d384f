"""Laws of every loss, in loops, in NumPy and compiled; its forms on the logits are losses too. Registered records are
included automatically."""

import math

import numpy as np
import pytest
from guarded import Guarded, filled

from fastnn.kernels.activations import activations
from fastnn.kernels.losses import losses

DTYPES = ["float32", "float64"]
SIZES = [1, 3, 17, 65]
ON_LOGITS = [(loss, name, record) for loss in losses.values() for name, record in loss.on_logits.items()]

every_loss = pytest.mark.parametrize(
    "loss", [*losses.values(), *(record for _, _, record in ON_LOGITS)], ids=lambda record: record.name
)
every_loss_of_values = pytest.mark.parametrize(
    "loss", [record for record in losses.values()
             if record.targets == "values" and record.needs_targets and record.outputs_of_target == 1],
    ids=lambda record: record.name
)
every_form_on_logits = pytest.mark.parametrize(
    ("loss", "activation", "on_logits"),
    [(loss, activations[name], record) for loss, name, record in ON_LOGITS],
    ids=[record.name for _, _, record in ON_LOGITS],
)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


# A common interface of elementwise and row-wise records.


def naive_value(loss, a, y):
    """Return the loss of one row, given as lists."""
    return loss.value(a, y) if loss.rowwise else math.fsum(loss.value(a[j], y[j]) for j in range(len(a)))


def naive_prime(loss, a, y):
    return loss.prime(a, y) if loss.rowwise else [loss.prime(a[j], y[j]) for j in range(len(a))]


def vectorized_value(loss, a, y):
    """Return the losses of all rows."""
    return loss.vectorized(a, y) if loss.rowwise else loss.vectorized(a, y).sum(axis=-1)


def compiled(loss, a, y, weights):
    """Return (row_losses, da) of the kernel."""
    row_losses, da, scratch = filled(len(a), np.float64), filled(a.shape, a.dtype), Guarded(y)
    loss.kernel(a.dtype.name, row_losses.array, da.array, a, scratch.array, weights, *a.shape)  # it destroys y
    assert row_losses.intact()
    assert da.intact()
    assert scratch.intact()
    return row_losses.array, da.array


def some_targets(loss, random, rows, columns):
    """Return valid targets of a loss: 0 and 1 in even rows, values between in odd rows."""
    if loss.targets == "values":
        return random.normal(size=(rows, columns)) * 3
    if loss.targets == "binary":
        sure, unsure = random.integers(0, 2, (rows, columns)).astype(float), random.uniform(size=(rows, columns))
    else:
        sure, unsure = np.eye(columns)[random.integers(0, columns, rows)], random.dirichlet(np.ones(columns), rows)
    return np.where(np.arange(rows)[:, None] % 2, unsure, sure)


def some_batch(loss, rows, columns, dtype="float64"):
    """Return (a, y, weights), with a in the loss's domain and weights that sum to one. columns: of targets."""
    random = np.random.default_rng(rows * 100 + columns)
    columns *= loss.outputs_of_target
    a = random.normal(size=(rows, columns)) * (3 if loss.outputs_of_target == 1 else 1)  # 1: of logarithms
    if loss.domain == (0, 1):
        a = random.uniform(0.01, 0.99, (rows, columns))
    weights = random.uniform(0.5, 1.5, rows)
    return a.astype(dtype), some_targets(loss, random, rows, columns).astype(dtype), (weights / weights.sum()).astype(dtype)


@every_loss
def test_naive_equals_vectorized(loss):
    a, y, _ = some_batch(loss, 20, 9)
    large = 700.0 if loss.outputs_of_target == 1 else 300.0  # the square of one is multiplied by the exponential of another
    edges = [1e-300, 1e-8, 0.5, 1 - 1e-8] if loss.domain == (0, 1) else [0.0, 1e-300, -1e-8, 30.0, -30.0, large, -large]
    a.flat[: len(edges)] = edges
    a.flat[9 : 9 + len(edges)] = edges
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, prime = vectorized_value(loss, a, y), loss.vectorized_prime(a, y)
    rows = list(zip(a.tolist(), y.tolist(), strict=True))
    np.testing.assert_allclose([naive_value(loss, *row) for row in rows], value, rtol=1e-12, atol=1e-20)
    np.testing.assert_allclose([naive_prime(loss, *row) for row in rows], prime, rtol=1e-12, atol=1e-15)


@every_loss
def test_vectorized_is_of_the_last_axis(loss):
    a, y, _ = some_batch(loss, 6, 3)
    for function in (loss.vectorized, loss.vectorized_prime):
        whole, row = function(a, y), function(a[0], y[0])
        stacked = function(a.reshape(2, 3, -1), y.reshape(2, 3, -1))
        np.testing.assert_allclose(row, whole[0], rtol=1e-15)
        np.testing.assert_allclose(stacked.reshape(whole.shape), whole, rtol=1e-15)


@every_loss
@every_dtype
@pytest.mark.parametrize("columns", SIZES)
def test_compiled_equals_vectorized(loss, dtype, columns):
    for rows in SIZES:
        check_compiled(loss, dtype, rows, columns)


def check_compiled(loss, dtype, rows, columns):
    a, y, weights = some_batch(loss, rows, columns, dtype)
    before = a.copy(), weights.copy()
    row_losses, da = compiled(loss, a, y, weights)
    assert (a == before[0]).all()
    assert (weights == before[1]).all()

    a_, y_, weights_ = (each.astype(np.float64) for each in (a, y, weights))
    rounding = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(row_losses, weights_ * vectorized_value(loss, a_, y_), rtol=rounding, atol=rounding)
    np.testing.assert_allclose(da, weights_[:, None] * loss.vectorized_prime(a_, y_), rtol=rounding, atol=rounding)


@every_loss
@every_dtype
@pytest.mark.parametrize("columns", [1, 5, 16, 65, 1000])
def test_row_alone_is_row_in_batch(loss, dtype, columns):
    rows = 17 if columns < 100 else 5
    a, y, weights = some_batch(loss, rows, columns, dtype)
    row_losses, da = compiled(loss, a, y, weights)
    for i in range(rows):
        row = slice(i, i + 1)
        loss_alone, da_alone = compiled(loss, a[row], y[row], weights[row])
        assert loss_alone == row_losses[row]
        np.testing.assert_array_equal(da_alone, da[row])


@every_loss
@every_dtype
def test_nan_stays_in_its_row(loss, dtype):
    a, y, weights = some_batch(loss, 3, 17, dtype)
    for column in (0, 8, 16) if loss.outputs_of_target == 1 else (17, 25, 33):  # a variance, which all of its target reads
        spoilt, targets = a.copy(), y.copy()
        spoilt[1, column] = np.nan
        targets[1, column] = 1  # 0 would leave it out of a cross entropy
        row_losses, da = compiled(loss, spoilt, targets, weights)
        assert np.isnan(row_losses).tolist() == [False, True, False]
        assert np.isnan(da[1, column]) or not loss.needs_targets  # whose gradient is 1 everywhere
        assert not np.isnan(da[[0, 2]]).any()


@every_loss
def test_prime_is_the_derivative_of_value(loss):
    a, y, _ = some_batch(loss, 6, 5)
    h = 6e-6 * min(loss.domain[1] - loss.domain[0], 1) / 10
    for i in range(len(a)):
        row, targets = a[i].tolist(), y[i].tolist()
        prime = naive_prime(loss, row, targets)
        for j in range(len(row)):
            up = naive_value(loss, [*row[:j], row[j] + h, *row[j + 1 :]], targets)
            down = naive_value(loss, [*row[:j], row[j] - h, *row[j + 1 :]], targets)
            assert prime[j] == pytest.approx((up - down) / (2 * h), rel=1e-8, abs=1e-8 * (1 + abs(up)))


@every_loss
def test_compiled_gradient_is_of_the_compiled_loss(loss):
    a, y, weights = some_batch(loss, 3, 5)
    _, da = compiled(loss, a, y, weights)
    h = 1e-6
    for i in range(a.size):
        up, down = a.copy(), a.copy()
        up.flat[i] += h
        down.flat[i] -= h
        difference = (compiled(loss, up, y, weights)[0].sum() - compiled(loss, down, y, weights)[0].sum()) / (2 * h)
        assert da.flat[i] == pytest.approx(difference, rel=1e-7, abs=1e-8)


@every_loss_of_values
def test_prime_jumps_at_the_kinks_and_nowhere_else(loss):
    step, y = 1e-3, 1.0 if loss.name == "hinge" else 0.25  # the labels of the hinge loss are -1 and 1
    differences = [-4 + step * (i + 0.5) for i in range(8000)]
    primes = [loss.prime(y + each, y) for each in differences]
    jumps = {round(differences[i] + step / 2, 6) for i in range(7999)
             if abs(primes[i + 1] - primes[i]) > 10 * step * (1 + abs(primes[i]))}
    assert jumps == set(loss.kinks)
    assert loss.smooth == (not loss.kinks)


@every_loss_of_values
def test_prime_is_zero_on_target(loss):
    targets = [0.25, 2.0]
    outputs = [loss.on_target(y) for y in targets]
    assert naive_prime(loss, outputs, targets) == [0.0, 0.0]  # at a kink too
    assert loss.vectorized_prime(np.array(outputs), np.array(targets)).tolist() == [0.0, 0.0]


# On the logits: the same loss, stable where the probabilities round to 0 or 1.


@every_form_on_logits
def test_on_logits_is_the_loss_after_its_activation(loss, activation, on_logits):
    z, y, _ = some_batch(on_logits, 20, 5)
    a = activation.vectorized(z)
    da = loss.vectorized_prime(a, y)
    dz = activation.vectorized_prime(da, z, a) if activation.rowwise else da * activation.vectorized_prime(z, a)
    np.testing.assert_allclose(vectorized_value(on_logits, z, y), vectorized_value(loss, a, y), rtol=1e-10)
    np.testing.assert_allclose(on_logits.vectorized_prime(z, y), dz, rtol=1e-10, atol=1e-12)


@every_form_on_logits
@every_dtype
def test_on_logits_is_stable(loss, activation, on_logits, dtype):
    huge = np.finfo(dtype).max
    z = np.array([[sign * size, 0.0] for size in (1e-30, 30, 100, 1000, huge / 4, huge) for sign in (1, -1)], dtype)
    for y in ([1, 0], [0, 1]):
        targets = np.full_like(z, y)
        row_losses, dz = compiled(on_logits, z, targets, np.ones(len(z), dtype))
        assert np.isfinite(dz).all()
        assert np.isfinite(row_losses).all()
        assert (row_losses >= 0).all()
        z_, targets_ = z.astype(np.float64), targets.astype(np.float64)
        rounding = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(row_losses, vectorized_value(on_logits, z_, targets_), rtol=rounding, atol=rounding)
        np.testing.assert_allclose(dz, on_logits.vectorized_prime(z_, targets_), rtol=rounding, atol=rounding)


def test_confident_and_right_is_a_small_loss_not_none():
    (on_logits,) = losses["binary_cross_entropy"].on_logits.values()
    assert on_logits.value(50.0, 1.0) == pytest.approx(math.exp(-50), rel=1e-14)
    row_losses, _ = compiled(on_logits, np.full((1, 1), 50.0), np.ones((1, 1)), np.ones(1))
    assert row_losses[0] == pytest.approx(math.exp(-50), rel=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_loss_may_exceed_the_dtype(dtype):
    on_logits = losses["cross_entropy"].on_logits["softmax"]
    z = np.zeros((2, 40), dtype)
    z[:, 3], z[:, 38] = 3e38, -3e38
    y = np.zeros_like(z)
    y[0, 38], y[1, 3] = 1, 1
    row_losses, dz = compiled(on_logits, z, y, np.ones(2, dtype))
    np.testing.assert_allclose(row_losses, [6e38, 0], rtol=1e-6)
    assert dz[0, 3] == 1
    assert dz[0, 38] == -1
    assert not dz[1].any()
