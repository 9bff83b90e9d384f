"""The rows before the first layer and after the last one: gathering the batch, accuracy and loss."""

from ..kernels.interpreter import batch as batches
from ..kernels.interpreter import ctc, steps
from ..kernels.interpreter.criterion import loss_numbers, loss_rows
from ..kernels.losses.ctc import LINES, stride_of
from ..runtime.threads import GATHERED_PER_PART, NUMBERS_A_STATE, NUMBERS_PER_PART
from ..samples.metrics import ACCURACY


class Criterion:
    """The targets of a batch and the rows of accuracy and loss, for training and evaluation.

    Attributes
    ----------
    source : int
        The number of the source of targets at steps.
    targets, weights : int
        The offsets of the targets (batch, positions, out_features) and their weights (batch, positions).
    """

    def __init__(self, program, source=steps.TARGETS, objective=None, **options):
        """objective: of one of several outputs. options: `reports` and `factor` of the row that gathers targets of steps."""
        self.program, self.objective, self.source = program, objective or program.network.objective, source
        self.options = options
        head = self.objective.head
        self.sizes, self.outputs = head.sizes, head.count * head.outputs
        self.targets = program.arena.take(program.batch * self.outputs)
        self.weights = program.arena.take(program.batch * head.count)

    def emit_all(self, normalize):
        """Emit the rows of a step from the samples to the loss."""
        x = self.program.input_tensor()
        self.emit_gather(x, normalize)
        scores = self.program.lower_layers(x, on_logits=self.objective.on_logits)
        self.emit_accuracy(scores)
        self.emit_loss(scores)

    def emit_gather(self, x, normalize):
        program = self.program
        if x.axis is not None:
            program.emit_steps(x)
        self.normalize = normalize
        if program.network.gives_steps:  # their targets are gathered as soon as it is known how many steps there are
            return
        if x.axis is not None:
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
        if scores.axis is not None:
            self.emit_step_accuracy(scores)
            return
        parts = 1 if head.count == 1 else program.parts(program.batch * self.outputs, NUMBERS_PER_PART)
        row = head.accuracy_row(program.dtype, parts, scores=scores.offset, targets=self.targets, weights=self.weights,
                                logits=self.objective.on_logits)
        if row is not None:
            program.emit(row)

    def emit_loss(self, scores):
        if scores.axis is not None:
            self.emit_step_loss(scores)
            return
        program, batch, outputs = self.program, self.program.batch, self.outputs
        parts = program.parts(batch * outputs, NUMBERS_PER_PART)
        for row in loss_rows(
            program.dtype, self.objective.training_loss, parts=parts, sum_parts=parts, scores=scores.offset,
            targets=self.targets, weights=self.weights,
            gradient=program.arena.take(batch * outputs) if scores.gradient is None else scores.gradient,
            losses=program.arena.take(batch * loss_numbers(program.dtype, self.objective.head.count)), **self.sizes,
        ):
            program.emit(row)

    # The same for outputs at the steps of sequences.

    def emit_step_accuracy(self, scores):
        """Emit the rows that gather the targets of the steps and, if the head reports an accuracy, that row."""
        program, rows, head = self.program, scores.axis.rows, self.objective.head
        if head.kind == "label sequences":
            self.emit_transcripts(scores)
            return
        self.targets, self.weights = program.arena.take(rows * head.outputs), program.arena.take(rows)
        places = {"axis": scores.axis.place, "targets": self.targets, "weights": self.weights, "out_features": head.outputs}
        self.parts = program.parts(rows * head.outputs, NUMBERS_PER_PART)
        program.emit(steps.gather_targets_row(program.dtype, self.parts, normalize=self.normalize,
                                              source=self.source, **places, **self.options))
        if ACCURACY in head.metrics:
            program.emit(steps.step_accuracy_row(program.dtype, self.parts, scores=scores.offset, **places,
                                                 logits=self.objective.on_logits, classes=head.kind == "one class"))

    def emit_step_loss(self, scores):
        program, rows, outputs = self.program, scores.axis.rows, self.objective.head.outputs
        gradient = program.arena.take(rows * outputs) if scores.gradient is None else scores.gradient
        if self.objective.head.kind == "label sequences":
            self.emit_ctc(scores, gradient)
            return
        for row in steps.step_loss_rows(
            program.dtype, self.objective.training_loss, self.parts, axis=scores.axis.place, scores=scores.offset,
            targets=self.targets, weights=self.weights, gradient=gradient, losses=program.take_integers(rows),
            out_features=outputs,
        ):
            program.emit(row)

    # The same for label sequences, whose targets are read where they are.

    def emit_transcripts(self, scores):
        """Emit the row of the label errors."""
        program, most = self.program, self.program.data.most_labels
        self.parts = program.parts(scores.axis.rows * stride_of(most) * NUMBERS_A_STATE, NUMBERS_PER_PART)
        program.emit(ctc.label_errors_row(
            program.dtype, self.parts, axis=scores.axis.place, scores=scores.offset, stride=most + 1,
            distances=program.take_integers(program.samples * (most + 1)), out_features=self.objective.head.outputs))

    def emit_ctc(self, scores, gradient):
        program, rows, stride = self.program, scores.axis.rows, stride_of(self.program.data.most_labels)
        program.emit(ctc.ctc_loss_row(
            program.dtype, self.parts, axis=scores.axis.place, scores=scores.offset, gradient=gradient, stride=stride,
            alphas=program.take_integers(rows * stride), normalizers=program.take_integers(rows),
            lines=program.take_integers(program.samples * LINES * stride), out_features=self.objective.head.outputs,
            normalize=self.normalize))
