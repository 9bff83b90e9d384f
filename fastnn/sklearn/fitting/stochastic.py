"""Training in epochs, with the actions after each epoch and the stopping criterion.

Training stops after more than `n_iter_no_change` epochs in a row without progress: with a loss that is not `tol` below the
smallest so far or, with early stopping, with a score that is not `tol` above the best so far.
"""

import math

from sklearn.exceptions import ConvergenceWarning

from ...checks.caller_warning import warn_caller
from ...fitting.callback import Callback
from ...fitting.divergence import DivergenceError
from .solvers import LearningRate


class Watch(Callback):
    """Record loss and score in the estimator after every epoch, change the learning rate, and stop training."""

    def __init__(self, estimator, optimizer, samples, best, score, without_improvement):
        self.estimator, self.samples, self.best, self.score = estimator, samples, best, score
        self.without_improvement = without_improvement  # number of consecutive epochs
        self.going_on = bool(estimator.loss_curve_)
        self.learning_rate = LearningRate(estimator, estimator.network_, optimizer)

    def on_epoch_end(self, epoch, logs):
        estimator = self.estimator
        estimator.t_ += self.samples
        record(estimator, logs["loss"], logs.get("val_loss"), self.score)
        if estimator.early_stopping:
            improved = self.judge_score()
        else:
            improved = not estimator.loss_ > estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        self.without_improvement = 0 if improved else self.without_improvement + 1
        self.learning_rate.end_epoch(estimator.t_)
        if self.without_improvement > estimator.n_iter_no_change:
            if self.learning_rate.lower():
                self.without_improvement = 0
            else:
                self.stop()

    def judge_score(self):
        """Return whether the last score is better than the best by tol; keep the weights with the best score.

        If epochs have equal scores, the weights of the first are kept, as in scikit-learn. In a fit that continues another
        one, those of the last are kept: otherwise, with a score that changes in jumps, each of many short fits would learn
        for only one epoch.
        """
        estimator = self.estimator
        last, best = estimator.validation_scores_[-1], estimator.best_validation_score_
        if last > best or (self.going_on and last == best):
            estimator.best_validation_score_, self.best[0] = last, estimator.network_.snapshot()
        return not last < best + estimator.tol

    def stop(self):
        self.network.stop_training = True
        if self.estimator.verbose:
            watched = "validation score" if self.estimator.early_stopping else "training loss"
            print(f"No improvement of the {watched} by tol={self.estimator.tol:g} for {self.estimator.n_iter_no_change} "
                  "epochs. Stopping.")


def record(estimator, loss, held_out_loss, score):
    """Record the loss of an epoch or iteration, and loss and score on the held-out samples.

    score: a function from the loss on the held-out samples to their score; None if there are none.
    """
    estimator.n_iter_ += 1
    estimator.loss_ = float(loss)
    estimator.loss_curve_.append(estimator.loss_)
    line = f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}"
    if score is not None:
        estimator.validation_loss_curve_.append(float(held_out_loss))
        estimator.validation_scores_.append(float(score(held_out_loss)))
        line += f", validation score = {estimator.validation_scores_[-1]:f}"
    if estimator.verbose:
        print(line)


def train(estimator, optimizer, samples, held_out, *, incremental, score, without_improvement):
    """Train one epoch if `incremental`, otherwise epochs until the stopping criterion is met.

    score: see `record`. without_improvement: number of consecutive epochs without improvement before; returns the number
    now.
    """
    network = estimator.network_
    best = [network.snapshot() if estimator.early_stopping else None]
    watch = Watch(estimator, optimizer, len(samples.X), best, score, without_improvement)
    try:
        network.fit(
            network.shaped(samples.X), network.targets(samples.y), sample_weight=samples.weights,
            epochs=1 if incremental else estimator.max_iter, batch_size=batch_size(estimator, len(samples.X)),
            optimizer=optimizer, shuffle=estimator.shuffle,
            validation_data=None if held_out is None else held_out.as_validation_data(network),
            callbacks=[watch, *(estimator.callbacks or ())], threads=estimator.n_threads, progress=False,
        )
        if estimator.n_iter_ == estimator.max_iter and not network.stop_training and not incremental:
            warn_caller(f"no convergence within max_iter={estimator.max_iter} epochs; raise it, or tol to stop sooner",
                        ConvergenceWarning)
    except KeyboardInterrupt:
        warn_caller("Training interrupted by user.")
    except DivergenceError as error:
        if not estimator.early_stopping:
            raise ValueError(f"training diverged: {error}") from error
        diverged(estimator)
    if estimator.early_stopping:
        if estimator.best_validation_score_ == -math.inf and estimator.n_iter_ > 0:
            warn_caller("no score on the samples held out was a number above -inf, so the weights are those from before the "
                        "fit; choose another scoring, or look into validation_scores_", ConvergenceWarning)
        network.restore(best[0])
    return watch.without_improvement


def diverged(estimator):
    """Record the epoch in which training diverged; early stopping restores the best weights before it."""
    estimator.n_iter_ += 1
    estimator.loss_ = math.nan
    estimator.loss_curve_.append(math.nan)
    estimator.validation_loss_curve_.append(math.nan)
    estimator.validation_scores_.append(math.nan)
    warn_caller(f"training diverged in epoch {estimator.n_iter_}; the weights are the best ones before. Lower "
                "learning_rate_init, or scale X to about unit size", ConvergenceWarning)


AUTO = 200  # samples in a step, with batch_size="auto"


def is_single_step(estimator, samples):
    """Return whether an epoch of these samples is a single step, after which nothing can fail."""
    steps_of = AUTO if isinstance(estimator.batch_size, str) else estimator.batch_size
    return len(samples.X) <= steps_of and not estimator.callbacks and not estimator.verbose


def batch_size(estimator, samples):
    if isinstance(estimator.batch_size, str):
        return min(AUTO, samples)
    if estimator.batch_size > samples:
        warn_caller(f"batch_size is {estimator.batch_size}, but there are {samples} samples; all are taken at once")
    return min(estimator.batch_size, samples)
