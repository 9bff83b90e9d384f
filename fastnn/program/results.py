"""The memory that steps write their results to. outputs: the number of outputs of a network with several, otherwise 0."""

import numpy as np

from ..kernels.interpreter.interpreter import TOTALS
from ..kernels.interpreter.table import RESULTS, RESULTS_OF_EACH

__all__ = ["TOTALS", "means_of_each", "new_totals", "shape_of_results"]


def new_totals(outputs):
    """Return the totals of an epoch, zeros: those of `train`, and the loss, hits and counts of each of several outputs."""
    return np.zeros(TOTALS + RESULTS_OF_EACH * outputs)


def shape_of_results(outputs, samples):
    """Return the shape of the results of so many samples."""
    return RESULTS + RESULTS_OF_EACH * outputs, samples


def means_of_each(totals, weight):
    """Return [(mean loss, accuracy)] of several outputs."""
    own = totals[TOTALS:].reshape(-1, RESULTS_OF_EACH)
    return [(float(loss / weight), float(hits / max(count, 1))) for loss, hits, count in own]
