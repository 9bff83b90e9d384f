"""Batch normalization of the channels of images and series, by samples: any number of threads share it.

The mathematics and the row are those of `batch_norm`. A phase sums over the pixels of each sample, the next adds these sums
over the samples in order, so the bits do not depend on the number of threads. A `group` of pixels is computed as one line.

    forward     sums (parts), mean and variance (one part), a (parts)
    backward    sums of da (parts), their totals (one part), dx (parts)

The forward phase of the last row also applies an elementwise activation to what is in the cache, see `with_activation`.
"""

import math
from itertools import takewhile

from ...activations import activations
from ...compiling.jit import Kernel, address_of, call_at, jit, offset, view
from ...compiling.share import share
from ...compiling.trace import at_full_width
from ...interpreter.table import with_phases
from .batch_norm import BATCH_NORM, backward_totals
from .lines import add_runs, distributing, measuring, normalizing, repeat, summing

BLOCK = 2048  # numbers of a block of lines, which stays in the first-level cache
NONE, ALSO, INSTEAD = range(3)  # relu: whether to write relu of a


@jit(inline=True)
def line_size(row):
    return row.features * row.group


@jit(inline=True)
def constants(row, call):
    """The constants of a line: mean, inverse, scale, shift, and in the backward pass the sums of da and of da x̂."""
    width = line_size(row)
    return (view(call.arena, row.means, width), view(call.arena, row.inverses, width), view(call.arena, row.scales, width),
            view(call.arena, row.shifts, width), view(call.arena, row.sums, width), view(call.arena, row.more, width))


@jit(inline=True)
def sums_of(row, call, sample):
    """Two sums of a sample, for each number of a line."""
    width = line_size(row)
    place = row.of_samples + 3 * sample * width
    return view(call.arena, place, width), view(call.arena, place + width, width)


@jit(inline=True)
def mean_of(row, call, sample):
    """The mean of a sample, for each number of a line."""
    width = line_size(row)
    return view(call.arena, row.of_samples + (3 * sample + 2) * width, width)


def build_sums(dtype):
    measure = measuring(dtype)

    def batch_norm_sums(row, call, part, parts):
        """The mean of each sample, and the sums of distances from it and of their squares, while it is in the cache."""
        width, lines, features = line_size(row), row.pixels // row.group, row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            (sums, more), mean = sums_of(row, call, i), mean_of(row, call, i)
            x = address_of(view(call.arena, row.x + i * lines * width, 1))
            measure((x, 0, address_of(mean), 0, width, lines))
            of_channels = mean[:features]
            add_runs(of_channels, mean[features:])
            for j in range(features):
                of_channels[j] /= row.pixels
            repeat(mean[features:], of_channels)
            measure((x, address_of(mean), address_of(sums), address_of(more), width, lines))

    return batch_norm_sums


def build_statistics(dtype):
    def batch_norm_statistics(row, call, part, parts):
        """Mean and variance of the batch from those of the samples, or the running ones, and all constants of a line.

        With the distance δ of the mean of a sample from that of the batch, the squares of n numbers about the latter are
        Σ d² + 2 δ Σ d + n δ², which also holds for rounded means (Chan, Golub and LeVeque 1983).
        """
        at_full_width()
        features, pixels, rows = row.features, row.pixels, call.batch * row.pixels
        mean, variance = view(call.arena, row.mean, features), view(call.arena, row.variance, features)
        inverse = view(call.arena, row.inverse, features)
        if row.by_batch != 0:
            mean[:], variance[:], inverse[:] = 0, 0, 0
            for i in range(call.batch):
                own = mean_of(row, call, i)
                for j in range(features):
                    mean[j] += own[j]
            for j in range(features):
                mean[j] /= call.batch
            for i in range(call.batch):
                (sums, more), own = sums_of(row, call, i), mean_of(row, call, i)
                first, squares = sums[:features], more[:features]
                add_runs(first, sums[features:])
                add_runs(squares, more[features:])
                for j in range(features):
                    distance = own[j] - mean[j]
                    inverse[j] += first[j] + pixels * distance
                    variance[j] += squares[j] + distance * (2.0 * first[j] + pixels * distance)
            for j in range(features):
                left = inverse[j] / rows
                mean[j] += left
                variance[j] = max(variance[j] / rows - left * left, 0.0)
        else:
            running_mean, running_variance = view(row.running_mean, 0, features), view(row.running_variance, 0, features)
            for j in range(features):
                mean[j], variance[j] = running_mean[j], running_variance[j]
        for j in range(features):
            inverse[j] = 1.0 / math.sqrt(variance[j] + row.epsilon)
        means, inverses, scales, shifts, _, _ = constants(row, call)
        repeat(means, mean)
        repeat(inverses, inverse)
        repeat(scales, view(call.parameters, row.scale, features))
        repeat(shifts, view(call.parameters, row.shift, features))

    return batch_norm_statistics


def build_forward(dtype):
    normalize = normalizing(dtype)

    def batch_norm_pixels(row, call, part, parts):
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, scales, shifts, _, _ = constants(row, call)
        begin, end = share(call.batch, part, parts, 1)
        first, last, step = begin * lines, end * lines, max(1, BLOCK // width)
        while first < last:
            count = min(step, last - first)
            x = view(call.arena, row.x + first * width, 1)
            a = address_of(view(call.arena, row.a + first * width, 1)) if row.relu != INSTEAD else 0
            relu = address_of(view(call.arena, row.activated + first * width, 1)) if row.relu != NONE else 0
            normalize((a, address_of(x), address_of(means), address_of(inverses), address_of(scales),
                       address_of(shifts), width, count, relu))
            if row.activation != 0:
                call_at(row.activation, (offset(call.arena, row.activated + first * width),
                                         offset(call.arena, row.a + first * width), count, width))
            first += count

    return batch_norm_pixels


def build_backward_sums(dtype):
    sum_lines = summing(dtype)

    def batch_norm_backward_sums(row, call, part, parts):
        """Σ da and Σ da x̂ of each sample; where relu is applied instead of by a separate row, of the da before it."""
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, scales, shifts, _, _ = constants(row, call)
        of_relu = (address_of(scales), address_of(shifts)) if row.relu == INSTEAD else (0, 0)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            sums, more = sums_of(row, call, i)
            place = i * lines * width
            x, da = view(call.arena, row.x + place, 1), view(call.arena, row.da + place, 1)
            sum_lines((address_of(da), address_of(x), address_of(means), address_of(inverses), address_of(sums),
                       address_of(more), width, lines, *of_relu))

    return batch_norm_backward_sums


def build_backward_totals(dtype):
    totals = backward_totals(dtype)

    def batch_norm_backward_totals(row, call, part, parts):
        features = row.features
        total, normalized = view(call.arena, row.sum_da, features), view(call.arena, row.sum_normalized, features)
        total[:], normalized[:] = 0, 0
        for i in range(call.batch):
            sums, more = sums_of(row, call, i)
            add_runs(total, sums)
            add_runs(normalized, more)
        totals(row, call, total, normalized, 0)
        _, _, _, _, sums, more = constants(row, call)
        repeat(sums, total)
        repeat(more, normalized)

    return batch_norm_backward_totals


def build_backward_input(dtype):
    distribute = distributing(dtype)

    def batch_norm_backward_input(row, call, part, parts):
        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m)
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, scales, shifts, sums, more = constants(row, call)
        begin, end = share(call.batch, part, parts, 1)
        place = begin * lines * width
        x, da = view(call.arena, row.x + place, 1), view(call.arena, row.da + place, 1)
        distribute((address_of(da), address_of(x), address_of(means), address_of(inverses), address_of(scales),
                    address_of(sums), address_of(more), width, (end - begin) * lines,
                    address_of(shifts) if row.relu == INSTEAD else 0))

    return batch_norm_backward_input


batch_norm_sums, batch_norm_statistics, batch_norm_pixels = (
    Kernel(f"batch_norm_{name}", build, BATCH_NORM.arguments) for name, build in (
        ("sums", build_sums), ("statistics", build_statistics), ("pixels", build_forward)))
batch_norm_backward_sums, batch_norm_backward_totals, batch_norm_backward_input = (
    Kernel(f"batch_norm_backward_{name}", build, BATCH_NORM.arguments) for name, build in (
        ("sums", build_backward_sums), ("totals", build_backward_totals), ("input", build_backward_input)))


def rows_by_samples(dtype, row, parts, backward):
    """Return the rows of the phases, in the order of the table. row: with their operands; backward: whether dx is needed."""

    def phases(**kernels):
        return {phase: (kernel.address(dtype), count) for phase, (kernel, count) in kernels.items()}

    sums = [phases(forward=(batch_norm_sums, parts))] if row["by_batch"] else []
    made = [*sums, phases(forward=(batch_norm_statistics, 1)), phases(forward=(batch_norm_pixels, parts))]
    if backward:  # from the last row to the first
        made[-1] |= phases(backward_first=(batch_norm_backward_sums, parts),
                           backward_second=(batch_norm_backward_totals, 1))
        made[0] |= phases(backward_first=(batch_norm_backward_input, parts))
    return [with_phases(row, each) for each in made]


def takes_over(rows, z, record):
    """Let the normalization whose row is the last compute relu in its own memory, also backward; return whether it does.

    rows: those emitted so far. z: what the activation reads, and nothing else. record: the activation.
    """
    last = next(reversed(rows), None)
    if (last is None or last.dtype is not BATCH_NORM.dtype or not last["of_samples"] or last["a"] != z
            or record is not activations["relu"]):
        return False
    for row in takewhile(lambda row: row.dtype is BATCH_NORM.dtype and row["a"] == z, reversed(rows)):
        row["activated"], row["relu"] = z, INSTEAD
    return True


def with_activation(row, activation, record, alone):
    """Let the last row of a normalization apply the activation of the next row, of this record, if it can.

    It applies only one: in training relu may have taken over its memory already, see `takes_over`.

    alone: whether nothing else reads what the normalization writes.
    Returns the row of the activation with the phases that are left to do.
    """
    if (row.dtype is not BATCH_NORM.dtype or not row["of_samples"] or row["a"] != activation["z"] or record.rowwise
            or row["relu"] != NONE or row["features"] * row["pixels"] != activation["out_features"]):
        return activation
    row["activated"] = activation["a"]
    if record is activations["relu"]:
        row["relu"] = INSTEAD if alone else ALSO
    else:
        row["activation"] = activation["activation"]
    return with_phases(activation, {"backward_first": activation["backward_first"].tolist()})
