"""Gradient checking: the compiled gradients compared with finite differences of the compiled loss, in float64."""


import numpy as np
from numpy.typing import ArrayLike

from ..checks import not_negative, number_in_range, shown, whole_number
from ..network.network import Network
from ..runtime.quiet import new_generator
from .report import GradientReport, ParameterCheck

__all__ = ["GradientReport", "ParameterCheck", "check_gradients"]


def __dir__():
    return __all__


SMALLEST_STEP = 1e-12  # with smaller steps, rounding errors dominate
TOLERANCE = 1e-6
SMALLER, MOST_DOUBTS = (30, 1000), 50  # parts of the step that are tried where gradients differ, and for so many of them
ROUNDING = 64 * 2.0**-52  # rounding error of a difference of two losses near 1, before the division by the step


def check_gradients(network: Network, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                    training: bool = False, tolerance: float = TOLERANCE, step: float = 1e-4, max_checks: int = 200,
                    seed: int = 0) -> GradientReport:
    """Compare the gradients of a network with finite differences of its loss.

    A float64 copy of the network computes both, with the same kernels that train it. The differences are central, at `step`
    and half of it, with Richardson extrapolation, so their own error is far smaller than that of a wrong derivative. Where
    the two differ, smaller steps are tried, which do not reach across a kink nearby (relu at 0). At a kink itself, as for a
    weight of 0 with l1, the two may legitimately differ.

    Parameters
    ----------
    network : Network
        It is not changed.
    X, y, sample_weight
        As for `Network.fit`; a few samples are enough.
    training : bool
        Whether layers behave as in training (`Dropout`, `BatchNorm`), as in `Network.loss_and_gradients`.
    tolerance : float
        The largest relative error for which `passed` is true.
    step : float
        The change of a parameter, relative to its absolute value if that exceeds 1.
    max_checks : int
        The largest number of elements of each parameter to check, drawn with `seed`.

    Returns
    -------
    GradientReport
        With `max_relative_error`, `passed`, and a readable table when printed.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(5, "tanh"), fastnn.Dense(3, "softmax")], inputs=2)
    >>> report = fastnn.check_gradients(net, np.eye(2), np.array([0, 2]))
    >>> report.passed
    True
    """
    if not isinstance(network, Network):
        raise ValueError(f"network is {shown(network)}; it must be a Network")
    tolerance, step = not_negative("tolerance", tolerance), number_in_range("step", step, SMALLEST_STEP)
    max_checks, seed = whole_number("max_checks", max_checks), whole_number("seed", seed, least=0, most=np.inf)
    twin = network.astype("float64")
    value, gradients = twin.loss_and_gradients(X, y, sample_weight=sample_weight, training=training)
    generator = new_generator(seed)
    loss = twin.loss_function(X, y, sample_weight=sample_weight, training=training)
    floor = ROUNDING * max(1.0, abs(value)) / (step * TOLERANCE)

    checks = []
    for name, view in twin.parameters.items():
        indices = np.arange(view.size)
        if view.size > max_checks:
            indices = np.sort(generator.choice(view.size, max_checks, replace=False))
        numeric = np.array([derivative(loss, view.reshape(-1), i, step) for i in indices])
        analytic = gradients[name].reshape(-1)[indices]
        # a gradient of zero up to rounding (a bias before a BatchNorm) is compared with the resolution of the differences
        scale = max(np.linalg.norm(analytic), np.linalg.norm(numeric), floor * np.sqrt(len(indices)))
        for place in np.flatnonzero(np.abs(analytic - numeric) > TOLERANCE * scale)[:MOST_DOUBTS]:
            closer = [derivative(loss, view.reshape(-1), indices[place], step / part) for part in SMALLER]
            numeric[place] = min([numeric[place], *closer], key=lambda found: abs(found - analytic[place]))
        error = np.linalg.norm(analytic - numeric) / scale
        worst = int(np.argmax(np.abs(analytic - numeric)))
        checks.append(ParameterCheck(
            name, float(error), tuple(int(i) for i in np.unravel_index(indices[worst], view.shape)),
            float(analytic[worst]), float(numeric[worst]), len(indices), view.size,
        ))
    return GradientReport(tuple(checks), tolerance)


def derivative(loss, flat, index, step):
    """Return the derivative of loss() with respect to flat[index], by central differences with an error of O(step⁴)."""
    value = flat[index]
    step *= max(1.0, abs(value))

    def central(h):
        flat[index] = value + h
        above = loss()
        flat[index] = value - h
        below = loss()
        flat[index] = value
        return (above - below) / (2 * h)

    return (4 * central(step / 2) - central(step)) / 3
