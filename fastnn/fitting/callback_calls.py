"""The calls of callbacks in a fit."""

import os
from contextlib import ExitStack

from ..checks import list_of, shown, whole_number
from ..samples.metrics import reported
from .callback import Callback


def overrides(callback, hook):
    """Return whether a callback overrides a hook, with a method or with a function set on the instance."""
    return getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)


def callbacks_of(given):
    """Return the argument `callbacks` of a fit as a list."""
    for index, each in enumerate(given if isinstance(given, (list, tuple)) else ()):
        if not isinstance(each, (Callback, type)) and (callable(each) or isinstance(each, str)):
            give = "LambdaCallback(on_epoch_end=function)" if callable(each) else "an object: EarlyStopping(patience=5)"
            raise ValueError(f"callbacks[{index}] is {shown(each)}; it must be a Callback: give {give}")
    return list_of("callbacks", given, Callback)


def call(callbacks, hook, *arguments):
    for callback in callbacks:
        getattr(callback, hook)(*arguments)


def announce(callbacks, network, metrics, data, validation):
    """Tell callbacks the network, the metrics of the coming fit, and the Data that these are computed on."""
    check_distinct_files(callbacks)
    for callback in callbacks:
        callback.network, callback.metric_records = network, {metric.name: metric for metric in metrics}
        callback.metrics = (*callback.metric_records,)
        callback.measured_on(data, validation)


def check_distinct_files(callbacks):
    """Raise an error if two callbacks would write to the same file."""
    files = {}
    for callback in callbacks:
        path, may_be_shared = callback.written_file() or (None, True)
        if path is None:
            continue
        other, both = files.setdefault(os.path.abspath(path), (callback, may_be_shared))
        if other is not callback and not (both and may_be_shared):
            raise ValueError(f"a {type(other).__name__} and a {type(callback).__name__} both write {path}; give each a "
                             "file of its own")


def merged(records, added, where):
    """Return metrics by name, with those that a callback reports; where: how an error refers to these."""
    records = dict(records)
    for metric in added:
        there = records.get(metric.name, metric)
        if None not in (there.better, metric.better) and there != metric:
            raise ValueError(f"{where} says that {metric.name} is better when {metric.better}, a callback before it that it "
                             f"is when {there.better}; make them agree, or give one of them another name")
        records[metric.name] = metric if there.better is None else there
    return records


def begin(callbacks, begun):
    """Call on_train_begin of each callback, in order, and append it to the list `begun`, for `end`."""
    records = {}
    for callback in callbacks:
        where = f"{type(callback).__name__}.reports"
        callback.metric_records = callback.metric_records | records
        callback.metrics = (*callback.metric_records,)
        records = merged(callback.metric_records, reported(where, callback.reports), where)
        callback.on_train_begin({})
        begun.append(callback)


def end(callbacks, logs):
    """Call on_train_end of each callback, in order. An error in one is raised after all have been called.

    Pending files are saved before these calls, with the network as it is then. Files that on_train_end adds are saved after
    them.
    """
    with ExitStack() as ends:  # called in reverse order
        for callback in reversed(callbacks):
            ends.callback(callback.on_callbacks_end)
        for callback in reversed(callbacks):
            ends.callback(callback.on_train_end, logs)
        for callback in reversed(callbacks):
            ends.callback(callback.on_callbacks_end)


class BatchHooks:
    """Calls the hooks of batches, and computes how many batches may run until the next call.

    Steps are batches counted from the beginning of the fit.
    """

    def __init__(self, callbacks):
        hooks = "on_train_batch_begin", "on_train_batch_end"
        self.callbacks = [each for each in callbacks if any(overrides(each, hook) for hook in hooks)]
        for each in self.callbacks:
            whole_number(f"{type(each).__name__}.every_batches", each.every_batches)

    def batches_until_next(self, step, most):
        """Return the number of batches, at most `most`, that can run from this step until a hook is due."""
        return min([most, *(each.every_batches - step % each.every_batches for each in self.callbacks)])

    def due(self, step):
        return [callback for callback in self.callbacks if step % callback.every_batches == 0]

    def begin(self, step, batch):
        call(self.due(step), "on_train_batch_begin", batch, {})

    def end(self, step, batch, metrics):
        """step: number of steps done; metrics: a function that returns the metrics of the epoch so far."""
        if due := self.due(step):
            call(due, "on_train_batch_end", batch, metrics())
            call(due, "on_callbacks_end")
