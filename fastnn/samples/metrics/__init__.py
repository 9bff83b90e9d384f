"""Metrics: what a fit and `Network.evaluate` report beside the loss, of all samples, and which way each is better.

    net.fit(X, y, metrics=["f1", "auc", "top_3", a_function, Metric("gini", "higher", another)])

Names, by what the network learns:

    classes              f1, precision, recall, balanced_accuracy, auc, top_2, top_3, … (accuracy is always reported)
    a yes or no          f1, precision, recall, balanced_accuracy, auc
    several yes or no    f1, precision, recall, auc
    values               r2, mae, mse, rmse

`fastnn.samples.metrics.classification` and `fastnn.samples.metrics.regression` have their formulas.
"""

from .chosen import METRICS, choose, work_out
from .direction import directed, reported
from .record import ACCURACY, KNOWN, LOSS, Metric, of_fit

__all__ = ["ACCURACY", "KNOWN", "LOSS", "METRICS", "Metric", "choose", "directed", "of_fit", "reported", "work_out"]
