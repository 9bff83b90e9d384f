"""Metrics chosen by a caller, as in `fit(metrics=["f1", "auc"])`: their names, and the outputs that they are valid for."""

import re
from dataclasses import dataclass

import numpy as np

from ...checks import shown
from ...checks.hyperparameters import real_number
from ...checks.other_names import known_name
from ..named import by_name
from ..positions import at_positions
from . import classification, regression, transcripts
from .record import ACCURACY, KNOWN, Metric


@dataclass(frozen=True)
class OfClasses(Metric):
    """A metric of labels; its function also takes the number of classes. heads: the kinds of heads that it is valid for."""

    heads: tuple = ("one class", "one yes or no", "several yes or no")


@dataclass(frozen=True)
class OfTranscripts(Metric):
    """A metric of label sequences."""

    heads: tuple = ("label sequences",)


@dataclass(frozen=True)
class OfValues(Metric):
    """A metric of values."""

    heads: tuple = ("values",)


SINGLE = "one class", "one yes or no"
METRICS = {metric.name: metric for metric in (
    OfClasses("f1", "higher", classification.f1), OfClasses("precision", "higher", classification.precision),
    OfClasses("recall", "higher", classification.recall), OfClasses("iou", "higher", classification.iou),
    OfClasses("mean_iou", "higher", classification.mean_iou),
    OfClasses("balanced_accuracy", "higher", classification.balanced_accuracy, heads=SINGLE),
    OfClasses("auc", "higher", classification.auc, of="outputs"),
    OfValues("r2", "higher", regression.r2), OfValues("mae", "lower", regression.mae),
    OfValues("mse", "lower", regression.mse), OfValues("rmse", "lower", regression.rmse),
    OfTranscripts("label_error_rate", "lower", transcripts.label_error_rate),
    OfTranscripts("sequence_accuracy", "higher", transcripts.sequence_accuracy),
)}
TOP = re.compile(r"top_(\d{1,9})")


def top_k(name, k):
    return OfClasses(name, "higher", classification.top_k(k), of="outputs", heads=("one class",))


def named(name):
    """Return the metric of the package with this name; None if there is none."""
    if match := TOP.fullmatch(name):
        return top_k(name, int(match[1]))
    return METRICS.get(name)


@dataclass(frozen=True)
class OfOutput(Metric):
    """A metric of one of several outputs. output: its name. metric: of its own."""

    output: str = ""
    metric: Metric | None = None


def choose(given, head):
    """Return the chosen Metrics, without those that the head always reports.

    given: a list of names, functions and Metrics; of several outputs, a dict of such lists by name.
    """
    if head.kind == "several outputs":
        lists = by_name("metrics output", given, head.names, ()) if given not in ((), []) else ()
        return tuple(OfOutput(f"{name}_{metric.name}", metric.better, output=name, metric=metric)
                     for name, own, one in zip(head.names, head.heads, lists, strict=False) for metric in choose(one, own))
    if isinstance(given, (str, Metric)) or callable(given) or not isinstance(given, (list, tuple)):
        raise ValueError(f"metrics is {shown(given)}; it must be a list, such as metrics="
                         f"{[given if isinstance(given, str) else 'f1']!r}")
    chosen = {}
    for index, each in enumerate(given):
        metric = checked(f"metrics[{index}]", each, head)
        if metric in head.metrics or metric.name == "loss":
            continue  # always reported
        if metric.name in chosen:
            raise ValueError(f"metrics has {metric.name!r} twice; leave one of them out, or give it another name")
        chosen[metric.name] = metric
    return (*chosen.values(),)


def checked(where, given, head):
    """Return a Metric that is valid for the head."""
    if isinstance(given, str):
        return of_name(where, given, head)
    if not isinstance(given, Metric):
        if not callable(given):
            raise ValueError(f"{where} is {shown(given)}; it must be one of {', '.join(names_for(head))}, a function of "
                             "targets and predictions, or a fastnn.Metric")
        name = getattr(given, "__name__", None)
        if not isinstance(name, str) or name == "<lambda>":
            raise ValueError(f"{where} is {shown(given)}, which has no name; give it one with "
                             "fastnn.Metric(name, 'higher' or 'lower', function)")
        given = Metric(name, None, given)
    if given.function is None and given not in head.metrics:
        raise ValueError(f"{where} is {given!r}; give it a function of targets and predictions")
    own = given.name in (*KNOWN, "learning_rate", "epoch", "batch", "") or given.name.startswith("val_")
    if given.function is not None and own:
        raise ValueError(f"{where} is called {given.name!r}, as what a fit reports by itself; give it another name")
    return given


def of_name(where, name, head):
    own = {metric.name: metric for metric in head.metrics}
    if name not in own and named(name) is None:
        name = known_name("metric", name, (*own, *METRICS, ACCURACY.name)) or name
    metric = own.get(name) or named(name)
    if name == ACCURACY.name and metric is None:
        raise ValueError(f"{where} is {name!r}, the share of right labels, and this network learns {head.description}; for "
                         f"values there are {', '.join(names_for(head))}, and labels need a last layer with softmax or "
                         "sigmoid")
    if metric is None:
        raise ValueError(f"{where} is {name!r}; it must be one of {', '.join(names_for(head))}, a function of targets and "
                         "predictions, or a fastnn.Metric")
    if name not in own and head.kind not in metric.heads:
        raise ValueError(f"{where} is {name!r}, which is no metric of a network that learns {head.description}; it may be "
                         f"one of {', '.join(names_for(head))}, a function of targets and predictions, or a fastnn.Metric")
    if (match := TOP.fullmatch(name)) and not 1 <= int(match[1]) < head.outputs:
        raise ValueError(f"{where} is {name!r}, and there are {head.outputs} classes; k must be from 1 to "
                         f"{head.outputs - 1}")
    return metric


def names_for(head):
    """Return the names that are valid for a head."""
    names = [name for name, metric in METRICS.items() if head.kind in metric.heads]
    return [*names, *(["top_2"] if head.kind == "one class" and head.outputs > 2 else [])]


def compute(network, data, chosen, threads, prefix=""):
    """Return {name: value} of the chosen metrics over all samples of Data; prefix: "val_" for validation."""
    if not chosen:
        return {}
    head, rows = network.objective.head, data.rows
    outputs = network.forward(data.X if rows is None else data.X[rows], threads=threads)
    targets = data.targets if rows is None else data.targets.part(rows)
    if head.kind == "several outputs":
        found = {}
        for name, own, given, part in zip(head.names, head.heads, targets.each, data.each, strict=True):
            of_it = [each.metric for each in chosen if each.output == name]
            found |= of_one(own, outputs[name], given, part, of_it, f"{prefix}{name}_") if of_it else {}
        return found
    if head.kind == "label sequences":
        return of_transcripts(head, outputs, head.perfect_predictions(targets), chosen, prefix)
    # data of several inputs have a list of weights, those of each output
    return of_one(head, outputs, targets, data.each[0] if isinstance(data.weights, list) else data, chosen, prefix)


def of_one(head, outputs, targets, data, chosen, prefix):
    """Return {name: value} of the chosen metrics of one output. targets: those of the samples that `data` uses."""
    y, weights, rows = head.perfect_predictions(targets), data.weights, data.rows
    if targets.offsets is not None:  # metrics take one row for each step that counts
        counted = slice(None) if weights is None else data.weights_of_steps() > 0
        outputs, y = outputs.steps[counted], y[counted]
    if head.positions:  # metrics take one row for each position that counts
        head, shape = head.of_rows(), outputs.shape[:-1]
        counted = slice(None) if weights is None else at_positions(
            weights if rows is None else weights[rows], shape).reshape(-1) > 0
        outputs, y = outputs.reshape(-1, head.outputs)[counted], y.reshape(-1, *head.predicted_shape)[counted]
    return values(head, outputs, y, chosen, prefix)


def of_transcripts(head, outputs, y, chosen, prefix):
    """Return {name: value} of metrics of label sequences, whose functions take lists of arrays."""
    predicted, unsound = head.predictions_of(outputs)
    if unsound >= 0:
        return {prefix + metric.name: np.nan for metric in chosen}
    found = {}
    for metric in chosen:
        given = ([one.copy() for one in each] for each in (y, predicted if metric.of == "predictions" else outputs))
        found[prefix + metric.name] = as_number(metric, metric.function(*given))
    return found


def values(head, outputs, y, chosen, prefix):
    """Return {name: value} of the chosen metrics of one output. y: its targets, in the form of predictions."""
    if np.isnan(outputs).any():
        return {prefix + metric.name: np.nan for metric in chosen}
    predictions, _ = head.predictions(outputs)
    return {prefix + metric.name: value(metric, head, y, predictions, outputs) for metric in chosen}


def value(metric, head, y, predictions, outputs):
    given = y.copy(), (predictions if metric.of == "predictions" else outputs).copy()  # in case the function changes them
    return as_number(metric, metric.function(*given, head.classes) if isinstance(metric, OfClasses)
                     else metric.function(*given))


def as_number(metric, found):
    """Return what the function of a metric returned as a float."""
    found = found.item() if isinstance(found, np.ndarray) and found.ndim == 0 else found
    number = real_number(found)
    if np.isnan(number) and not isinstance(found, (float, np.floating)):
        raise ValueError(f"the metric {metric.name!r} is {shown(found)}; its function must return a number")
    return number
