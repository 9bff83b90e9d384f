"""The registered activations and losses in NumPy, in the dtype of the arguments."""

import numpy as np

from ..naive.records import each_number, each_row, plain
from ..naive.rungs import check_targets, check_weights


def real(array):
    """Return an array of floats: of its own dtype, or float64 for integers and lists."""
    array = np.asarray(array)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def numpy_form(record, derivative=False):
    """Return a record's NumPy function; without one, its scalar function applied to all elements or rows."""
    vectorized = record.vectorized_prime if derivative else record.vectorized
    if vectorized is not None:
        return vectorized
    function = plain(record.prime if derivative else record.value)
    over = each_row if record.rowwise else each_number
    return lambda *arrays: np.array(over(function, *(array.tolist() for array in arrays)))


def activate(activation, z):
    """a = g(z)."""
    z = real(z)
    return np.asarray(numpy_form(activation)(z), z.dtype)


def derivative(activation, z, a):
    """da/dz = g'(z), given a = g(z) as well."""
    z, a = real(z), real(a)
    return np.asarray(numpy_form(activation, derivative=True)(z, a), z.dtype)


def pullback(activation, da, z, a):
    """Return dz, given da: da · g'(z) element by element, or the record's pullback of each row."""
    da, z, a = real(da), real(z), real(a)
    prime = numpy_form(activation, derivative=True)
    dz = prime(da, z, a) if activation.rowwise else da * prime(z, a)
    return np.asarray(dz, z.dtype)


def mean_loss(loss, a, y, weights=None):
    """J = Σᵢ wᵢ Lᵢ / Σᵢ wᵢ, with Lᵢ the sum over the outputs of sample i."""
    a, y, shares = prepared(loss, a, y, weights)
    losses = numpy_form(loss)(a, y)
    if not loss.rowwise:
        losses = losses.sum(axis=1)
    return float((shares * losses).sum())


def mean_loss_gradient(loss, a, y, weights=None):
    """daᵢ = wᵢ ∂Lᵢ/∂aᵢ / Σᵢ wᵢ: already divided, so nothing after it divides again."""
    a, y, shares = prepared(loss, a, y, weights)
    return np.asarray(shares[:, None] * numpy_form(loss, derivative=True)(a, y), a.dtype)


def prepared(loss, a, y, weights):
    """Return outputs, targets and each sample's share of the mean, in the dtype of the outputs."""
    a = real(a)
    y = np.asarray(y, a.dtype)
    check_targets(a.shape, y.shape, loss)
    weights = np.ones(len(a)) if weights is None else np.asarray(weights, np.float64)
    check_weights(weights, weights.shape, len(a))
    return a, y, (weights / weights.sum()).astype(a.dtype)
