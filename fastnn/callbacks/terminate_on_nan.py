"""Ending a fit with a warning when its numbers are no longer finite."""

import math

from ..checks.caller_warning import warn_caller
from ..fitting.callback import Callback


class TerminateOnNaN(Callback):
    """End the fit with a warning instead of a DivergenceError at a step that would not leave every number finite.

    The weights are those from before that step, and the epoch is not in the history. It also ends a fit after an epoch with
    a metric that is not finite, such as "val_loss".

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from fastnn import SGD, Dense, Network, TerminateOnNaN
    >>> net, X = Network([Dense(1)], inputs=1), np.arange(8.0)[:, None]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     history = net.fit(X, X[:, 0], epochs=500, optimizer=SGD(1e6), callbacks=[TerminateOnNaN()])
    >>> len(history.epochs) < 500, len(caught)
    (True, 1)
    """

    def on_divergence(self, error):
        warn_caller(f"training ended: {error}", RuntimeWarning)
        return True

    def on_epoch_end(self, epoch, logs):
        not_finite = [name for name, value in logs.items() if not math.isfinite(value)]
        if not_finite:
            self.network.stop_training = True
            values = ", ".join(f"{name} is {logs[name]}" for name in not_finite)
            warn_caller(f"training ended after epoch {epoch}: {values}", RuntimeWarning)
