"""How a fit calls its callbacks."""

import os
from contextlib import ExitStack

from ..checks import whole_number
from ..samples.metrics import reported
from .callback import Callback


def overrides(callback, hook):
    """Whether the callback's hook, a method or a function given to the instance, is its own."""
    return getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook)


def call(callbacks, hook, *arguments):
    for callback in callbacks:
        getattr(callback, hook)(*arguments)


def introduce(callbacks, network, metrics, data, validation):
    """Tell callbacks of the network and the metrics of the fit that comes, and on what Data these are measured."""
    refuse_one_file_for_two(callbacks)
    for callback in callbacks:
        callback.network, callback.metric_records = network, {metric.name: metric for metric in metrics}
        callback.metrics = (*callback.metric_records,)
        callback.measured_on(data, validation)


def refuse_one_file_for_two(callbacks):
    """Refuse callbacks of which one would write over the file of another."""
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
    """Metrics by name, with those that a callback reports; where: what these are called in an error."""
    records = dict(records)
    for metric in added:
        there = records.get(metric.name, metric)
        if None not in (there.better, metric.better) and there != metric:
            raise ValueError(f"{where} says that {metric.name} is better when {metric.better}, a callback before it that it "
                             f"is when {there.better}; make them agree, or give one of them another name")
        records[metric.name] = metric if there.better is None else there
    return records


def begin(callbacks, begun):
    """on_train_begin of each, in order; those that have begun are added to a list, for `end`, whatever happens."""
    records = {}
    for callback in callbacks:
        where = f"{type(callback).__name__}.reports"
        callback.metric_records = callback.metric_records | records
        callback.metrics = (*callback.metric_records,)
        records = merged(callback.metric_records, reported(where, callback.reports), where)
        callback.on_train_begin({})
        begun.append(callback)


def end(callbacks, logs):
    """on_train_end of each, in order; an error in one is raised when all have been called.

    What waits to be saved is saved before, while the network is as it was then, and what on_train_end leaves is saved after.
    """
    with ExitStack() as ends:  # the last that is put in is called first
        for callback in reversed(callbacks):
            ends.callback(callback.on_callbacks_end)
        for callback in reversed(callbacks):
            ends.callback(callback.on_train_end, logs)
        for callback in reversed(callbacks):
            ends.callback(callback.on_callbacks_end)


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
            call(due, "on_callbacks_end")
