"""True labels of samples, for pictures of a classifier's predictions."""

from ...samples.data import check_data
from ...samples.several_heads import NOT_ONE
from ..names import of_network


def true_labels(picture, net, X, y):
    """Return the class of each sample (samples,), 0 … classes − 1, from labels, one-hot targets or probabilities."""
    of_network(net)
    head = net.objective.head
    refuse_positions(picture, net)
    if not head.one_label:
        kind = "several sigmoid outputs, each with classes of its own" if head.probabilities else "values for outputs"
        raise ValueError(f"{picture} is of a classifier with one class a sample; this network has {kind}: end it with "
                         "Dense(classes, 'softmax'), or with Dense(1, 'sigmoid') for two")
    return head.labels(check_data(net, X, y).targets)


def refuse_positions(picture, net):
    """Raise an error if the network has outputs at each pixel or step, or several, instead of one class for each sample."""
    if net.several_outputs:
        raise ValueError(NOT_ONE.format(", ".join(map(repr, net.graph.outputs)), picture))
    if net.gives_steps:
        raise ValueError(f"{picture} is of a classifier with one class a sample; this network has outputs at each step: "
                         "give the .steps of y and of net.predict(X), those that count, to "
                         "sklearn.metrics.ConfusionMatrixDisplay.from_predictions")
    if net.objective.head.positions:
        raise ValueError(f"{picture} is of a classifier with one class a sample; the outputs of this network have the shape "
                         f"{net.shapes[-1]}, a prediction for each position")
