"""The objective of a network: the loss that training lowers, and what the outputs mean to it."""

import math
from dataclasses import dataclass

from ..kernels.losses import Loss, losses
from ..samples.heads import Head, head_of

DEFAULT_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}  # by the last activation


@dataclass(frozen=True)
class Objective:
    """What a network learns by.

    Attributes
    ----------
    loss : Loss
        Of the outputs.
    training_loss : Loss
        The same function, of the logits where that is more exact; else `loss` itself.
    head : Head
        What the outputs mean.
    """

    loss: Loss
    training_loss: Loss
    head: Head

    @property
    def on_logits(self):
        """Whether the loss of training takes the place of the last activation."""
        return self.training_loss is not self.loss


def objective_of(activation, loss, outputs):
    """The objective of a network with so many outputs that ends with the activation, a record.

    loss: its name; None for the one that suits the activation.
    """
    loss = losses.resolve(DEFAULT_LOSSES.get(activation.name, "squared_error") if loss is None else loss)
    if losses.get(loss.name) is not loss:
        raise ValueError(f"loss {loss.name!r} is not registered; register it with fastnn.register_loss")
    check_outputs(activation, loss, outputs)
    return Objective(loss, loss.on_logits.get(activation.name, loss), head_of(activation, loss, outputs))


def check_outputs(activation, loss, outputs):
    """Refuse a last activation or a number of outputs for which the loss is not defined."""
    if outputs == 1 and activation.name == "softmax":
        raise ValueError("softmax over one output is always 1; give it one output a class, or use Dense(1, 'sigmoid')")
    if outputs == 1 and loss.targets == "classes":
        raise ValueError(f"loss {loss.name!r} takes one output a class; this network has one output: "
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
