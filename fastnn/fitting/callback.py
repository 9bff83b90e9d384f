"""The base class of callbacks."""

import math

import numpy as np

from ..checks import real_number, shown
from ..checks.other_arguments import takes_others


class Callback:
    """Base class of callbacks: override the hooks that you need.

    Set `network.stop_training = True` to stop: after the epoch from `on_epoch_end`, after the batch from
    `on_train_batch_end`, before the next batch from a hook that begins something. An epoch that is stopped in the middle is
    not in the history; `fit(..., resume=True)` continues it. Hyperparameters such as `network.optimizer.learning_rate` may
    be changed in every hook; the next step uses the new value.

    logs is a dict of the metrics so far, {} if there are none yet. Epochs and batches are numbered from 0. An exception in a
    hook ends the fit; `on_train_end` of all callbacks is called then too, and after Ctrl-C. If it occurs between callbacks
    at the end of an epoch, the remaining ones are called for that epoch when the fit is resumed.

    Training runs in compiled code, about 50 ms of batches at a time. So the two hooks of batches have a cost: if a callback
    overrides one of them, training returns to Python at every batch, or every `every_batches` batches if it sets that, which
    makes the smallest networks several times slower. The other hooks do not slow down training.

    Attributes
    ----------
    network : Network
        The network in training.
    metrics : tuple of str
        The names of the metrics in `logs` at the end of an epoch.
    metric_records : dict of str to Metric
        The same metrics as records, which specify whether larger or smaller values are better.
    reports : tuple of str, or dict of str to {"max", "min"}
        Names of its own metrics, numbers that its `on_epoch_end` puts into `logs`. Callbacks after it in the list may
        monitor and log them. A dict specifies whether larger or smaller values are better, as in {"auc": "max", "mae":
        "min"}; without that, callbacks that monitor it need a `mode`. The history contains only the metrics of the fit.
    resumed : dict or None
        In a resumed fit, the value that `state` of this callback returned before; otherwise None.
    every_batches : int
        The number of batches, counted over all epochs, after which the hooks of batches are called.
    shows_epochs : bool
        Whether it shows the epochs in the output as they end; there is then no progress bar unless asked for.
    runs_last : bool
        Whether it is called after the others, whatever its place in the list. Callbacks that save the states of all
        callbacks do so in `on_callbacks_end`, which is called even later.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Adam, Callback, Dense, Network
    >>> class Halve(Callback):
    ...     def on_epoch_end(self, epoch, logs):
    ...         self.network.optimizer.learning_rate /= 2
    >>> net = Network([Dense(1)], inputs=1)
    >>> history = net.fit(np.ones((9, 1)), np.ones(9), epochs=3, optimizer=Adam(0.4), callbacks=[Halve()])
    >>> history["learning_rate"]
    [0.4, 0.2, 0.1]
    """

    network, metrics, metric_records, reports, resumed = None, (), {}, (), None
    every_batches, runs_last, shows_epochs = 1, False, False
    may_be_repeated = False  # whether on_epoch_end may be interrupted and called again for the same epoch

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if cls.__module__.startswith("fastnn.") and "__init__" in vars(cls):
            cls.__init__ = takes_others("callback")(cls.__init__)

    def on_train_begin(self, logs): ...

    def on_train_end(self, logs): ...

    def on_epoch_begin(self, epoch, logs):
        """Called before the first batch of an epoch, and again when a fit that was interrupted in the epoch is resumed."""

    def on_epoch_end(self, epoch, logs):
        """Called after validation."""

    def on_train_batch_begin(self, batch, logs): ...

    def on_train_batch_end(self, batch, logs):
        """Called after a batch; logs: means over the epoch so far."""

    def on_callbacks_end(self):
        """Called after on_epoch_end, on_train_batch_end or on_train_end of all callbacks, to save the states of all.

        It is also called before the first on_train_end, in case an exception has prevented the call.
        """

    def on_divergence(self, error):
        """Called when a step would produce numbers that are not finite. Return True to end the fit without an error."""

    def state(self):
        """Return the value of `resumed` for a resumed fit: a dict of numbers, text, lists, dicts, None and arrays."""
        return {}

    def told_apart_by(self):
        """Return what distinguishes it from other callbacks of its type: a dict of numbers and text.

        In a resumed fit, each callback gets the state of the callback of its type that agrees with it in most of these
        values; ties are resolved by order.
        """
        return {}

    def measured_on(self, data, validation):
        """Called before on_train_begin with the training Data, and the validation Data or None."""

    def written_file(self):
        """Return (path of the file that it writes, whether others may write it too); None if it writes none."""
        return None


def reported(logs, name):
    """Return a metric from the logs of an epoch."""
    value = logs.get(name)
    if math.isnan(real_number(value)) and not isinstance(value, (float, np.floating)):
        raise ValueError(f"logs[{name!r}] is {shown(value)}; the callback that reports it must put a number there at the "
                         "end of each epoch, and stand before those that use it")
    return float(value)
