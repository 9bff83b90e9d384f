"""Training by L-BFGS (Liu and Nocedal 1989) through SciPy: loss and gradient over all samples, on the flat vector."""


import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from ..checks.caller_warning import warn_caller
from ..kernels.elementwise.finite import all_finite
from ..kernels.interpreter.interpreter import LOSS_SUM
from ..program import GRADIENT_CHUNK, TrainingProgram
from ..runtime.threads import resolve_threads
from ..samples.data import check_data
from .stochastic import record


class Objective:
    """The loss of a network over samples, its penalty with it, and the gradient, as a function of all its parameters."""

    def __init__(self, network, samples, threads):
        data = check_data(network, samples.X, samples.y, samples.weights)
        weights = np.ones(len(data.X)) if data.weights is None else data.weights.astype(np.float64)
        data.weights = (weights / weights.sum()).astype(network.dtype)
        self.network = network
        self.program = TrainingProgram(network, data, GRADIENT_CHUNK, resolve_threads(threads), normalize=False)
        self.decay = np.zeros(network.vectors.parameters.size)  # the penalty's factor of each parameter: none on biases
        views = network.vectors.parameters.split(self.decay)
        for name in network.weight_names:
            views[name][...] = network.alpha[0] / weights.sum()

    def __call__(self, parameters):
        """(loss, gradient) there; the network has these parameters afterwards."""
        self.network.vectors.parameters.flat[:] = parameters
        program, decayed = self.program, self.decay * parameters
        program.totals[:] = 0
        if program.accumulate(0, program.batches) is not None or not all_finite(program.gradients):
            return np.inf, np.zeros_like(parameters)
        return program.totals[LOSS_SUM] + 0.5 * decayed @ parameters, program.gradients.astype(np.float64) + decayed


def train(estimator, samples, held_out):
    """Iterations until no component of the gradient exceeds `tol`, within `max_iter` and `max_fun`."""
    network = estimator.network_
    objective = Objective(network, samples, estimator.n_threads)

    def after_iteration(intermediate_result):
        network.vectors.parameters.flat[:] = intermediate_result.x
        held_out_loss = None
        if held_out is not None:
            X, y, *weights = held_out.as_validation_data()
            held_out_loss = network.evaluate(X, y, sample_weight=weights[0] if weights else None)["loss"]
        record(estimator, intermediate_result.fun, held_out, held_out_loss)

    result = scipy.optimize.minimize(
        objective, network.vectors.parameters.flat.astype(np.float64), method="L-BFGS-B", jac=True, callback=after_iteration,
        options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
    )
    network.vectors.parameters.flat[:] = result.x
    estimator.n_iter_, estimator.loss_ = min(result.nit, estimator.max_iter), float(result.fun)
    if not np.isfinite(result.fun):
        raise ValueError("training diverged: the loss is not finite; scale X to about unit size")
    estimator.best_loss_ = min(estimator.best_loss_ or np.inf, estimator.loss_)
    if not result.success:
        warn_caller(f"lbfgs has not converged: {result.message} (max_iter={estimator.max_iter}, "
                    f"max_fun={estimator.max_fun}); raise these or tol, or scale X to about unit size",
                    ConvergenceWarning)
