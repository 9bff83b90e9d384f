"""Training by L-BFGS (Liu and Nocedal 1989) through SciPy, with the penalty on the weights in the loss."""

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from ...checks.caller_warning import warn_caller
from ...fitting.lbfgs import FullBatchLoss
from ...runtime.threads import resolve_threads
from ...samples.data import check_data
from .stochastic import record


class PenalizedLoss(FullBatchLoss):
    """The loss over all samples with the penalty ½ α ‖W‖² / Σᵢ wᵢ; infinite if it is not finite, as SciPy expects."""

    def __init__(self, network, samples, threads):
        data = check_data(network, network.shaped(samples.X), network.targets(samples.y), samples.weights)
        super().__init__(network, data, resolve_threads(threads))
        weights = data.weights[0] if network.has_several else data.weights
        weight = len(data.X) if weights is None else weights.astype(np.float64).sum()
        self.decay = np.zeros(network.vectors.parameters.size)  # factor of the penalty for each parameter: 0 for biases
        views = network.vectors.parameters.split(self.decay)
        for name in network.weight_names:
            views[name][...] = network.alpha[0] / weight

    def __call__(self, parameters):
        loss, gradient = super().__call__(parameters)
        if loss == np.inf:
            return loss, gradient
        decayed = self.decay * parameters
        return loss + 0.5 * decayed @ parameters, gradient + decayed

    def not_finite(self, batch):
        self.program.take_mean()
        return np.inf, np.zeros(self.program.gradients.size)


def train(estimator, samples, held_out, score):
    """Iterate until no component of the gradient exceeds `tol`, within `max_iter` and `max_fun`; score: see `record`."""
    network = estimator.network_
    parameters, loss = network.vectors.parameters.flat, PenalizedLoss(network, samples, estimator.n_threads)

    def after_iteration(intermediate_result):
        parameters[:] = intermediate_result.x
        held_out_loss = None
        if held_out is not None:
            X, y, *weights = held_out.as_validation_data(network)
            held_out_loss = network.evaluate(X, y, sample_weight=weights[0] if weights else None)["loss"]
        record(estimator, intermediate_result.fun, held_out_loss, score)

    result = scipy.optimize.minimize(
        loss, parameters.astype(np.float64), method="L-BFGS-B", jac=True, callback=after_iteration,
        options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
    )
    parameters[:] = result.x
    estimator.n_iter_, estimator.loss_ = min(result.nit, estimator.max_iter), float(result.fun)
    if not np.isfinite(result.fun):
        raise ValueError("training diverged: the loss is not finite; scale X to about unit size")
    estimator.best_loss_ = min(estimator.best_loss_ or np.inf, estimator.loss_)
    if not result.success:
        warn_caller(f"lbfgs has not converged: {result.message} (max_iter={estimator.max_iter}, "
                    f"max_fun={estimator.max_fun}); raise these or tol, or scale X to about unit size",
                    ConvergenceWarning)
