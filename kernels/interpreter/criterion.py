"""The accuracy and the loss of the batch in training, as rows of the table after the last layer."""

from ..compiling.jit import Kernel, call_at, offset, view
from ..compiling.share import share
from ..compiling.trace import larger
from .table import HITS, LOSSES, Kind

LOSS = Kind("loss", "scores", "targets", "weights", "gradient", "out_features", "loss")
ACCURACY = Kind("accuracy", "scores", "targets", "out_features", "classes", "logits")


def build_loss(dtype):
    def loss(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        start = begin * row.out_features
        losses = offset(call.results, LOSSES * call.capacity + begin)  # (batch,), as weights; the rest (batch, out_features)
        gradient, scores = offset(call.arena, row.gradient + start), offset(call.arena, row.scores + start)
        targets, weights = offset(call.arena, row.targets + start), offset(call.arena, row.weights + begin)
        call_at(row.loss, (losses, gradient, scores, targets, weights, end - begin, row.out_features))

    return loss


def build_accuracy(dtype):
    def accuracy(row, call, part, parts):
        batch, out_features = call.batch, row.out_features
        scores = view(call.arena, row.scores, (batch, out_features))
        targets = view(call.arena, row.targets, (batch, out_features))
        hits = view(call.results, HITS * call.capacity, batch)
        half = 0.0 if row.logits != 0 else 0.5  # the score of probability 1/2
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            if row.classes != 0:
                guess, label, score, target = 0, 0, scores[i, 0], targets[i, 0]
                for j in range(1, out_features):  # without branches, because the largest class is unpredictable
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


loss_kernel = Kernel("loss_phase", build_loss, LOSS.arguments)
accuracy_kernel = Kernel("accuracy_phase", build_accuracy, ACCURACY.arguments)


def loss_row(dtype, parts, loss, *, scores, targets, weights, gradient, out_features):
    """Return the row that computes the loss of each sample and its gradient with respect to the scores.

    scores are outputs or logits, as the loss requires.
    """
    return LOSS.row({"forward": (loss_kernel.address(dtype), parts)}, scores=scores, targets=targets, weights=weights,
                    gradient=gradient, out_features=out_features, loss=loss.kernel.address(dtype))


def accuracy_row(dtype, *, scores, targets, out_features, classes, logits):
    """Return the row that counts correct predictions: the largest score of a row (`classes`), or each probability above 1/2.

    logits: whether the scores are inputs of a sigmoid or softmax.
    """
    return ACCURACY.row({"forward": (accuracy_kernel.address(dtype), 1)}, scores=scores, targets=targets,
                        out_features=out_features, classes=classes, logits=logits)
