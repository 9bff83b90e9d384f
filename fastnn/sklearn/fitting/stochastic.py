"""Training in epochs: what happens after each, and when it is enough.

Training stops after more than `n_iter_no_change` epochs on end whose loss is not below the least by `tol`, or with early
stopping, whose score is below the best plus `tol`.
"""

import math

from sklearn.exceptions import ConvergenceWarning

from ...checks.caller_warning import warn_caller
from ...fitting.callback import Callback
from ...fitting.divergence import DivergenceError
from .solvers import LearningRate


class Watch(Callback):
    """Records loss and score in the estimator after every epoch, moves the learning rate, and stops when it is enough."""

    def __init__(self, estimator, optimizer, samples, best, score, without_improvement):
        self.estimator, self.samples, self.best, self.score = estimator, samples, best, score
        self.without_improvement = without_improvement  # how many epochs on end
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
        """Whether the last score is better than the best by tol; the weights with the best one are kept.

        Of epochs that score alike those of the first are, as in scikit-learn. In a fit that goes on from another they are
        those of the last: a score that moves in steps would else let each of many short fits learn for one epoch.
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
    """Take note of an epoch's or iteration's loss, and of loss and score on the samples held out.

    score: a function of the loss on the samples held out that gives their score; None if none are held out.
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
    """Epochs: one if `incremental`, else until it is enough.

    score: see `record`. without_improvement: how many epochs on end have been without, before; returns how many are now.
    """
    network = estimator.network_
    best = [network.snapshot() if estimator.early_stopping else None]
    watch = Watch(estimator, optimizer, len(samples.X), best, score, without_improvement)
    try:
        network.fit(
            samples.X, samples.y, sample_weight=samples.weights, epochs=1 if incremental else estimator.max_iter,
            batch_size=batch_size(estimator, len(samples.X)), optimizer=optimizer, shuffle=estimator.shuffle,
            validation_data=None if held_out is None else held_out.as_validation_data(),
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
    """Note the epoch in which the loss ceased to be finite; early stopping falls back on the best weights before it."""
    estimator.n_iter_ += 1
    estimator.loss_ = math.nan
    estimator.loss_curve_.append(math.nan)
    estimator.validation_loss_curve_.append(math.nan)
    estimator.validation_scores_.append(math.nan)
    warn_caller(f"training diverged in epoch {estimator.n_iter_}; the weights are the best ones before. Lower "
                "learning_rate_init, or scale X to about unit size", ConvergenceWarning)


AUTO = 200  # samples in a step, with batch_size="auto"


def is_single_step(estimator, samples):
    """Whether an epoch of these samples is one step, behind which nothing comes that may fail."""
    steps_of = AUTO if isinstance(estimator.batch_size, str) else estimator.batch_size
    return len(samples.X) <= steps_of and not estimator.callbacks and not estimator.verbose


def batch_size(estimator, samples):
    if isinstance(estimator.batch_size, str):
        return min(AUTO, samples)
    if estimator.batch_size > samples:
        warn_caller(f"batch_size is {estimator.batch_size}, but there are {samples} samples; all are taken at once")
    return min(estimator.batch_size, samples)
