"""The probability from which on the second of two classes is predicted, chosen on the rows held out.

Every threshold between two of their probabilities is tried. With tp, fp, fn and tn rows of the second class that are
predicted, of the first that are predicted as the second, and so on,

    f1         tp / (2tp + fp + fn) + tn / (2tn + fp + fn), the mean over both classes, as `fastnn.tables.metrics` has it
    balanced   (tp / (tp + fn) + tn / (tn + fp)) / 2, the balanced accuracy

The largest of these is somewhat too good for new rows; the test rows have no part in the choice.
"""

import numpy as np

METRICS = "f1", "balanced"


def best_threshold(metric, p, belongs, weights=None):
    """Return the threshold of the probability p (rows,) of the second class with the largest metric; 1/2 of equal ones.

    belongs: (rows,) bool, whether a row is of that class. metric: "f1" or "balanced".
    """
    weights = np.ones(len(p)) if weights is None else weights
    order = np.argsort(-p, kind="stable")
    p, inside = p[order].astype(np.float64), np.where(belongs[order], weights[order], 0.0)
    outside = weights[order] - inside
    last = np.flatnonzero(np.append(p[:-1] > p[1:], True))  # of rows with the same probability
    tp, fp = (np.append(0.0, np.cumsum(each)[last]) for each in (inside, outside))
    fn, tn = inside.sum() - tp, outside.sum() - fp
    if metric == "f1":
        found = ratio(tp, 2 * tp + fp + fn) + ratio(tn, 2 * tn + fp + fn)
    else:
        found = ratio(tp, tp + fn) + ratio(tn, tn + fp)
    ends = np.concatenate([[1.0], p[last], [0.0]])
    between = (ends[:-1] + ends[1:]) / 2
    best = np.flatnonzero(found >= found.max() - 1e-12)
    chosen = between[best[np.argmin(np.abs(between[best] - 0.5))]]
    return float(np.clip(chosen, 1e-6, 1 - 1e-6))


def ratio(part, whole):
    """Return part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)
