"""The pictures and tables of a report about the test rows, one function for each kind of target."""

import numpy as np

from ..target import as_numbers
from .drawing import MOST, Frame, brief, heat_map

CLASSES = 24  # in a confusion matrix; of more, the largest confusions are listed
LISTED = 12
BINS = 10  # of a calibration
COVERAGES = (0.5, 0.8, 0.9, 0.95)


def of_part(part, series, outputs, result, several):
    """Return the blocks of a target: HTML of pictures, or ("table", head, rows, title).

    series: the targets of the test rows. outputs: those of the network for them.
    """
    estimates = part.estimates(outputs)
    if part.has_classes:
        return of_classes(part, part.encode(series), np.asarray(estimates, np.float64))
    if part.kind == "quantiles":
        return of_quantiles(part, as_numbers(series), estimates)
    if estimates.ndim == 1:
        return of_values(as_numbers(series), estimates) + ([] if several else of_intervals(series, result))
    return [f"<p>There are no pictures for targets of the kind {part.kind}.</p>"]


def of_values(y, predicted):
    """Return pictures of predictions and residuals."""
    drawn = np.random.default_rng(0).permutation(len(y))[:MOST]
    low, high = (float(value) for value in np.quantile(np.concatenate([y, predicted]), [0.002, 0.998]))
    beside = Frame("Predicted and true values", (low, high), (low, high), ("predicted", "true"))
    beside.line([low, high], [low, high], "muted", dashed=True)
    inside = [k for k in drawn if low <= y[k] <= high and low <= predicted[k] <= high]
    beside.dots(predicted[inside], y[inside], "a")
    residuals = y - predicted
    ends = np.quantile(residuals, [0.005, 0.995])
    edges = np.linspace(*(ends if ends[1] > ends[0] else (ends[0] - 0.5, ends[1] + 0.5)), 41)
    counts, _ = np.histogram(np.clip(residuals, edges[0], edges[-1]), edges)
    histogram = Frame("Residuals: true − predicted", (edges[0], edges[-1]), (0, max(counts.max(), 1)), ("residual", "rows"))
    histogram.bars(edges.tolist(), counts.tolist(), "a")
    by_size = Frame("Residuals by prediction", (low, high), (float(edges[0]), float(edges[-1])), ("predicted", "residual"))
    by_size.line([low, high], [0, 0], "muted", dashed=True)
    within = [k for k in inside if edges[0] <= residuals[k] <= edges[-1]]
    by_size.dots(predicted[within], residuals[within], "a")
    order = np.argsort(predicted, kind="stable")
    groups = [group for group in np.array_split(order, 12) if len(group)]
    means = [(float(predicted[group].mean()), float(residuals[group].mean())) for group in groups]
    by_size.line(*zip(*means, strict=True), "b")
    by_size.dots(*zip(*means, strict=True), "b", 3)
    return [beside.svg(), histogram.svg(), by_size.svg([("mean of each twelfth", "b")])]


def of_intervals(series, result):
    """Return a table of how many test rows lie within intervals."""
    y, rows = as_numbers(series), []
    for coverage in COVERAGES:
        try:
            low, high = result.model.predict_interval(result.table.iloc[result.test], coverage).T
        except ValueError:
            continue  # too few rows were held out for it
        inside = ((low <= y) & (y <= high)).mean()
        rows.append((f"{100 * coverage:g} %", f"{100 * inside:.1f} %", brief(float(np.mean(high - low)))))
    head = ("intervals for", "hold of the test rows", "mean width")
    return [("table", head, rows, "Calibration: intervals")] if rows else []


def of_quantiles(part, y, predicted):
    """Return a table of how many test rows lie below each quantile."""
    rows = [(f"{100 * q:g} %", f"{100 * (y <= own).mean():.1f} %")
            for q, own in zip(part.quantiles, predicted.T, strict=True)]
    return [("table", ("quantile", "test rows at or below it"), rows, "Calibration: quantiles")]


def of_classes(part, labels, p):
    """Return the confusion matrix, the calibration and a table of the classes."""
    count, chosen, texts = len(part.labels), part.chosen(p), [str(text) for text in part.texts]
    confusion = np.bincount(labels * count + chosen, minlength=count * count).reshape(count, count)
    if count <= CLASSES:
        blocks = [heat_map("Confusion: test rows by true and predicted class", confusion.tolist(), texts,
                           ("true", "predicted"))]
    else:
        wrong = confusion.copy()
        np.fill_diagonal(wrong, 0)
        pairs = [divmod(int(k), count) for k in np.argsort(-wrong, axis=None, kind="stable")[:LISTED]]
        rows = [(texts[i], texts[j], f"{wrong[i, j]:,}", f"{100 * wrong[i, j] / max(confusion[i].sum(), 1):.0f} %")
                for i, j in pairs if wrong[i, j]]
        blocks = [("table", ("true class", "predicted", "test rows", "of its class"), rows,
                   f"The largest confusions among {count:,} classes")]
    blocks.append(calibration(labels, p, texts))
    right, there, said = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    order = np.argsort(-there, kind="stable")[:CLASSES]
    rows = [(texts[k], f"{there[k]:,}", percent(right[k], there[k]), percent(right[k], said[k])) for k in order]
    title = "Classes" if count <= CLASSES else f"The {CLASSES} most frequent of {count:,} classes"
    return [*blocks, ("table", ("class", "test rows", "recall", "precision"), rows, title)]


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def calibration(labels, p, texts):
    """Return the picture of probabilities beside frequencies: of the second of two classes, else of the predicted class."""
    if p.shape[1] == 2:
        stated, true, what = p[:, 1], labels == 1, f"of {texts[1]}"
    else:
        stated, true, what = p.max(axis=1), p.argmax(axis=1) == labels, "of the most probable class"
    frame = Frame(f"Calibration: probability {what}, in {BINS} groups of equal size", (0, 1), (0, 1),
                  ("stated probability", "share that is so"))
    frame.line([0, 1], [0, 1], "muted", dashed=True)
    order = np.argsort(stated, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    points = [(float(stated[group].mean()), float(true[group].mean())) for group in groups]
    frame.line(*zip(*points, strict=True), "a")
    frame.dots(*zip(*points, strict=True), "a", 3.2)
    return frame.svg()
