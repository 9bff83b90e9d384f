"""The rows before the first layer and after the last one: gathering the batch, accuracy and loss."""

from ..kernels.interpreter import batch as batches
from ..kernels.interpreter.criterion import loss_row
from ..runtime.threads import GATHERED_PER_PART, NUMBERS_PER_PART


class Criterion:
    """The targets of a batch and the rows of accuracy and loss, for training and evaluation."""

    def __init__(self, program):
        outputs = program.network.outputs
        self.program, self.outputs = program, outputs
        self.targets = program.arena.take(program.batch * outputs)
        self.weights = program.arena.take(program.batch)

    def emit_gather(self, x, normalize):
        program = self.program
        if x.axis is not None:
            program.emit_steps(x)
            program.emit(batches.gather_row(program.dtype, 1, x=0, in_features=0, targets=self.targets,
                                            out_features=self.outputs, weights=self.weights, normalize=normalize))
            return
        program.gathered = x
        program.emit(batches.gather_row(
            program.dtype, program.parts(program.batch * x.features, GATHERED_PER_PART), x=x.offset, in_features=x.features,
            targets=self.targets, out_features=self.outputs, weights=self.weights, normalize=normalize,
        ))

    def emit_loss(self, scores):
        program, objective = self.program, self.program.network.objective
        places = {"scores": scores.offset, "targets": self.targets, "out_features": self.outputs}
        accuracy = objective.head.accuracy_row(program.dtype, logits=objective.on_logits, **places)
        if accuracy is not None:
            program.emit(accuracy)
        gradient = program.arena.take(program.batch * self.outputs) if scores.gradient is None else scores.gradient
        program.emit(loss_row(program.dtype, program.parts(program.batch * self.outputs, NUMBERS_PER_PART),
                              objective.training_loss, weights=self.weights, gradient=gradient, **places))
