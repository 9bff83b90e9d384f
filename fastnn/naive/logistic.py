"""Logistic regression as the notes write it: gradient descent in a loop over m examples.

In the transcript of the loop z⁽ⁱ⁾ = wᵀx⁽ⁱ⁾ + b has become y⁽ⁱ⁾, and so has the x₁⁽ⁱ⁾ of dw₁ += x₁⁽ⁱ⁾ dz⁽ⁱ⁾; da⁽ⁱ⁾ is dz.
"""

from ..kernels.activations import activations
from ..kernels.losses import losses
from .records import plain, shape, to_lists
from .rungs import check_examples


def logistic_regression(X, y, learning_rate: float = 0.1, epochs: int = 1000) -> tuple[list[float], float, list[float]]:
    """Fit P(y=1|x) = σ(wᵀx + b) by full-batch gradient descent from zeros.

    The cost is J(w, b) = −1/m Σᵢ [y⁽ⁱ⁾ log a⁽ⁱ⁾ + (1 − y⁽ⁱ⁾) log(1 − a⁽ⁱ⁾)] (the notes leave out the minus).

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
    >>> round(-b / w[0], 2)  # P(y=1|x) = 1/2 there, between the classes
    1.47
    """
    X, y = to_lists(X), to_lists(y)
    check_examples(shape(X), shape(y))
    sigmoid = plain(activations["sigmoid"].value)
    # L = −[y log a + (1 − y) log(1 − a)] as a function of z: finite even if a rounds to 0 or 1
    cost = plain(losses["binary_cross_entropy"].on_logits["sigmoid"].value)

    m, n = len(X), len(X[0])
    w, b, history = [0.0] * n, 0.0, []
    for _ in range(epochs):
        J, dw, db = 0.0, [0.0] * n, 0.0
        for i in range(m):
            z = b
            for j in range(n):
                z += w[j] * X[i][j]
            a = sigmoid(z)
            J += cost(z, y[i])
            dz = a - y[i]
            for j in range(n):
                dw[j] += X[i][j] * dz
            db += dz
        J, db = J / m, db / m
        for j in range(n):
            dw[j] /= m
            w[j] -= learning_rate * dw[j]
        b -= learning_rate * db
        history.append(J)
    return w, b, history
