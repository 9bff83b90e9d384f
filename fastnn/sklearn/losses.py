"""The losses of the package for an estimator's `loss`, given the last activation."""

from ..kernels.losses import losses

LOG_LOSS = {"logistic": "binary_cross_entropy", "softmax": "cross_entropy"}


def classification_loss(loss, out_activation):
    """Return the loss for any name of the log loss, given the activation; other losses unchanged."""
    return LOG_LOSS[out_activation] if loss in ("log_loss", *LOG_LOSS.values()) else losses.resolve(loss).name


def regression_loss(loss):
    """Return the name of the loss; refuse a loss of probabilities, because a regressor's outputs are arbitrary numbers."""
    record = losses.resolve(loss)
    if not record.needs_targets:
        raise ValueError(f"loss {record.name!r} is an output itself, whatever y is; a regressor needs a loss of y: train a "
                         "Network by it")
    if record.targets != "values":
        raise ValueError(f"loss {record.name!r} is one of probabilities; a regressor needs one of values, such as "
                         "'squared_error', 'absolute_error', 'huber' or 'poisson'")
    if record.outputs_of_target != 1:
        raise ValueError(f"loss {record.name!r} takes two outputs for each target, and a regressor has one; use a Network "
                         "that ends with Dense(2)")
    return record.name
