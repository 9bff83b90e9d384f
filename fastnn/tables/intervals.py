"""Prediction intervals from the errors on rows that a network was not trained on (split conformal prediction).

The half width is an order statistic of the absolute errors e₍₁₎ ≤ … ≤ e₍ₙ₎, in the units of the network's output
(Papadopoulos et al. 2002; Lei et al. 2018):

    ŷ ± e₍ₖ₎    with k = ⌈(n + 1) coverage⌉

For new rows of the same kind as the table, at least this share of the targets lies within, whatever their distribution. The
errors are those of single members, and their average errs less, so that the intervals of a model of several members are
somewhat wider than they need to be. The width is the same for all rows; for a target learned in logarithms, in ratios.
"""

import math

import numpy as np

from ..checks import shown
from .plain import finite

MOST = 1000  # errors in a file


def errors_of(errors, weights=None):
    """Return absolute errors (rows,), ascending, or, if they are many, quantiles of them.

    With weights (rows,) they are weighted quantiles, as many as the rows of equal weight that would be as informative,
    (Σ w)² / Σ w² (Kish 1965).
    """
    order = np.argsort(errors, kind="stable")
    errors = errors[order]
    if weights is not None:
        below = np.cumsum(weights[order])
        count = min(MOST, max(1, int(below[-1] ** 2 / (weights**2).sum())))
        places = np.searchsorted(below, np.arange(1, count + 1) / count * below[-1] * (1 - 1e-12))
        errors = errors[np.minimum(places, len(errors) - 1)]
    elif len(errors) > MOST:
        errors = np.quantile(errors, np.arange(1, MOST + 1) / MOST, method="higher")
    return tuple(errors.tolist())


def checked_errors(where, values):
    """Return errors from a file as a tuple of ascending numbers."""
    if not isinstance(values, (list, tuple)) or len(values) > MOST:
        raise ValueError(f"{where} is {shown(values)}; it must be a list of at most {MOST} numbers")
    found = tuple(finite(where, value) for value in values)
    if sorted(found) != [*found] or any(value < 0 for value in found):
        raise ValueError(f"{where} is {shown(values)}; it must hold ascending numbers of at least 0")
    return found


def half_width(errors, coverage):
    """Return the half width of an interval, in the units of the network's output."""
    if isinstance(coverage, bool) or not isinstance(coverage, (int, float, np.floating)) or not 0 < coverage < 1:
        raise ValueError(f"coverage is {shown(coverage)}; it must be a number between 0 and 1, such as 0.9")
    rank = math.ceil((len(errors) + 1) * coverage)
    if rank > len(errors):
        raise ValueError(f"the model knows the errors on {len(errors):,} rows, too few for a coverage of {coverage:g}; give "
                         f"at most {len(errors) / (len(errors) + 1):.4g}" if errors else
                         "the model has no errors on held-out rows, since an earlier version trained it; train it again")
    return errors[rank - 1]


def intervals_around(model, outputs, coverage):
    """Return intervals (rows, 2) around predictions, from the outputs of a TableModel; of several targets {name: such}."""
    found = {}
    for part, out in model.target.by_part(outputs):
        if part.has_intervals:
            errors = model.errors.get(part.name, ()) if isinstance(model.errors, dict) else model.errors
            found[part.name] = part.ends(out, half_width(errors, coverage))
    if not found:
        what = ("quantiles, which are intervals already; use predict" if model.target.kind == "quantiles" else
                "classes, not of values; use predict_proba")
        raise ValueError(f"{model.target.name!r} is a target of {what}")
    return found if len(model.target.parts) > 1 else found[model.target.name]
