"""Batch normalization of the channels of images and series, by samples: any number of threads share it.

The mathematics and the row are those of `batch_norm`. A phase sums over the pixels of each sample, the next adds these sums
over the samples in order, so the bits do not depend on the number of threads. A `group` of pixels is computed as one line.

    forward     sums (parts), mean (one part), deviations (parts), variance (one part), a (parts)
    backward    sums of da (parts), their totals (one part), dx (parts)

The forward phase of the last row also applies an elementwise activation to what is in the cache, see `with_activation`.
"""

import math
from functools import partial

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...activations import activations
from ...compiling.jit import Kernel, address_of, call_at, jit, offset, view
from ...compiling.share import share
from ...compiling.trace import at_full_width
from ...interpreter.table import with_phases
from ...processor.target import registers
from ...processor.vector import VectorEmitter, i64
from .batch_norm import BATCH_NORM, backward_totals, repeat

BLOCK = 2048  # numbers of a block of lines, which stays in the first-level cache
NONE, ALSO, INSTEAD = range(3)  # relu: whether to write relu of a
# Vectors of all lines computed together: a whole line of few channels. Half of each line at a time would leave room for all
# constants in registers, but takes up to twice as long where the lines are in no cache.
WIDE = 8 if registers() == 32 else 4


@jit(inline=True)
def line_size(row):
    return row.features * row.group


@jit(inline=True)
def constants(row, call):
    """The constants of a line: mean, inverse, scale, shift (in the backward pass the sums of da), and the sums of da x̂."""
    width = line_size(row)
    return (view(call.arena, row.means, width), view(call.arena, row.inverses, width), view(call.arena, row.scales, width),
            view(call.arena, row.shifts, width), view(call.arena, row.more, width))


@jit(inline=True)
def sums_of(row, call, sample):
    """Two sums of a sample, for each number of a line."""
    width = line_size(row)
    place = row.of_samples + 2 * sample * width
    return view(call.arena, place, width), view(call.arena, place + width, width)


@jit(inline=True)
def add_runs(total, sums):
    """Add each run of len(total) numbers of sums to total."""
    for start in range(0, len(sums), len(total)):
        for j in range(len(total)):
            total[j] += sums[start + j]


def build_sums(dtype):
    def batch_norm_sums(row, call, part, parts):
        at_full_width()
        width, lines = line_size(row), row.pixels // row.group
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            sums, _ = sums_of(row, call, i)
            sums[:] = 0
            for p in range(i * lines, (i + 1) * lines):
                x = view(call.arena, row.x + p * width, width)
                for j in range(width):
                    sums[j] += x[j]

    return batch_norm_sums


def build_mean(dtype):
    def batch_norm_mean(row, call, part, parts):
        mean, rows = view(call.arena, row.mean, row.features), call.batch * row.pixels
        mean[:] = 0
        for i in range(call.batch):
            add_runs(mean, sums_of(row, call, i)[0])
        for j in range(row.features):
            mean[j] /= rows
        repeat(constants(row, call)[0], mean)

    return batch_norm_mean


def build_deviations(dtype):
    def batch_norm_deviations(row, call, part, parts):
        """The second pass also sums the rounding error of the first mean (Chan, Golub and LeVeque 1983)."""
        at_full_width()
        width, lines, means = line_size(row), row.pixels // row.group, constants(row, call)[0]
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            sums, more = sums_of(row, call, i)
            sums[:], more[:] = 0, 0
            for p in range(i * lines, (i + 1) * lines):
                x = view(call.arena, row.x + p * width, width)
                for j in range(width):
                    distance = x[j] - means[j]
                    sums[j] += distance
                    more[j] += distance * distance

    return batch_norm_deviations


def build_variance(dtype):
    def batch_norm_variance(row, call, part, parts):
        """The variance of the batch, or the running statistics, and all constants of a line."""
        at_full_width()
        features, rows = row.features, call.batch * row.pixels
        mean, variance = view(call.arena, row.mean, features), view(call.arena, row.variance, features)
        inverse = view(call.arena, row.inverse, features)
        if row.by_batch != 0:
            variance[:], inverse[:] = 0, 0
            for i in range(call.batch):
                sums, more = sums_of(row, call, i)
                add_runs(inverse, sums)
                add_runs(variance, more)
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
        means, inverses, scales, shifts, _ = constants(row, call)
        repeat(means, mean)
        repeat(inverses, inverse)
        repeat(scales, view(call.parameters, row.scale, features))
        repeat(shifts, view(call.parameters, row.shift, features))

    return batch_norm_variance


def normalizing(dtype):
    """The intrinsic a = (x − means) · inverses · scales + shifts.

    Arguments: the addresses of a, x, means, inverses, scales and shifts, the size and number of lines, and the address for
    relu of a. Those of a and relu may be 0, where nothing is to be written.
    """

    @intrinsic
    def normalize(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            a, x, *given, width, lines, relu = cgutils.unpack_tuple(builder, args[0])
            a, x, *given = (builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (a, x, *given))
            keep = builder.icmp_unsigned("!=", builder.ptrtoint(a, i64), i64(0))
            to_relu, relu = builder.inttoptr(relu, emitter.scalar.as_pointer()), builder.icmp_signed("!=", relu, i64(0))

            def columns(first, vectors, mask):
                """Compute some vectors of all lines."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                constants = [[emitter.load(builder, builder.gep(each, [place]), mask) for each in given] for place in firsts]
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, (mean, inverse, scale, shift) in zip(firsts, constants, strict=True):
                        place = builder.add(line, place)
                        value = builder.fsub(emitter.load(builder, builder.gep(x, [place]), mask), mean)
                        value = builder.fadd(builder.fmul(builder.fmul(value, inverse), scale), shift)
                        with builder.if_then(keep):
                            emitter.store(builder, value, builder.gep(a, [place]), mask)
                        with builder.if_then(relu):
                            negative = builder.fcmp_ordered("<", value, emitter.zero)
                            limited = builder.select(negative, emitter.zero, value)
                            emitter.store(builder, limited, builder.gep(to_relu, [place]), mask)

            each_vectors(emitter, builder, width, columns)
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 9)), codegen

    return normalize


def build_forward(dtype):
    normalize = normalizing(dtype)

    def batch_norm_pixels(row, call, part, parts):
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, scales, shifts, _ = constants(row, call)
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


def summing(dtype):
    """The intrinsic sums = Σ da, more = Σ da x̂ over lines, with the sums in registers.

    Arguments: the addresses of da, x, means, inverses, sums and more, the size and number of lines, and the address of what
    relu gave, by whose derivative da is first multiplied, or 0.
    """

    @intrinsic
    def sum_lines(typingctx, arguments):
        def codegen(context, builder, signature, args):
            emitter = VectorEmitter(builder.module, dtype)
            *places, width, lines, relu = cgutils.unpack_tuple(builder, args[0])
            da, x, means, inverses, sums, more, a = (
                builder.inttoptr(place, emitter.scalar.as_pointer()) for place in (*places, relu))
            one = ir.Constant(emitter.vector, [1.0] * emitter.lanes)

            def columns(first, vectors, mask, masked_by_relu):
                """Sum some vectors of all lines."""
                firsts = [builder.add(first, i64(number * emitter.lanes)) for number in range(vectors)]
                constants = [[emitter.load(builder, builder.gep(each, [place]), mask) for each in (means, inverses)]
                             for place in firsts]
                totals = [[cgutils.alloca_once(builder, emitter.vector) for _ in range(2)] for _ in firsts]
                for pair in totals:
                    for total in pair:
                        builder.store(emitter.zero, total)
                with cgutils.for_range(builder, lines) as loop:
                    line = builder.mul(loop.index, width)
                    for place, (mean, inverse), (total, normalized) in zip(firsts, constants, totals, strict=True):
                        place = builder.add(line, place)
                        # x before da is written: arrays of whole pages differ in the high bits of an address only, which the
                        # processor compares late, so it would take one for the other and wait
                        value = builder.fsub(emitter.load(builder, builder.gep(x, [place]), mask), mean)
                        given = emitter.load(builder, builder.gep(da, [place]), mask)
                        if masked_by_relu:
                            positive = builder.fcmp_ordered(
                                ">", emitter.load(builder, builder.gep(a, [place]), mask), emitter.zero)
                            given = builder.fmul(given, builder.select(positive, one, emitter.zero))
                            emitter.store(builder, given, builder.gep(da, [place]), mask)
                        along = builder.fmul(given, builder.fmul(value, inverse))
                        builder.store(builder.fadd(builder.load(total), given), total)
                        builder.store(builder.fadd(builder.load(normalized), along), normalized)
                for place, pair in zip(firsts, totals, strict=True):
                    for total, to in zip(pair, (sums, more), strict=True):
                        emitter.store(builder, builder.load(total), builder.gep(to, [place]), mask)

            with builder.if_else(builder.icmp_signed("!=", relu, i64(0))) as branches:
                for branch, masked_by_relu in zip(branches, (True, False), strict=True):
                    with branch:
                        each_vectors(emitter, builder, width, partial(columns, masked_by_relu=masked_by_relu))
            return context.get_dummy_value()

        return types.void(types.UniTuple(types.intp, 9)), codegen

    return sum_lines


def each_vectors(emitter, builder, width, columns):
    """Emit columns(first, vectors, mask) for all columns of lines, as many vectors at a time as WIDE, half of it, …, 1."""
    done, vectors = i64(0), WIDE
    while vectors > 0:
        size = i64(vectors * emitter.lanes)
        chunks = builder.udiv(builder.sub(width, done), size)
        with cgutils.for_range(builder, chunks) as loop:
            columns(builder.add(done, builder.mul(loop.index, size)), vectors, None)
        done = builder.add(done, builder.mul(chunks, size))
        vectors //= 2
    with builder.if_then(builder.icmp_signed("<", done, width)):
        columns(done, 1, emitter.lane_mask(builder, builder.sub(width, done)))


def build_backward_sums(dtype):
    sum_lines = summing(dtype)

    def batch_norm_backward_sums(row, call, part, parts):
        """Σ da and Σ da x̂ of each sample; where relu is applied instead of a separate row, da is first that before it."""
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, _, _, _ = constants(row, call)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            sums, more = sums_of(row, call, i)
            place = i * lines * width
            x, da = view(call.arena, row.x + place, 1), view(call.arena, row.da + place, 1)
            relu = address_of(view(call.arena, row.activated + place, 1)) if row.relu == INSTEAD else 0
            sum_lines((address_of(da), address_of(x), address_of(means), address_of(inverses), address_of(sums),
                       address_of(more), width, lines, relu))

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
        _, _, _, sums, more = constants(row, call)
        repeat(sums, total)
        repeat(more, normalized)

    return batch_norm_backward_totals


def build_backward_input(dtype):
    def batch_norm_backward_input(row, call, part, parts):
        # dx = scale inverse (da − Σ da / m − x̂ Σ da x̂ / m)
        at_full_width()
        width, lines = line_size(row), row.pixels // row.group
        means, inverses, scales, sums, more = constants(row, call)
        begin, end = share(call.batch, part, parts, 1)
        for p in range(begin * lines, end * lines):
            x, da = view(call.arena, row.x + p * width, width), view(call.arena, row.da + p * width, width)
            for j in range(width):
                along = (x[j] - means[j]) * inverses[j] * more[j]
                da[j] = scales[j] * inverses[j] * (da[j] - sums[j] - along)

    return batch_norm_backward_input


batch_norm_sums, batch_norm_mean, batch_norm_deviations, batch_norm_variance, batch_norm_pixels = (
    Kernel(f"batch_norm_{name}", build, BATCH_NORM.arguments) for name, build in (
        ("sums", build_sums), ("mean", build_mean), ("deviations", build_deviations), ("variance", build_variance),
        ("pixels", build_forward)))
batch_norm_backward_sums, batch_norm_backward_totals, batch_norm_backward_input = (
    Kernel(f"batch_norm_backward_{name}", build, BATCH_NORM.arguments) for name, build in (
        ("sums", build_backward_sums), ("totals", build_backward_totals), ("input", build_backward_input)))


def rows_by_samples(dtype, row, parts, backward):
    """Return the rows of the phases, in the order of the table. row: with their operands; backward: whether dx is needed."""

    def phases(**kernels):
        return {phase: (kernel.address(dtype), count) for phase, (kernel, count) in kernels.items()}

    statistics = [
        phases(forward=(batch_norm_sums, parts)), phases(forward=(batch_norm_mean, 1)),
        phases(forward=(batch_norm_deviations, parts)),
    ] if row["by_batch"] else []
    made = [*statistics, phases(forward=(batch_norm_variance, 1)), phases(forward=(batch_norm_pixels, parts))]
    if backward:  # from the last row to the first
        made[-1] |= phases(backward_first=(batch_norm_backward_sums, parts),
                           backward_second=(batch_norm_backward_totals, 1))
        made[0] |= phases(backward_first=(batch_norm_backward_input, parts))
    return [with_phases(row, each) for each in made]


def takes_over(row, z, record):
    """Let the last row of a normalization compute relu in its own memory, also backward; return whether it does.

    row: the row emitted last, or None. z: what the activation reads, and nothing else. record: the activation.
    """
    if row is None or row.dtype is not BATCH_NORM.dtype or not row["of_samples"] or row["a"] != z \
            or record is not activations["relu"]:
        return False
    row["activated"], row["relu"] = z, INSTEAD
    return True


def with_activation(row, activation, record, alone):
    """Let the last row of a normalization apply the activation of the next row, of this record, if it can.

    alone: whether nothing else reads what the normalization writes.
    Returns the row of the activation with the phases that are left to do.
    """
    if (row.dtype is not BATCH_NORM.dtype or not row["of_samples"] or row["a"] != activation["z"] or record.rowwise
            or row["features"] * row["pixels"] != activation["out_features"]):
        return activation
    row["activated"] = activation["a"]
    if record is activations["relu"]:
        row["relu"] = INSTEAD if alone else ALSO
    else:
        row["activation"] = activation["activation"]
    return with_phases(activation, {"backward_first": activation["backward_first"].tolist()})
