"""The data of a program, and what follows its last layer: targets, accuracy and loss."""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels import batch as batches
from ..kernels.criterion import accuracy_row, loss_row
from ..threads import GATHERED_PER_PART, NUMBERS_PER_PART
from .base import address


@dataclass
class Data:
    """Checked data: X (samples, inputs), Targets, weights (samples,) or None.

    rows: the numbers of the samples that count, int64 in the order in which they do; None for all of them.
    """

    X: np.ndarray
    targets: object
    weights: np.ndarray | None
    rows: np.ndarray | None = None

    @property
    def samples(self):
        """How many there are."""
        return len(self.X if self.rows is None else self.rows)

    def apart_from(self, *vectors):
        """The same data, copied where they lie in memory that training changes: the network's own vectors."""

        def shared(array):
            return array is not None and any(np.may_share_memory(array, vector) for vector in vectors)

        def own(array):
            return array.copy() if shared(array) else array

        values = self.targets.values  # labels are int64, which the vectors are not
        if not any(map(shared, (self.X, values, self.weights))):
            return self
        return replace(self, X=own(self.X), targets=replace(self.targets, values=own(values)), weights=own(self.weights))

    def of_one_mean(self):
        """The same data with the weights scaled to add up to 1, for gradients gathered over several batches."""
        weights = np.ones(len(self.X)) if self.weights is None else self.weights.astype(np.float64)
        return Data(self.X, self.targets, (weights / weights.sum()).astype(self.X.dtype))


class Criterion:
    """The targets of a batch and the rows of accuracy and loss, shared by training and evaluation."""

    def __init__(self, program, data):
        outputs = program.network.outputs
        self.program, self.data, self.outputs = program, data, outputs
        self.targets = program.arena.take(program.batch * outputs)
        self.weights = program.arena.take(program.batch)

    def emit_gather(self, x, order, normalize):
        program, data = self.program, self.data
        program.gathered = x, len(program.rows)
        program.emit(batches.gather_row(
            program.dtype, program.parts(program.batch * x.features, GATHERED_PER_PART),
            x=x.offset, in_features=x.features, x_data=address(data.X), targets=self.targets, out_features=self.outputs,
            weights=self.weights, target_data=address(data.targets.values), label_data=address(data.targets.labels),
            weight_data=address(data.weights), order=address(order),
            samples=data.samples, normalize=normalize,
        ))

    def emit_loss(self, scores, loss, classifier):
        program = self.program
        shared = {"scores": scores.offset, "targets": self.targets, "out_features": self.outputs}
        if classifier:
            classes = self.outputs > 1 and loss.targets != "binary"
            logits = loss is not program.network._loss
            program.emit(accuracy_row(program.dtype, classes=classes, logits=logits, **shared))
        gradient = program.arena.take(program.batch * self.outputs) if scores.gradient is None else scores.gradient
        program.emit(loss_row(program.dtype, program.parts(program.batch * self.outputs, NUMBERS_PER_PART), loss,
                              weights=self.weights, gradient=gradient, **shared))
