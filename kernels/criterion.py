"""What follows the last layer in training: the accuracy and the loss of the batch, as rows of the table."""

from .jit import Kernel, call, offset, view
from .table import FORWARD, HITS, LOSSES, OPERANDS, make_row, phase_arguments, share
from .trace import larger

SCORES, TARGETS, WEIGHTS, GRADIENT, OUT_FEATURES, LOSS, CLASSES, LOGITS = range(OPERANDS, OPERANDS + 8)


def build_loss(dtype):
    def loss(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        start = begin * row[OUT_FEATURES]
        call(row[LOSS], (offset(results, LOSSES * capacity + begin), offset(arena, row[GRADIENT] + start),
                         offset(arena, row[SCORES] + start), offset(arena, row[TARGETS] + start),
                         offset(arena, row[WEIGHTS] + begin), end - begin, row[OUT_FEATURES]))

    return loss


def build_accuracy(dtype):
    def accuracy(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        out_features = row[OUT_FEATURES]
        scores = view(arena, row[SCORES], (batch, out_features))
        targets = view(arena, row[TARGETS], (batch, out_features))
        hits = view(results, HITS * capacity, batch)
        half = 0.0 if row[LOGITS] != 0 else 0.5  # the score at which a probability is one half
        for i in range(begin, end):
            if row[CLASSES] != 0:
                guess, label, score, target = 0, 0, scores[i, 0], targets[i, 0]
                for j in range(1, out_features):  # without branches: which class is the largest cannot be foretold
                    guess = j if scores[i, j] > score else guess
                    label = j if targets[i, j] > target else label
                    score, target = larger(score, scores[i, j]), larger(target, targets[i, j])
                hits[i] = 1.0 if guess == label else 0.0
            else:
                right = 0
                for j in range(out_features):
                    right += (scores[i, j] >= half) == (targets[i, j] >= 0.5)
                hits[i] = right / out_features

    return accuracy


loss_kernel = Kernel("loss_phase", build_loss, phase_arguments)
accuracy_kernel = Kernel("accuracy_phase", build_accuracy, phase_arguments)


def loss_row(dtype, parts, loss, *, scores, targets, weights, gradient, out_features):
    """The row that works out what each sample lost, and its gradient in the scores (outputs, or logits: the loss says)."""
    return make_row({FORWARD: (loss_kernel.address(dtype), parts)},
                    {SCORES: scores, TARGETS: targets, WEIGHTS: weights, GRADIENT: gradient, OUT_FEATURES: out_features,
                     LOSS: loss.kernel.address(dtype)})


def accuracy_row(dtype, *, scores, targets, out_features, classes, logits):
    """The row that counts right answers: the largest score of a row (`classes`), or each probability on its side of a half.

    logits: whether the scores are what a sigmoid or softmax has yet to make probabilities of.
    """
    return make_row({FORWARD: (accuracy_kernel.address(dtype), 1)},
                    {SCORES: scores, TARGETS: targets, OUT_FEATURES: out_features, CLASSES: classes, LOGITS: logits})
