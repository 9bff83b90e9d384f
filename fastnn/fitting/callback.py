"""The base of callbacks."""

import math

import numpy as np

from ..checks import real_number, shown


class Callback:
    """Base of callbacks: override what you need.

    Set `network.stop_training = True` to stop: after the epoch from `on_epoch_end`, after the batch from
    `on_train_batch_end`, before the next batch from a hook that begins something. An epoch stopped in the middle has no
    place in the history; `fit(..., resume=True)` goes on with it. Read and change `network.optimizer.learning_rate` and
    other hyperparameters anywhere; they take hold of the next step.

    logs is a dict of the metrics so far, {} where there are none yet. Numbers of epochs and batches begin at 0. An exception
    in a hook ends the fit; `on_train_end` of all callbacks is called then too, and after Ctrl-C. If it comes between the
    callbacks at the end of an epoch, those that have not been told of the epoch are told when the fit is resumed.

    Training runs compiled, about 50 ms of batches at a time, and Python looks in between. So the two hooks of batches cost
    something: if a callback overrides one of them, training comes back to Python at every batch, or every `every_batches`
    batches if it sets that, which slows the smallest networks down several times. No others are slowed down.

    Attributes
    ----------
    network : Network
        The network in training.
    metrics : tuple of str
        The names of what `logs` holds at the end of an epoch.
    metric_records : dict of str to Metric
        The same by name, as records that say which way each is better.
    reports : tuple of str, or dict of str to {"max", "min"}
        Names of metrics of its own, a number each, that its `on_epoch_end` puts into `logs`: those that stand behind it in
        the list may then watch and log them. A dict says which way each is better, as in {"auc": "max", "mae": "min"};
        without that, those that watch it need a `mode`. The history has the metrics of the fit alone.
    resumed : dict or None
        In a fit that goes on from where it was interrupted, what `state` of this callback returned there; else None.
    every_batches : int
        After how many batches of the fit, over all its epochs, the hooks of batches are called.
    runs_last : bool
        Whether it is called after those that stand behind it in the list. What saves the states of all callbacks does so in
        `on_callbacks_end`, which comes later still.

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
    every_batches, runs_last = 1, False
    may_be_repeated = False  # whether on_epoch_end of one epoch, interrupted and called again, comes to what one call does

    def on_train_begin(self, logs): ...

    def on_train_end(self, logs): ...

    def on_epoch_begin(self, epoch, logs):
        """Before an epoch's first batch, and again when a fit that was interrupted within an epoch goes on with it."""

    def on_epoch_end(self, epoch, logs):
        """After validation."""

    def on_train_batch_begin(self, batch, logs): ...

    def on_train_batch_end(self, batch, logs):
        """logs: means over the epoch up to here."""

    def on_callbacks_end(self):
        """After on_epoch_end, on_train_batch_end or on_train_end of all callbacks: the place to save the states of all.

        Also before on_train_end of any, where an exception may have kept it from being called.
        """

    def on_divergence(self, error):
        """A step would make numbers that are not finite. Return True to end the fit quietly; else the error is raised."""

    def state(self):
        """What `resumed` is to be if the fit goes on from here: a dict of numbers, text, lists, dicts, None and arrays."""
        return {}

    def told_apart_by(self):
        """What tells it apart from others of its type: a dict of numbers and text.

        In a fit that goes on, each callback gets back the state of the one of its type that is most like it by these; among
        equals it goes by their order.
        """
        return {}

    def measured_on(self, data, validation):
        """Before on_train_begin: the Data that the fit learns from, and those of its validation, or None."""

    def written_file(self):
        """(the path of the file that it writes, whether others may write it too); None if it writes none."""
        return None


def reported(logs, name):
    """A metric in the logs of an epoch."""
    value = logs.get(name)
    if math.isnan(real_number(value)) and not isinstance(value, (float, np.floating)):
        raise ValueError(f"logs[{name!r}] is {shown(value)}; the callback that reports it must put a number there at the "
                         "end of each epoch, and stand before those that use it")
    return float(value)
