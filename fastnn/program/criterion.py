"""The rows before the first layer and after the last one: gathering the batch, accuracy and loss."""

from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.criterion import loss_numbers, loss_rows
from ..runtime.threads import GATHERED_PER_PART, NUMBERS_PER_PART


class Criterion:
    """The targets of a batch and the rows of accuracy and loss, for training and evaluation.

    Attributes
    ----------
    targets, weights : int
        The offsets of the targets (batch, positions, out_features) and their weights (batch, positions).
    """

    def __init__(self, program):
        self.program, self.objective = program, program.network.objective
        self.sizes = {"positions": self.objective.head.count, "out_features": self.objective.head.outputs}
        self.targets = program.arena.take(program.batch * program.network.outputs)
        self.weights = program.arena.take(program.batch * self.objective.head.count)

    def emit_gather(self, x, normalize):
        program = self.program
        if x.axis is not None:
            program.emit_steps(x)
            program.emit(batches.gather_row(program.dtype, 1, x=0, in_features=0, targets=self.targets,
                                            weights=self.weights, normalize=normalize, **self.sizes))
            return
        program.gathered = x
        program.emit(batches.gather_row(
            program.dtype, program.parts(program.batch * x.features, GATHERED_PER_PART), x=x.offset, in_features=x.features,
            targets=self.targets, weights=self.weights, normalize=normalize, **self.sizes,
        ))

    def emit_accuracy(self, scores):
        """Emit the row of the accuracy, if the head reports one; before the loss, which overwrites the targets."""
        program, head = self.program, self.objective.head
        parts = 1 if head.count == 1 else program.parts(program.batch * program.network.outputs, NUMBERS_PER_PART)
        row = head.accuracy_row(program.dtype, parts, scores=scores.offset, targets=self.targets, weights=self.weights,
                                logits=self.objective.on_logits)
        if row is not None:
            program.emit(row)

    def emit_loss(self, scores):
        program, batch, outputs = self.program, self.program.batch, self.program.network.outputs
        parts = program.parts(batch * outputs, NUMBERS_PER_PART)
        for row in loss_rows(
            program.dtype, self.objective.training_loss, parts=parts, sum_parts=parts, scores=scores.offset,
            targets=self.targets, weights=self.weights,
            gradient=program.arena.take(batch * outputs) if scores.gradient is None else scores.gradient,
            losses=program.arena.take(batch * loss_numbers(program.dtype, self.objective.head.count)), **self.sizes,
        ):
            program.emit(row)
