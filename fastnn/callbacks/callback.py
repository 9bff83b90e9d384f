"""The base of callbacks, and how a fit calls several of them."""

import math
from contextlib import ExitStack, contextmanager

import numpy as np

from ..checks import real_number, shown, whole_number
from ..metrics import reported as reported_metrics


class Callback:
    """Base of callbacks: override what you need.

    Set `network.stop_training = True` to stop: after the epoch from `on_epoch_end`, after the batch from
    `on_train_batch_end`, before the next batch from a hook that begins something. An epoch stopped in the middle has no
    place in the history; `fit(..., resume=True)` goes on with it. Read and change `network.optimizer.learning_rate` and
    other hyperparameters anywhere; they take hold of the next step.

    logs is a dict of the metrics so far, {} where there are none yet. Numbers of epochs and batches begin at 0. An exception
    in a hook ends the fit; `on_train_end` of all callbacks is called then too, and after Ctrl-C.

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
        Whether it is called after those that stand behind it in the list, for what keeps the state of all.

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

    def on_train_begin(self, logs): ...

    def on_train_end(self, logs): ...

    def on_epoch_begin(self, epoch, logs):
        """Before an epoch's first batch, and again when a fit that was interrupted within an epoch goes on with it."""

    def on_epoch_end(self, epoch, logs):
        """After validation."""

    def on_train_batch_begin(self, batch, logs): ...

    def on_train_batch_end(self, batch, logs):
        """logs: means over the epoch up to here."""

    def on_divergence(self, error):
        """A step would make numbers that are not finite. Return True to end the fit quietly; else the error is raised."""

    def state(self):
        """What `resumed` is to be if the fit goes on from here: a dict of numbers, text, lists, dicts, None and arrays."""
        return {}


def overrides(callback, hook):
    """Whether the callback's hook, a method or a function given to the instance, is its own."""
    return getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)


def call(callbacks, hook, *arguments):
    for callback in callbacks:
        getattr(callback, hook)(*arguments)


def reported(logs, name):
    """A metric in the logs of an epoch."""
    value = logs.get(name)
    if math.isnan(real_number(value)) and not isinstance(value, (float, np.floating)):
        raise ValueError(f"logs[{name!r}] is {shown(value)}; the callback that reports it must put a number there at the "
                         "end of each epoch, and stand before those that use it")
    return float(value)


def introduce(callbacks, network, metrics):
    """Tell callbacks of the network and the metrics of the fit that comes."""
    for callback in callbacks:
        callback.network, callback.metric_records = network, {metric.name: metric for metric in metrics}
        callback.metrics = (*callback.metric_records,)


def merged(records, added, where):
    """Metrics by name, with those that a callback reports; where: what these are called in an error."""
    records = dict(records)
    for metric in added:
        there = records.get(metric.name, metric)
        if None not in (there.better, metric.better) and there != metric:
            raise ValueError(f"{where} says that {metric.name} is better when {metric.better}, a callback before it that it "
                             f"is when {there.better}; make them agree, or give one of them another name")
        records[metric.name] = metric if there.better is None else there
    return records


@contextmanager
def training(callbacks):
    """Between on_train_begin and on_train_end, which comes to each that has begun, whatever happens.

    Gives the dict that will be the logs of on_train_end.
    """
    logs, begun, records = {}, [], {}
    with ExitStack() as ends:
        ends.callback(lambda: end(begun, logs))
        for callback in callbacks:
            where = f"{type(callback).__name__}.reports"
            callback.metric_records = callback.metric_records | records
            callback.metrics = (*callback.metric_records,)
            records = merged(callback.metric_records, reported_metrics(where, callback.reports), where)
            callback.on_train_begin({})
            begun.append(callback)
        yield logs


def end(callbacks, logs):
    """on_train_end of each, in order; an error in one is raised when all have been called."""
    with ExitStack() as ends:
        for callback in reversed(callbacks):
            ends.callback(callback.on_train_end, logs)


class BatchHooks:
    """Calls the hooks of batches of the callbacks that have them, and says how many batches may pass until then.

    A step is a batch counted from the beginning of the fit.
    """

    def __init__(self, callbacks):
        hooks = "on_train_batch_begin", "on_train_batch_end"
        self.callbacks = [each for each in callbacks if any(overrides(each, hook) for hook in hooks)]
        for each in self.callbacks:
            whole_number(f"{type(each).__name__}.every_batches", each.every_batches)

    def batches_until_next(self, step, most):
        """How many batches, at most so many, can be run from this step on before a hook is due."""
        return min([most, *(each.every_batches - step % each.every_batches for each in self.callbacks)])

    def due(self, step):
        return [callback for callback in self.callbacks if step % callback.every_batches == 0]

    def begin(self, step, batch):
        call(self.due(step), "on_train_batch_begin", batch, {})

    def end(self, step, batch, metrics):
        """step: how many have been done; metrics: a function that gives those of the epoch so far."""
        if due := self.due(step):
            call(due, "on_train_batch_end", batch, metrics())
