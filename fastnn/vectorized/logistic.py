"""Logistic regression in NumPy: the notes' "Vectorizing logistic regression", with one example in each row."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.activations import activations
from ..kernels.losses import losses
from ..naive.rungs import check_examples
from .records import activate, mean_loss, real


def logistic_regression(
    X: ArrayLike, y: ArrayLike, learning_rate: float = 0.1, epochs: int = 1000
) -> tuple[NDArray, float, list[float]]:
    """Fit P(y=1|x) = σ(wᵀx + b) by full-batch gradient descent from zeros.

    Over all examples at once: z = X w + b, dz = σ(z) − y, dw = Xᵀ dz / m, db = Σᵢ dzᵢ / m. The cost is
    J(w, b) = −1/m Σᵢ [y⁽ⁱ⁾ log a⁽ⁱ⁾ + (1 − y⁽ⁱ⁾) log(1 − a⁽ⁱ⁾)] (the notes leave out the minus).

    Parameters
    ----------
    X : (m, n)
        One example in each row.
    y : (m,)
        0 or 1 for each example.
    learning_rate : float
        The notes' α.
    epochs : int
        The number of steps, each over all examples.

    Returns
    -------
    w : (n,)
    b : float
    losses : (epochs,)
        J before each step.

    Examples
    --------
    >>> w, b, losses = logistic_regression([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1], learning_rate=1.0)
    >>> print(round(-b / float(w[0]), 2))  # P(y=1|x) = 1/2 there, between the classes
    1.47
    """
    X = real(X)
    y = np.asarray(y, X.dtype)
    check_examples(X.shape, y.shape)
    # L = −[y log a + (1 − y) log(1 − a)] as a function of z: finite even if a rounds to 0 or 1
    cost = losses["binary_cross_entropy"].on_logits["sigmoid"]

    m, n = X.shape
    w, b, history = np.zeros(n, X.dtype), X.dtype.type(0), []
    for _ in range(epochs):
        z = X @ w + b
        dz = activate(activations["sigmoid"], z) - y
        history.append(mean_loss(cost, z[:, None], y[:, None]))
        w -= learning_rate * (X.T @ dz) / m
        b -= learning_rate * dz.sum() / m
    return w, float(b), history
