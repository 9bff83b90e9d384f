"""The objective of a network: its loss, and the meaning of its outputs."""

import math
from dataclasses import dataclass

from ..kernels.losses import Loss, losses
from ..samples.heads import Head, head_of

DEFAULT_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}  # by the last activation


@dataclass(frozen=True)
class Objective:
    """The loss of a network and the meaning of its outputs.

    Attributes
    ----------
    loss : Loss
        As a function of the outputs.
    training_loss : Loss
        The same loss as a function of the logits, if that is more accurate; otherwise `loss` itself.
    head : Head
        The meaning of the outputs.
    """

    loss: Loss
    training_loss: Loss
    head: Head

    @property
    def on_logits(self):
        """Whether the loss in training replaces the last activation."""
        return self.training_loss is not self.loss


def objective_of(activation, loss, outputs, positions=()):
    """Return the objective of a network with this last activation, a record, and number of outputs at each position.

    loss: its name; None for the default loss of the activation.
    """
    loss = losses.resolve(DEFAULT_LOSSES.get(activation.name, "squared_error") if loss is None else loss)
    if losses.get(loss.name) is not loss:
        raise ValueError(f"loss {loss.name!r} is not registered; register it with fastnn.register_loss")
    check_outputs(activation, loss, outputs)
    return Objective(loss, loss.on_logits.get(activation.name, loss), head_of(activation, loss, outputs, positions))


def check_outputs(activation, loss, outputs):
    """Refuse a last activation or a number of outputs for which the loss is not defined."""
    if outputs == 1 and activation.name == "softmax":
        raise ValueError("softmax over one output is always 1; use one output for each class, or Dense(1, 'sigmoid')")
    if outputs == 1 and loss.targets == "classes":
        raise ValueError(f"loss {loss.name!r} takes one output for each class; this network has one output: "
                         f"use loss='binary_cross_entropy' after Dense(1, 'sigmoid')")
    low, high = loss.domain
    if low == -math.inf and high == math.inf:
        return
    z = [-3.0, -0.5, 0.0, 0.5, 3.0]
    a = activation.value(z) if activation.rowwise else [activation.value(each) for each in z]
    outside = [value for value in a if not low <= value <= high]
    if outside:
        raise ValueError(f"loss {loss.name!r} takes outputs from {low} to {high}; after {activation.name!r} they can be "
                         f"{outside[0]:.3g}: end the network with 'softmax' or 'sigmoid', or choose another loss")
