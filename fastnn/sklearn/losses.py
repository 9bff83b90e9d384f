"""Which of the package's losses an estimator's `loss` means, by the last activation."""

from ..kernels.losses import losses

LOG_LOSS = {"logistic": "binary_cross_entropy", "softmax": "cross_entropy"}


def classification_loss(loss, out_activation):
    """The log loss of the activation for each of its names; any other loss is itself."""
    return LOG_LOSS[out_activation] if loss in ("log_loss", *LOG_LOSS.values()) else losses.resolve(loss).name


def regression_loss(loss):
    """Its name; a loss of probabilities is refused, for the outputs of a regressor are any numbers."""
    record = losses.resolve(loss)
    if record.targets != "values":
        raise ValueError(f"loss {record.name!r} is one of probabilities; a regressor needs one of values, such as "
                         "'squared_error', 'absolute_error', 'huber' or 'poisson'")
    return record.name
