"""The batch: shuffle the samples, gather the rows of a batch into the arena, and copy its outputs out of the arena."""

import numpy as np
from numba import types

from ..compiling.jit import REAL, Kernel, address_of, given, jit, typed_pointer, view
from ..compiling.share import share
from ..processor.prefetch import CACHE_LINE, prefetch
from ..products.product import chain_count, share_of_inputs
from .table import NOT_FINITE, SAMPLE_WEIGHTS, Kind

GATHER = Kind("gather", "x", "targets", "weights", "in_features", "positions", "out_features", "normalize")
INSPECT = Kind("inspect", "in_features")
# before: the number of features of the outputs whose predictions for all samples stand before these
COPY_OUT = Kind("copy_out", "a", "out_features", "before")


bytes_at = typed_pointer(types.uint8)


@jit(inline=True)
def sample_number(call, i):
    """Return the row of the data that is sample i of the batch."""
    return view(call.order, call.first + i, 1)[0] if given(call.order) else call.first + i


@jit(inline=True)
def weight_at(call, sample, position, positions):
    """Return the weight of a position of a sample: its own, or that of the sample."""
    if not given(call.weights):
        return 1.0
    place = sample * positions + position if call.weight_at_positions != 0 else sample
    return np.float64(view(call.weights, place, 1)[0])


@jit(inline=True)
def weight_of_sample(call, sample, positions):
    """Return the sum of the weights of the positions of a sample."""
    if call.weight_at_positions == 0:
        return weight_at(call, sample, 0, positions) * positions
    total = 0.0
    for position in range(positions):
        total += weight_at(call, sample, position, positions)
    return total


def build_gather(dtype):
    def gather(row, call, part, parts):
        batch, in_features, positions, out_features = call.batch, row.in_features, row.positions, row.out_features
        x = view(call.arena, row.x, (batch, in_features))
        begin, end = share(batch, part, parts, 1)
        top, bottom, left, right = begin, end, 0, in_features  # the rows and columns of x for this part
        if parts > 1 and chain_count(in_features) > 1:  # the columns that the thread will read
            top, bottom, (left, right) = 0, batch, share_of_inputs(in_features, part, parts)
        for i in range(top, bottom):
            sample = sample_number(call, i)
            taken = x[i, left:right]
            if call.octets != 0:
                octets = view(bytes_at(call.octets), sample * in_features + left, right - left)
                for j in range(right - left):
                    taken[j] = octets[j]
                continue
            source = view(call.X, sample * in_features + left, right - left)
            for j in range(right - left):
                taken[j] = source[j]
        if not (given(call.targets) or given(call.labels)):
            return

        for i in range(begin, end):
            sample = sample_number(call, i)
            targets = view(call.arena, row.targets + i * positions * out_features, (positions, out_features))
            if given(call.labels):  # one-hot: 1 at the label, 0 elsewhere
                targets[:] = 0
                if call.labels_are_bytes != 0:
                    octets = view(bytes_at(address_of(view(call.labels, 0, 1))), sample * positions, positions)
                    for p in range(positions):
                        targets[p, octets[p]] = 1
                    continue
                labels = view(call.labels, sample * positions, positions)
                for p in range(positions):
                    targets[p, labels[p]] = 1
            else:
                source = view(call.targets, sample * positions * out_features, (positions, out_features))
                for p in range(positions):
                    for j in range(out_features):
                        targets[p, j] = source[p, j]

        reported = view(call.results, SAMPLE_WEIGHTS * call.capacity, batch)
        total = 0.0
        for i in range(batch):  # every part sums the whole batch, in the same order
            weight = weight_of_sample(call, sample_number(call, i), positions)
            total += weight
            if begin <= i < end:
                reported[i] = weight
        scale = 1.0
        if row.normalize != 0:
            scale = 1.0 / total if total > 0.0 else 0.0
        for i in range(begin, end):
            sample, weights = sample_number(call, i), view(call.arena, row.weights + i * positions, positions)
            for p in range(positions):
                weights[p] = weight_at(call, sample, p, positions) * scale

    return gather


@jit(inline=True)
def prefetch_next_batch(call, in_features, left, right):
    """Prefetch the inputs left … right of the samples of the next batch."""
    if not given(call.X):
        return
    batch, item = call.batch, view(call.X, 0, 1).itemsize
    data = address_of(view(call.X, 0, 1))
    for i in range(batch, min(2 * batch, call.samples - call.first)):
        place = data + item * (sample_number(call, i) * in_features)
        for line in range(place + item * left, place + item * right, CACHE_LINE):
            prefetch(line)


def build_inspect(dtype):
    largest = np.finfo(dtype).max

    def inspect(row, call, part, parts):
        size = call.batch * row.in_features
        x, count = view(call.X, call.first * row.in_features, size), 0
        for i in range(size):
            count += 0 if abs(x[i]) <= largest else 1
        if count > 0:
            view(call.found, 0, 2)[NOT_FINITE] = 1

    return inspect


def build_copy_out(dtype):
    numbers = typed_pointer(REAL[dtype])

    def copy_out(row, call, part, parts):
        begin, end = share(call.batch, part, parts, 1)
        size = (end - begin) * row.out_features
        a = view(call.arena, row.a + begin * row.out_features, size)
        out = view(numbers(call.outputs), call.capacity * row.before + (call.first + begin) * row.out_features, size)
        for i in range(size):
            out[i] = a[i]

    return copy_out


gather_kernel = Kernel("gather", build_gather, GATHER.arguments)
inspect_kernel = Kernel("inspect", build_inspect, INSPECT.arguments)
copy_out_kernel = Kernel("copy_out", build_copy_out, COPY_OUT.arguments)


def gather_row(dtype, parts, *, x, in_features, targets=0, positions=1, out_features=0, weights=0, normalize=False):
    """Return the row that copies the samples of a batch to the arena, with their targets and weights if there are any.

    Targets are (positions, out_features) and weights (positions,) of each sample.
    normalize: whether to scale the weights of a batch to sum 1.
    """
    return GATHER.row({"forward": (gather_kernel.address(dtype), parts)}, x=x, targets=targets, weights=weights,
                      in_features=in_features, positions=positions, out_features=out_features, normalize=normalize)


def inspect_row(dtype, in_features):
    """Return the row that checks the samples of the call for NaN and infinity. This also loads them into the cache."""
    return INSPECT.row({"forward": (inspect_kernel.address(dtype), 1)}, in_features=in_features)


def copy_out_row(dtype, *, a, out_features, before=0):
    """Return the row that copies the outputs of a batch to the rows of its samples in the outputs of the call."""
    return COPY_OUT.row({"forward": (copy_out_kernel.address(dtype), 1)}, a=a, out_features=out_features, before=before)


def build_shuffle(dtype):
    def shuffle(order, size, state):
        """order = a random permutation of 0 … size − 1, by Fisher and Yates, from SplitMix64 (Steele et al. 2014)."""
        order_, state_ = view(order, 0, size), view(state, 0, 1)
        word = state_[0]
        for i in range(size):
            order_[i] = i
        for i in range(size - 1, 0, -1):
            word += np.uint64(0x9E3779B97F4A7C15)
            mixed = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(32)
            j = np.intp((mixed * np.uint64(i + 1)) >> np.uint64(32))  # 0 … i, for fewer than 2³² samples
            order_[i], order_[j] = order_[j], order_[i]
        state_[0] = word

    return shuffle


shuffle_kernel = Kernel(
    "shuffle", build_shuffle, lambda dtype: (types.CPointer(types.int64), types.intp, types.CPointer(types.uint64)),
    moves_addresses=True,
)
