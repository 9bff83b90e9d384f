"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, in the form of PyTorch)."""

from ...checks.hyperparameters import not_negative
from . import register
from .adam import Adam


@register
class AdamW(Adam):
    """Adam with a weight decay that is not scaled by the gradient.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in `Adam`.
    weight_decay : float, default 0.01
        A step subtracts the fraction learning_rate · weight_decay of each parameter.
    clip_value, clip_norm : float, optional
        Limits of the size of each element of the gradient, and of the norm of the whole, applied before the step.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import AdamW, Dense, Network
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, X[:, 0] ** 2, epochs=20, optimizer=AdamW(learning_rate=0.01, weight_decay=0.1))
    >>> history["loss"][-1] < history["loss"][0]
    True
    """

    weight_decay: float = not_negative(0.01)

    name = "adamw"
    formula = f"θ ← θ − α λ θ;  then {Adam.formula}"

    def vectorized(self, parameters, gradients, mean, square, step):
        decayed = parameters - self.learning_rate * self.weight_decay * parameters
        return super().vectorized(decayed, gradients, mean, square, step)
