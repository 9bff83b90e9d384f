"""Normalization as pure Python loops: a = scale · x̂ + shift, x̂ = (x − mean) / √(variance + epsilon)."""

import math

from .records import shape, to_lists
from .rungs import check_batch, check_features

Vector = list[float]
Matrix = list[Vector]


def mean_and_variance(numbers: Vector) -> tuple[float, float]:
    """Return the mean and the variance, divided by the number of elements."""
    mean = sum(numbers) / len(numbers)
    return mean, sum((number - mean) ** 2 for number in numbers) / len(numbers)


def column(x: Matrix, j: int) -> Vector:
    return [row[j] for row in x]


def batch_norm_predict(x: Matrix, scale: Vector, shift: Vector, mean: Vector, variance: Vector,
                       epsilon: float = 1e-5) -> Matrix:
    """Normalize each feature by a given mean and variance, as `fastnn.BatchNorm` in prediction.

    Parameters
    ----------
    x : (batch, features)
    scale, shift, mean, variance : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> batch_norm_predict([[3.0]], scale=[10.0], shift=[1.0], mean=[1.0], variance=[4.0], epsilon=0.0)
    [[11.0]]
    """
    x, scale, shift, mean, variance = map(to_lists, (x, scale, shift, mean, variance))
    check_features(shape(x), scale=shape(scale), shift=shape(shift), mean=shape(mean), variance=shape(variance))
    return [[scale[j] * (row[j] - mean[j]) / math.sqrt(variance[j] + epsilon) + shift[j] for j in range(len(row))]
            for row in x]


def batch_norm_forward(x: Matrix, scale: Vector, shift: Vector, epsilon: float = 1e-5) -> Matrix:
    """Normalize each feature over the batch (Ioffe and Szegedy 2015, algorithm 1).

    Parameters
    ----------
    x : (batch, features)
        At least two samples.
    scale, shift : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> batch_norm_forward([[1.0], [3.0]], scale=[10.0], shift=[5.0], epsilon=0.0)
    [[-5.0], [15.0]]
    """
    x = to_lists(x)
    check_batch(shape(x))
    statistics = [mean_and_variance(column(x, j)) for j in range(len(x[0]))]
    return batch_norm_predict(x, scale, shift, [m for m, _ in statistics], [v for _, v in statistics], epsilon)


def batch_norm_backward(da: Matrix, x: Matrix, scale: Vector, epsilon: float = 1e-5) -> tuple[Matrix, Vector, Vector]:
    """Compute the gradients of `batch_norm_forward` from da; its mean and variance depend on x too.

    dscale = Σᵢ daᵢ x̂ᵢ,  dshift = Σᵢ daᵢ,  dx = scale / √(variance + epsilon) · (da − dshift / m − x̂ dscale / m)

    Parameters
    ----------
    da, x : (batch, features)
    scale : (features,)
    epsilon : float

    Returns
    -------
    dx : (batch, features)
    dscale, dshift : (features,)

    Examples
    --------
    >>> batch_norm_backward([[1.0], [2.0]], x=[[1.0], [3.0]], scale=[10.0], epsilon=0.0)
    ([[0.0], [0.0]], [1.0], [3.0])
    """
    da, x, scale = to_lists(da), to_lists(x), to_lists(scale)
    check_batch(shape(x))
    check_features(shape(x), scale=shape(scale), da=shape(da)[1:])
    m, features = len(x), len(x[0])
    dx, dscale, dshift = [[0.0] * features for _ in x], [0.0] * features, [0.0] * features
    for j in range(features):
        mean, variance = mean_and_variance(column(x, j))
        deviation = math.sqrt(variance + epsilon)
        normalized = [(number - mean) / deviation for number in column(x, j)]
        for i in range(m):
            dscale[j] += da[i][j] * normalized[i]
            dshift[j] += da[i][j]
        for i in range(m):
            dx[i][j] = scale[j] / deviation * (da[i][j] - dshift[j] / m - normalized[i] * dscale[j] / m)
    return dx, dscale, dshift


def batch_norm_running(mean: Vector, variance: Vector, x: Matrix, momentum: float = 0.9) -> tuple[Vector, Vector]:
    """Update running statistics: running ← momentum · running + (1 − momentum) · that of the batch.

    The variance of the batch is unbiased here, divided by m − 1 (Ioffe and Szegedy 2015, algorithm 2).

    Parameters
    ----------
    mean, variance : (features,)
    x : (batch, features)
        At least two samples.
    momentum : float

    Returns
    -------
    mean, variance : (features,)

    Examples
    --------
    >>> batch_norm_running([0.0], [1.0], x=[[1.0], [3.0]], momentum=0.5)
    ([1.0], [1.5])
    """
    mean, variance, x = to_lists(mean), to_lists(variance), to_lists(x)
    check_batch(shape(x))
    check_features(shape(x), mean=shape(mean), variance=shape(variance))
    m, means, variances = len(x), [], []
    for j in range(len(mean)):
        of_batch, spread = mean_and_variance(column(x, j))
        means.append(momentum * mean[j] + (1 - momentum) * of_batch)
        variances.append(momentum * variance[j] + (1 - momentum) * spread * m / (m - 1))
    return means, variances


def layer_norm_forward(x: Matrix, scale: Vector, shift: Vector, epsilon: float = 1e-5) -> Matrix:
    """Normalize each sample over its features (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    x : (batch, features)
    scale, shift : (features,)
    epsilon : float

    Returns
    -------
    a : (batch, features)

    Examples
    --------
    >>> layer_norm_forward([[1.0, 3.0]], scale=[10.0, 1.0], shift=[5.0, 0.0], epsilon=0.0)
    [[-5.0, 1.0]]
    """
    x, scale, shift = to_lists(x), to_lists(scale), to_lists(shift)
    check_features(shape(x), scale=shape(scale), shift=shape(shift))
    a = []
    for row in x:
        mean, variance = mean_and_variance(row)
        deviation = math.sqrt(variance + epsilon)
        a.append([scale[j] * (row[j] - mean) / deviation + shift[j] for j in range(len(row))])
    return a


def layer_norm_backward(da: Matrix, x: Matrix, scale: Vector, epsilon: float = 1e-5) -> tuple[Matrix, Vector, Vector]:
    """Compute the gradients of `layer_norm_forward` from da.

    dscale = Σᵢ daᵢ x̂ᵢ,  dshift = Σᵢ daᵢ; and with dx̂ = da scale, in each row
    dx = (dx̂ − mean(dx̂) − x̂ mean(dx̂ x̂)) / √(variance + epsilon)

    Parameters
    ----------
    da, x : (batch, features)
    scale : (features,)
    epsilon : float

    Returns
    -------
    dx : (batch, features)
    dscale, dshift : (features,)

    Examples
    --------
    >>> layer_norm_backward([[1.0, 2.0]], x=[[1.0, 3.0]], scale=[1.0, 1.0], epsilon=0.0)
    ([[0.0, 0.0]], [-1.0, 2.0], [1.0, 2.0])
    """
    da, x, scale = to_lists(da), to_lists(x), to_lists(scale)
    check_features(shape(x), scale=shape(scale), da=shape(da)[1:])
    n = len(x[0])
    dx, dscale, dshift = [], [0.0] * n, [0.0] * n
    for i in range(len(x)):
        mean, variance = mean_and_variance(x[i])
        deviation = math.sqrt(variance + epsilon)
        normalized = [(number - mean) / deviation for number in x[i]]
        dnormalized = [da[i][j] * scale[j] for j in range(n)]
        average = sum(dnormalized) / n
        along = sum(dnormalized[j] * normalized[j] for j in range(n)) / n
        dx.append([(dnormalized[j] - average - normalized[j] * along) / deviation for j in range(n)])
        for j in range(n):
            dscale[j] += da[i][j] * normalized[j]
            dshift[j] += da[i][j]
    return dx, dscale, dshift
