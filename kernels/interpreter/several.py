"""Rows for networks with several inputs or outputs: each input and each output has records of what enters from outside.

The sources of a call are those of the inputs in order, then for each output its targets and its weights. The loss of the
batch is the sum of the losses of the outputs, each with its factor, which the weights of its samples contain.
"""

from ..compiling.jit import REAL, Kernel, integers, jit, typed_pointer, view
from ..compiling.record import FLOAT
from ..compiling.share import share
from .axes import AS_BYTES, AS_NUMBERS, SOURCE_BYTES, source_at
from .batch import bytes_at, sample_number
from .table import COUNTS, HITS, LOSSES, RESULTS, RESULTS_OF_EACH, SAMPLE_WEIGHTS, Kind

# What the source of weights has as its form: whether they are those of samples or of the positions of the outputs.
OF_SAMPLES, OF_POSITIONS = range(2)

GATHER_INPUT = Kind("gather_input", "x", "source", "features")
GATHER_TARGETS = Kind("gather_targets", "targets", "weights", "source", "positions", "out_features", "normalize", "reports",
                      factor=FLOAT)
KEEP_RESULTS = Kind("keep_results", "output", "has_hits")
SUM_LOSSES = Kind("sum_losses", "outputs")


@jit(inline=True)
def result_row(call, number):
    """Return a row of the results for the samples of the batch."""
    return view(call.results, number * call.capacity, call.batch)


def build_gather_input(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    def gather_input(row, call, part, parts):
        source, features = source_at(call.sources + SOURCE_BYTES * row.source), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            x, first = view(call.arena, row.x + i * features, features), sample_number(call, i) * features
            if source.form == AS_NUMBERS:
                numbers = view(numbers_at(source.values), first, features)
                for j in range(features):
                    x[j] = numbers[j]
            else:
                octets = view(bytes_at(source.values), first, features)
                for j in range(features):
                    x[j] = octets[j]

    return gather_input


def build_gather_targets(dtype):
    numbers_at = typed_pointer(REAL[dtype])

    def gather_targets(row, call, part, parts):
        batch, positions, out_features = call.batch, row.positions, row.out_features
        source = source_at(call.sources + SOURCE_BYTES * row.source)
        given = source_at(call.sources + SOURCE_BYTES * (row.source + 1))
        begin, end = share(batch, part, parts, 1)
        for i in range(begin, end):
            sample = sample_number(call, i)
            # targets (positions, out_features) of a sample
            targets = view(call.arena, row.targets + i * positions * out_features, (positions, out_features))
            if source.form == AS_NUMBERS:
                numbers = view(numbers_at(source.values), sample * positions * out_features, (positions, out_features))
                for p in range(positions):
                    for j in range(out_features):
                        targets[p, j] = numbers[p, j]
                continue
            targets[:] = 0  # one-hot: 1 at the label, 0 elsewhere
            if source.form == AS_BYTES:
                octets = view(bytes_at(source.values), sample * positions, positions)
                for p in range(positions):
                    targets[p, octets[p]] = 1
            else:
                labels = view(integers(source.values), sample * positions, positions)
                for p in range(positions):
                    targets[p, labels[p]] = 1
        total, own = 0.0, positions if given.form == OF_POSITIONS else 1  # own: how many weights a sample has
        for i in range(batch):  # every part sums the whole batch, in the same order
            weight = 1.0 * own
            if given.values != 0:
                each, weight = view(numbers_at(given.values), sample_number(call, i) * own, own), 0.0
                for p in range(own):
                    weight += each[p]
            weight *= positions // own
            total += weight
            if row.reports != 0 and begin <= i < end:
                result_row(call, SAMPLE_WEIGHTS)[i] = weight if row.reports == 1 else 1.0
        scale = row.factor
        if row.normalize != 0:
            scale = row.factor / total if total > 0.0 else 0.0
        for i in range(begin, end):
            weights = view(call.arena, row.weights + i * positions, positions)
            for p in range(positions):
                weights[p] = scale
                if given.values != 0:
                    place = sample_number(call, i) * own + (p if own > 1 else 0)
                    weights[p] = scale * view(numbers_at(given.values), place, 1)[0]

    return gather_targets


def build_keep_results(dtype):
    def keep_results(row, call, part, parts):
        losses, hits, counts = result_row(call, LOSSES), result_row(call, HITS), result_row(call, COUNTS)
        first = RESULTS + RESULTS_OF_EACH * row.output
        own_losses, own_hits, own_counts = result_row(call, first), result_row(call, first + 1), result_row(call, first + 2)
        for i in range(call.batch):
            own_losses[i] = losses[i]
            own_hits[i], own_counts[i] = (hits[i], counts[i]) if row.has_hits != 0 else (0.0, 0.0)

    return keep_results


def build_sum_losses(dtype):
    def sum_losses(row, call, part, parts):
        losses, hits, counts = result_row(call, LOSSES), result_row(call, HITS), result_row(call, COUNTS)
        for i in range(call.batch):
            losses[i] = hits[i] = counts[i] = 0.0
        for k in range(row.outputs):
            own = result_row(call, RESULTS + RESULTS_OF_EACH * k)
            for i in range(call.batch):
                losses[i] += own[i]

    return sum_losses


gather_input_kernel = Kernel("gather_input", build_gather_input, GATHER_INPUT.arguments)
gather_targets_kernel = Kernel("gather_targets", build_gather_targets, GATHER_TARGETS.arguments)
keep_results_kernel = Kernel("keep_results", build_keep_results, KEEP_RESULTS.arguments)
sum_losses_kernel = Kernel("sum_losses", build_sum_losses, SUM_LOSSES.arguments)


def gather_input_row(dtype, parts, *, x, source, features):
    """Return the row that copies the samples of a batch of one input to the arena."""
    return GATHER_INPUT.row({"forward": (gather_input_kernel.address(dtype), parts)}, x=x, source=source, features=features)


def gather_targets_row(dtype, parts, *, targets, weights, source, positions, out_features, normalize, reports, factor):
    """Return the row that copies the targets of a batch of one output, with its weights times its factor.

    Targets are (positions, out_features) and weights (positions,) of each sample.

    normalize: whether the weights of a batch without the factor are scaled to sum 1. reports: whether the row writes the
    weights that the batch counts with in the mean of an epoch: 1 for these, 2 for 1 each, 0 for none.
    """
    return GATHER_TARGETS.row({"forward": (gather_targets_kernel.address(dtype), parts)}, targets=targets, weights=weights,
                              source=source, positions=positions, out_features=out_features, normalize=normalize,
                              reports=reports, factor=factor)


def keep_results_row(dtype, output, has_hits):
    """Return the row that copies losses, hits and counts to the results of one output, before the next one writes them."""
    return KEEP_RESULTS.row({"forward": (keep_results_kernel.address(dtype), 1)}, output=output, has_hits=has_hits)


def sum_losses_row(dtype, outputs):
    """Return the row that adds the losses of all outputs, sample by sample."""
    return SUM_LOSSES.row({"forward": (sum_losses_kernel.address(dtype), 1)}, outputs=outputs)
