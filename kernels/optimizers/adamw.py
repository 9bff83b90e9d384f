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
        Limits on the gradients, see `Optimizer`.
    """

    weight_decay: float = not_negative(0.01)

    name = "adamw"
    formula = f"θ ← θ − α λ θ;  then {Adam.formula}"

    def vectorized(self, parameters, gradients, mean, square, step):
        decayed = parameters - self.learning_rate * self.weight_decay * parameters
        return super().vectorized(decayed, gradients, mean, square, step)
