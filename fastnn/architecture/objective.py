"""The objective of a network: its loss, and the meaning of its outputs."""

import math
from dataclasses import dataclass

from ..checks import number_in_range, shown
from ..checks.other_names import did_you_mean, known_name
from ..kernels.losses import Loss, losses
from ..kernels.losses.ctc import SequenceLoss, ctc, ctc_of_logits
from ..samples.heads import PROBABILITIES, Head, head_of
from ..samples.series.transcripts import Transcripts
from ..samples.several_heads import SeveralHeads

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

    loss: Loss | SequenceLoss
    training_loss: Loss | SequenceLoss
    head: Head

    factors = (1.0,)

    @property
    def each(self):
        """The objectives of all outputs: of one."""
        return (self,)

    @property
    def given(self):
        """The argument `loss` of a network with this objective."""
        return self.loss.name

    @property
    def on_logits(self):
        """Whether the loss in training replaces the last activation."""
        return self.training_loss is not self.loss


@dataclass(frozen=True)
class SeveralObjectives:
    """The objectives of several outputs, in their order; the loss of the network is the sum of theirs times `factors`.

    Attributes
    ----------
    names : tuple of str
    each : tuple of Objective
    factors : tuple of float
    head : SeveralHeads
    """

    names: tuple
    each: tuple
    factors: tuple
    head: SeveralHeads

    @property
    def given(self):
        """The argument `loss` of a network with these objectives."""
        return {name: objective.loss.name if factor == 1 else (objective.loss.name, factor)
                for name, objective, factor in zip(self.names, self.each, self.factors, strict=True)}


def objectives_of(names, activations, shapes, replaceable, loss):
    """Return the objective of one output, or those of several.

    activations: the last one of each output, records. shapes: of their rows. replaceable: for each output whether its loss
    may replace its last activation, because nothing else reads that. loss: as `Network` takes it.
    """
    if len(names) == 1:
        if isinstance(loss, dict):
            loss, = losses_by_name(names, loss)
        if isinstance(loss, (tuple, list)):
            raise ValueError(f"loss is {shown(loss)}; a factor is for one of several outputs: give the name of the loss")
        *positions, outputs = shapes[0]
        return objective_of(activations[0], loss, outputs, tuple(positions), replaceable[0])
    if isinstance(loss, list) and len(loss) == len(names):
        loss = dict(zip(names, loss, strict=True))
    if loss is not None and not isinstance(loss, dict):
        raise ValueError(f"loss is {shown(loss)}; this network has the outputs {', '.join(map(repr, names))}: give a dict "
                         f"with a loss for each, such as {{{names[0]!r}: 'cross_entropy', …}}, a list in their order, or "
                         "None for the default ones")
    each, factors = [], []
    given = [None] * len(names) if loss is None else losses_by_name(names, loss)
    for name, own, activation, shape, may_replace in zip(names, given, activations, shapes, replaceable, strict=True):
        own, factor = own if isinstance(own, (tuple, list)) and len(own) == 2 else (own, 1.0)
        *positions, count = shape
        try:
            each.append(objective_of(activation, own, count, tuple(positions), may_replace))
        except ValueError as error:
            raise ValueError(f"output {name!r}: {error}") from None
        factors.append(number_in_range(f"the factor of loss[{name!r}]", factor, math.ulp(0.0)))
    return SeveralObjectives(names, tuple(each), tuple(factors),
                             SeveralHeads(names, tuple(objective.head for objective in each), tuple(factors)))


def losses_by_name(names, loss):
    """Return the entries of a dict of losses in the order of the outputs."""
    unknown, missing = [name for name in loss if name not in names], [name for name in names if name not in loss]
    if unknown:
        raise ValueError(f"loss has {shown(unknown[0])}, which is no output; this network has the outputs "
                         f"{', '.join(map(repr, names))}")
    if missing:
        raise ValueError(f"output {missing[0]!r} has no loss; give one in the dict `loss`, or None for the default one of "
                         "its last activation")
    return [loss[name] for name in names]


def objective_of(activation, loss, outputs, positions=(), may_replace=True):
    """Return the objective of an output with this last activation, a record, and number of outputs at each position.

    loss: its name; None for the default loss of the activation. may_replace: whether it may replace the activation.
    """
    named = isinstance(loss, str)
    if loss is ctc or (named and known_name("loss", loss, [ctc.name])):
        return transcription(activation, outputs, may_replace)
    if named and losses.find(loss) is None:
        known = sorted([*losses, ctc.name])
        raise ValueError(f"unknown loss {loss!r}{did_you_mean('loss', loss, known)}; the known ones are {', '.join(known)}")
    loss = losses.resolve(DEFAULT_LOSSES.get(activation.name, "squared_error") if loss is None else loss)
    if losses.get(loss.name) is not loss:
        raise ValueError(f"loss {loss.name!r} is not registered; register it with fastnn.register_loss")
    check_outputs(activation, loss, outputs)
    on_logits = loss.on_logits.get(activation.name, loss) if may_replace else loss
    return Objective(loss, on_logits, head_of(activation, loss, outputs, positions))


def transcription(activation, outputs, may_replace):
    """Return the objective of connectionist temporal classification."""
    if activation.name != "softmax" or outputs < 2:
        raise ValueError(f"loss 'ctc' takes probabilities of the classes at each step, of which class 0 is the blank; after "
                         f"{activation.name!r} with {outputs} output{'s' * (outputs > 1)} there are none: end the network "
                         "with Dense(labels + 1, 'softmax')")
    if not may_replace:
        raise ValueError("loss 'ctc' is computed from what the softmax reads, and another layer reads the softmax too; give "
                         "that layer another one")
    return Objective(ctc, ctc_of_logits, Transcripts(outputs, ctc.targets))


def check_outputs(activation, loss, outputs):
    """Refuse a last activation or a number of outputs for which the loss is not defined."""
    if outputs == 1 and activation.name == "softmax":
        raise ValueError("softmax over one output is always 1; use one output for each class, or Dense(1, 'sigmoid')")
    if outputs == 1 and loss.targets == "classes":
        raise ValueError(f"loss {loss.name!r} takes one output for each class; this network has one output: "
                         f"use loss='binary_cross_entropy' after Dense(1, 'sigmoid')")
    if loss.outputs_of_target == 2 and (outputs % 2 or activation.name != "identity"):
        raise ValueError(f"loss {loss.name!r} takes a mean and the logarithm of a variance for each target, which may be "
                         f"any numbers; this network ends with {outputs} output{'s' * (outputs > 1)} after "
                         f"{activation.name!r}: end it with Dense(2) for one target, Dense(4) for two")
    low, high = loss.domain
    if (low == -math.inf and high == math.inf) or (low <= 0 and high >= 1 and activation.name in PROBABILITIES):
        return
    z = [-3.0, -0.5, 0.0, 0.5, 3.0]
    a = activation.value(z) if activation.rowwise else [activation.value(each) for each in z]
    outside = [value for value in a if not low <= value <= high]
    if outside:
        raise ValueError(f"loss {loss.name!r} takes outputs from {low} to {high}; after {activation.name!r} they can be "
                         f"{outside[0]:.3g}: end the network with 'softmax' or 'sigmoid', or choose another loss")
