"""Metrics, which a fit and `Network.evaluate` report in addition to the loss, with the direction in which each is better.

    net.fit(X, y, metrics=["f1", "auc", "top_3", a_function, Metric("gini", "higher", another)])

Names, by the kind of targets:

    classes              f1, precision, recall, iou, mean_iou, balanced_accuracy, auc, top_2, top_3, …
    a yes or no          f1, precision, recall, iou, mean_iou, balanced_accuracy, auc
    several yes or no    f1, precision, recall, iou, mean_iou, auc
    values               r2, mae, mse, rmse
    label sequences      label_error_rate, sequence_accuracy

The accuracy of labels is always reported, and the error rate of label sequences. `fastnn.samples.metrics.classification`,
`fastnn.samples.metrics.regression` and `fastnn.samples.metrics.transcripts` have the formulas.
"""

from .chosen import METRICS, choose, compute
from .direction import directed, reported
from .record import ACCURACY, KNOWN, LOSS, Metric, of_fit

__all__ = ["ACCURACY", "KNOWN", "LOSS", "METRICS", "Metric", "choose", "compute", "directed", "of_fit", "reported"]
