"""Outputs at each step of sequences: their targets and weights, their loss and accuracy, and their copy for the caller.

Each step has a row of scores, targets, a weight and a loss, and a sequence has the sums over its steps, in their order, as
at the positions of samples of one shape (`criterion`). A step whose weight is 0 does not count. All rows of the table here
run while rows are samples.
"""

import numpy as np

from ..compiling.jit import REAL, Kernel, as_floats, call_at, integers, jit, offset, typed_pointer, view
from ..compiling.record import FLOAT
from ..compiling.share import share
from .axes import AS_LABELS, SOURCE_BYTES, axis_offsets, axis_rows, source_at
from .batch import sample_number
from .criterion import hit_of
from .table import COUNTS, HITS, LOSSES, SAMPLE_WEIGHTS, Kind

# The sources of a call (`axes.SOURCE`). The targets may be those of fewer steps than x has, where a layer leaves some out.
# Without targets, their offsets say where the outputs of each sample go. With several inputs, the targets follow the last.
X, TARGETS, WEIGHTS = range(3)
SOURCES = 3

GATHER_TARGETS = Kind("gather_step_targets", "axis", "source", "targets", "weights", "out_features", "normalize", "reports",
                      factor=FLOAT)
STEP_LOSS = Kind("step_loss", "axis", "scores", "targets", "weights", "gradient", "losses", "out_features", "loss")
STEP_SUMS = Kind("step_sums", "axis", "losses")
STEP_ACCURACY = Kind("step_accuracy", "axis", "scores", "targets", "weights", "out_features", "classes", "logits")
COPY_STEPS = Kind("copy_steps", "axis", "source", "a", "out_features")


@jit(inline=True)
def first_target(call, source, i):
    """Return the number of the first step of sample i of the batch, among the targets of all samples."""
    return view(integers(source_at(call.sources + SOURCE_BYTES * source).offsets), sample_number(call, i), 1)[0]


def build_gather_targets(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    @jit
    def weight_of_sample(call, source, i, steps):
        """Return the sum of the weights of the steps of a sample."""
        given = source_at(call.sources + SOURCE_BYTES * (source + 1)).values
        if given == 0:
            return np.float64(steps)
        weights, total = view(numbers_at(given), first_target(call, source, i), steps), 0.0
        for t in range(steps):
            total += np.float64(weights[t])
        return total

    def gather_step_targets(row, call, part, parts):
        offsets, out_features = axis_offsets(call, row.axis), row.out_features
        source = source_at(call.sources + SOURCE_BYTES * row.source)
        given = source_at(call.sources + SOURCE_BYTES * (row.source + 1))
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            first, steps = first_target(call, row.source, i), offsets[i + 1] - offsets[i]
            targets = view(call.arena, row.targets + offsets[i] * out_features, (steps, out_features))
            if source.form == AS_LABELS:
                labels = view(integers(source.values), first, steps)
                for t in range(steps):
                    targets[t] = 0
                    targets[t, labels[t]] = 1
            else:
                values = view(numbers_at(source.values), first * out_features, (steps, out_features))
                for t in range(steps):
                    for j in range(out_features):
                        targets[t, j] = values[t, j]
        reported = view(call.results, SAMPLE_WEIGHTS * call.capacity, call.batch)
        total = 0.0
        for i in range(call.batch):  # every part sums the whole batch, in the same order
            weight = weight_of_sample(call, row.source, i, offsets[i + 1] - offsets[i])
            total += weight
            if begin <= i < end and row.reports != 0:
                reported[i] = weight if row.reports == 1 else 1.0
        scale = row.factor
        if row.normalize != 0:
            scale = row.factor / total if total > 0.0 else 0.0
        for i in range(begin, end):
            steps = offsets[i + 1] - offsets[i]
            weights = view(call.arena, row.weights + offsets[i], steps)
            for t in range(steps):
                weight = 1.0
                if given.values != 0:
                    weight = np.float64(view(numbers_at(given.values), first_target(call, row.source, i) + t, 1)[0])
                weights[t] = weight * scale

    return gather_step_targets


def build_step_loss(dtype):
    def step_loss(row, call, part, parts):
        begin, end = share(axis_rows(call, row.axis), part, parts, 1)
        start = begin * row.out_features
        losses, weights = offset(as_floats(offset(call.arena, row.losses)), begin), offset(call.arena, row.weights + begin)
        gradient, scores = offset(call.arena, row.gradient + start), offset(call.arena, row.scores + start)
        targets = offset(call.arena, row.targets + start)
        call_at(row.loss, (losses, gradient, scores, targets, weights, end - begin, row.out_features))

    return step_loss


def build_step_sums(dtype):
    def step_sums(row, call, part, parts):
        offsets, sums = axis_offsets(call, row.axis), view(call.results, LOSSES * call.capacity, call.batch)
        losses = view(as_floats(offset(call.arena, row.losses)), 0, axis_rows(call, row.axis))
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            total = 0.0
            for t in range(offsets[i], offsets[i + 1]):
                total += losses[t]
            sums[i] = total

    return step_sums


def build_step_accuracy(dtype):
    def step_accuracy(row, call, part, parts):
        offsets, rows, out_features = axis_offsets(call, row.axis), axis_rows(call, row.axis), row.out_features
        scores = view(call.arena, row.scores, (rows, out_features))
        targets, weights = view(call.arena, row.targets, (rows, out_features)), view(call.arena, row.weights, rows)
        hits = view(call.results, HITS * call.capacity, call.batch)
        counts = view(call.results, COUNTS * call.capacity, call.batch)
        half = 0.0 if row.logits != 0 else 0.5  # the score of probability 1/2
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            hit, count = 0.0, 0.0
            for t in range(offsets[i], offsets[i + 1]):
                if weights[t] != 0:
                    count += 1.0
                    hit += hit_of(scores, targets, t, out_features, row.classes, half)
            hits[i], counts[i] = hit, count

    return step_accuracy


def build_copy_steps(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    def copy_steps(row, call, part, parts):
        offsets = axis_offsets(call, row.axis)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            size = (offsets[i + 1] - offsets[i]) * row.out_features
            a = view(call.arena, row.a + offsets[i] * row.out_features, size)
            own = source_at(call.sources + SOURCE_BYTES * row.source).values  # of one of several outputs
            first = first_target(call, row.source, i) * row.out_features
            out = view(numbers_at(call.outputs if own == 0 else own), first, size)
            for k in range(size):
                out[k] = a[k]

    return copy_steps


gather_targets_kernel = Kernel("gather_step_targets", build_gather_targets, GATHER_TARGETS.arguments)
step_loss_kernel = Kernel("step_loss", build_step_loss, STEP_LOSS.arguments)
step_sums_kernel = Kernel("step_sums", build_step_sums, STEP_SUMS.arguments)
step_accuracy_kernel = Kernel("step_accuracy", build_step_accuracy, STEP_ACCURACY.arguments)
copy_steps_kernel = Kernel("copy_steps", build_copy_steps, COPY_STEPS.arguments)


def gather_targets_row(dtype, parts, *, axis, targets, weights, out_features, normalize, source=TARGETS, reports=1,
                       factor=1.0):
    """Return the row that copies the targets and the weights of the steps of a batch, times a factor, to the arena.

    normalize: whether to scale the weights of a batch to sum 1. source: the number of the source of the targets; that of the
    weights follows. reports: as for `several.gather_targets_row`.
    """
    return GATHER_TARGETS.row({"forward": (gather_targets_kernel.address(dtype), parts)}, axis=axis, source=source,
                              targets=targets, weights=weights, out_features=out_features, normalize=normalize,
                              reports=reports, factor=factor)


def step_loss_rows(dtype, loss, parts, *, axis, losses, **operands):
    """Return the rows of the loss of each step, and its gradient, and of the sums of each sample.

    losses: memory for a float64 of each step. scores, targets, gradient: (steps, out_features); weights: (steps,).
    """
    return [STEP_LOSS.row({"forward": (step_loss_kernel.address(dtype), parts)}, axis=axis, losses=losses,
                          loss=loss.kernel.address(dtype), **operands),
            STEP_SUMS.row({"forward": (step_sums_kernel.address(dtype), 1)}, axis=axis, losses=losses)]


def step_accuracy_row(dtype, parts, *, axis, **operands):
    """Return the row that counts correct predictions of steps, as `criterion.accuracy_row` does of samples."""
    return STEP_ACCURACY.row({"forward": (step_accuracy_kernel.address(dtype), parts)}, axis=axis, **operands)


def copy_steps_row(dtype, *, axis, a, out_features, source=TARGETS):
    """Return the row that copies the outputs of the steps of a batch to their places in the outputs of the call."""
    return COPY_STEPS.row({"forward": (copy_steps_kernel.address(dtype), 1)}, axis=axis, source=source, a=a,
                          out_features=out_features)
