"""The rows of connectionist temporal classification: the loss of each sequence, and its label errors.

Targets are read where they are: the labels of all sequences, and where those of each begin, are sources of the call, as are
the weights of sequences. What a sequence gives depends on nothing but itself. Rows are samples here.
"""

import numpy as np

from ..compiling.jit import REAL, Kernel, as_floats, integers, jit, offset, typed_pointer, view
from ..compiling.share import share
from ..compiling.trace import at_full_width
from ..losses.ctc import BLANK, LINES, distance_of_likeliest, sequence_loss
from .axes import SOURCE_BYTES, axis_offsets, integers_in, source_at
from .batch import sample_number
from .steps import TARGETS, WEIGHTS
from .table import COUNTS, HITS, LOSSES, SAMPLE_WEIGHTS, Kind

# memory, of float64: alphas (steps, stride), normalizers (steps,), lines (samples, LINES, stride)
CTC_LOSS = Kind("ctc_loss", "axis", "scores", "gradient", "alphas", "normalizers", "lines", "stride", "out_features",
                "normalize")
LABEL_ERRORS = Kind("label_errors", "axis", "scores", "distances", "stride", "out_features")


@jit(inline=True)
def labels_of(call, i):
    """Return the target of sample i of the batch."""
    source, sample = source_at(call.sources + SOURCE_BYTES * TARGETS), sample_number(call, i)
    ends = view(integers(source.offsets), sample, 2)
    return view(integers(source.values), ends[0], ends[1] - ends[0])


def build_ctc_loss(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    @jit(inline=True)
    def weight_of(call, i):
        given = source_at(call.sources + SOURCE_BYTES * WEIGHTS).values
        return 1.0 if given == 0 else np.float64(view(numbers_at(given), sample_number(call, i), 1)[0])

    def ctc_loss(row, call, part, parts):
        at_full_width()
        offsets, classes, stride = axis_offsets(call, row.axis), row.out_features, row.stride
        losses = view(call.results, LOSSES * call.capacity, call.batch)
        reported = view(call.results, SAMPLE_WEIGHTS * call.capacity, call.batch)
        total, scale = 0.0, 1.0
        for i in range(call.batch):  # every part sums the whole batch, in the same order
            total += weight_of(call, i)
        if row.normalize != 0:
            scale = 1.0 / total if total > 0.0 else 0.0
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            first, steps = offsets[i], offsets[i + 1] - offsets[i]
            z = view(call.arena, row.scores + first * classes, (steps, classes))
            dz = view(call.arena, row.gradient + first * classes, (steps, classes))
            alphas = view(as_floats(offset(call.arena, row.alphas)), first * stride, (steps, stride))
            normalizers = view(as_floats(offset(call.arena, row.normalizers)), first, steps)
            lines = view(as_floats(offset(call.arena, row.lines)), i * LINES * stride, (LINES, stride))
            reported[i] = weight_of(call, i)
            losses[i] = sequence_loss(dz, z, labels_of(call, i), alphas, normalizers, lines, reported[i] * scale)

    return ctc_loss


def build_label_errors(dtype):
    def label_errors(row, call, part, parts):
        offsets, classes = axis_offsets(call, row.axis), row.out_features
        hits = view(call.results, HITS * call.capacity, call.batch)
        counts = view(call.results, COUNTS * call.capacity, call.batch)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            labels = labels_of(call, i)
            z = view(call.arena, row.scores + offsets[i] * classes, (offsets[i + 1] - offsets[i], classes))
            distances = view(integers_in(call, row.distances), i * row.stride, len(labels) + 1)
            hits[i], counts[i] = distance_of_likeliest(z, labels, distances), len(labels)

    return label_errors


ctc_loss_kernel = Kernel("ctc_loss", build_ctc_loss, CTC_LOSS.arguments)
label_errors_kernel = Kernel("label_errors", build_label_errors, LABEL_ERRORS.arguments)


def ctc_loss_row(dtype, parts, **operands):
    """Return the row of the loss of each sequence and of its gradient with respect to the logits.

    scores, gradient: (steps, out_features). stride: `stride_of` the most labels of a target. normalize: whether to divide
    the weights by their sum over the batch.
    """
    return CTC_LOSS.row({"forward": (ctc_loss_kernel.address(dtype), parts)}, **operands)


def label_errors_row(dtype, parts, **operands):
    """Return the row that counts the labels of each target, and how many edits lead to those of the likeliest path.

    stride: integers of memory for each sample, more than the most labels of a target.
    """
    return LABEL_ERRORS.row({"forward": (label_errors_kernel.address(dtype), parts)}, **operands)


@jit(cached=True)
def likeliest_labels(outputs, offsets, labels, ends):
    """Write the labels of the likeliest path of each sequence: classes without repeats and blanks.

    outputs (steps, classes). labels (steps,): memory for those of all sequences. ends (sequences + 1,): where those of each
    begin and end. Returns the number of the first sequence with a NaN, or −1.
    """
    count = 0
    ends[0] = 0
    for i in range(len(offsets) - 1):
        before = BLANK
        for t in range(offsets[i], offsets[i + 1]):
            best = 0
            for k in range(outputs.shape[1]):
                if outputs[t, k] != outputs[t, k]:
                    return i
                if outputs[t, k] > outputs[t, best]:
                    best = k
            if best != before and best != BLANK:
                labels[count] = best
                count += 1
            before = best
        ends[i + 1] = count
    return -1


@jit(cached=True)
def edit_distance(one, other):
    """Return the least number of insertions, deletions and replacements that turn one array of integers into the other."""
    row = np.arange(len(other) + 1)
    for i in range(len(one)):
        diagonal, row[0] = row[0], i + 1
        for j in range(len(other)):
            replaced = diagonal + (one[i] != other[j])
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, min(diagonal, row[j]) + 1)
    return row[len(other)]
