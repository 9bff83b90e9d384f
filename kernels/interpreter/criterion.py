"""The accuracy and the loss of the batch in training, as rows of the table after the last layer.

Outputs may stand at several positions of a sample, such as the pixels of an image. Each position then has a row of scores,
targets, a weight and a loss. With positions p of sample i and weights w, which the gather has divided by their sum,

    loss of a sample = Σₚ wᵢₚ lossᵢₚ,    loss of the batch = Σᵢ loss of sample i

so that the mean is over all positions that count, and each sum is in the order of the positions. A position whose weight is
0 does not count.
"""

from ..compiling.jit import Kernel, as_floats, call_at, jit, offset, view
from ..compiling.objects import WORD
from ..compiling.share import share
from ..compiling.trace import larger
from ..processor.target import ITEM_BYTES
from .table import COUNTS, HITS, LOSSES, Kind

LOSS = Kind("loss", "scores", "targets", "weights", "gradient", "losses", "positions", "out_features", "loss")
LOSS_SUMS = Kind("loss_sums", "losses", "positions")
ACCURACY = Kind("accuracy", "scores", "targets", "weights", "weighed", "positions", "out_features", "classes", "logits")


def build_loss(dtype):
    def loss(row, call, part, parts):
        begin, end = share(call.batch * row.positions, part, parts, 1)
        start = begin * row.out_features
        # losses and weights (batch · positions,); the rest (batch · positions, out_features)
        losses = offset(call.results, LOSSES * call.capacity + begin)
        if row.positions > 1:
            losses = offset(as_floats(offset(call.arena, row.losses)), begin)
        gradient, scores = offset(call.arena, row.gradient + start), offset(call.arena, row.scores + start)
        targets, weights = offset(call.arena, row.targets + start), offset(call.arena, row.weights + begin)
        call_at(row.loss, (losses, gradient, scores, targets, weights, end - begin, row.out_features))

    return loss


def build_loss_sums(dtype):
    def loss_sums(row, call, part, parts):
        """The loss of each sample: the sum over its positions, in their order."""
        begin, end = share(call.batch, part, parts, 1)
        losses = view(as_floats(offset(call.arena, row.losses)), 0, (call.batch, row.positions))
        sums = view(call.results, LOSSES * call.capacity, call.batch)
        for i in range(begin, end):
            total = 0.0
            for p in range(row.positions):
                total += losses[i, p]
            sums[i] = total

    return loss_sums


@jit(inline=True)
def hit_of(scores, targets, r, out_features, classes, half):
    """Return how much of row r is predicted correctly: all or nothing for `classes`, else the share of its outputs."""
    if classes != 0:
        guess, label, score, target = 0, 0, scores[r, 0], targets[r, 0]
        for j in range(1, out_features):  # without branches, because the largest class is unpredictable
            guess = j if scores[r, j] > score else guess
            label = j if targets[r, j] > target else label
            score, target = larger(score, scores[r, j]), larger(target, targets[r, j])
        return 1.0 if guess == label else 0.0
    right = 0
    for j in range(out_features):
        right += (scores[r, j] >= half) == (targets[r, j] >= 0.5)
    return right / out_features


def build_accuracy(dtype):
    def accuracy(row, call, part, parts):
        batch, positions, out_features = call.batch, row.positions, row.out_features
        rows = batch * positions
        scores = view(call.arena, row.scores, (rows, out_features))
        targets = view(call.arena, row.targets, (rows, out_features))
        weights = view(call.arena, row.weights, rows)
        hits, counts = view(call.results, HITS * call.capacity, batch), view(call.results, COUNTS * call.capacity, batch)
        half = 0.0 if row.logits != 0 else 0.5  # the score of probability 1/2
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            hit, count = 0.0, 0.0
            for r in range(i * positions, (i + 1) * positions):
                if row.weighed == 0 or weights[r] != 0:
                    count += 1.0
                    hit += hit_of(scores, targets, r, out_features, row.classes, half)
            hits[i], counts[i] = hit, count

    return accuracy


loss_kernel = Kernel("loss_phase", build_loss, LOSS.arguments)
loss_sums_kernel = Kernel("loss_sums", build_loss_sums, LOSS_SUMS.arguments)
accuracy_kernel = Kernel("accuracy_phase", build_accuracy, ACCURACY.arguments)


def loss_numbers(dtype, positions):
    """The number of elements of the arena that hold the losses of the positions of a sample, which are float64."""
    return positions * WORD // ITEM_BYTES[dtype] if positions > 1 else 0


def loss_rows(dtype, loss, *, parts, sum_parts, positions, losses, **operands):
    """Return the rows that compute the loss of each sample and its gradient with respect to the scores.

    scores, targets, gradient: (batch, positions, out_features), where scores are outputs or logits, as the loss requires.
    weights: (batch, positions). losses: memory for `loss_numbers` of each sample.
    """
    rows = [LOSS.row({"forward": (loss_kernel.address(dtype), parts)}, positions=positions, losses=losses,
                     loss=loss.kernel.address(dtype), **operands)]
    if positions > 1:
        rows.append(LOSS_SUMS.row({"forward": (loss_sums_kernel.address(dtype), sum_parts)}, losses=losses,
                                  positions=positions))
    return rows


def accuracy_row(dtype, parts, *, scores, targets, weights, weighed, positions, out_features, classes, logits):
    """Return the row that counts correct predictions: the largest score of a row (`classes`), or each probability above 1/2.

    weighed: whether positions of weight 0 are left out. logits: whether the scores are inputs of a sigmoid or softmax.
    """
    return ACCURACY.row({"forward": (accuracy_kernel.address(dtype), parts)}, scores=scores, targets=targets,
                        weights=weights, weighed=weighed, positions=positions, out_features=out_features, classes=classes,
                        logits=logits)
