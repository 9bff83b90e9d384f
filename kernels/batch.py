"""The batch: shuffling the samples, gathering the rows of one batch into the arena, and handing outputs back out of it."""

import numpy as np
from numba import types

from .jit import Kernel, jit, pointer_to, view
from .prefetch import CACHE_LINE, ask_for
from .product import chain_count, share_of_inputs
from .table import FORWARD, OPERANDS, SAMPLE_WEIGHTS, make_row, phase_arguments, share

(X, TARGETS, WEIGHTS, IN_FEATURES, OUT_FEATURES, X_DATA, TARGET_DATA, LABEL_DATA, WEIGHT_DATA, ORDER, SAMPLES,
 NORMALIZE) = range(OPERANDS, OPERANDS + 12)
SOURCES = [X_DATA, TARGET_DATA, LABEL_DATA, WEIGHT_DATA, ORDER, SAMPLES]  # what there is to gather
A, OUT_DATA, NOT_FINITE, ABOVE_HALF = TARGETS, TARGET_DATA, ORDER, NORMALIZE  # of the rows of a prediction


def build_gather(dtype):
    def gather(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        data, order = pointer_to(row[X_DATA], arena), pointer_to(row[ORDER], row)
        x = view(arena, row[X], (batch, in_features))
        begin, end = share(batch, part, parts, 1)
        top, bottom, left, right = begin, end, 0, in_features  # what of x is this part's
        if parts > 1 and chain_count(in_features) > 1:  # the inputs that it will read
            top, bottom, (left, right) = 0, batch, share_of_inputs(in_features, part, parts)
        for i in range(top, bottom):
            sample = first + i if row[ORDER] == 0 else view(order, first + i, 1)[0]
            taken, source = x[i, left:right], view(data, sample * in_features + left, right - left)
            for j in range(right - left):
                taken[j] = source[j]
        if row[TARGET_DATA] == 0 and row[LABEL_DATA] == 0:
            return

        targets = view(arena, row[TARGETS], (batch, out_features))
        target_data, label_data = pointer_to(row[TARGET_DATA], arena), pointer_to(row[LABEL_DATA], row)
        for i in range(begin, end):
            sample = first + i if row[ORDER] == 0 else view(order, first + i, 1)[0]
            if row[LABEL_DATA] != 0:  # one-hot: 1 at the label, 0 elsewhere
                targets[i] = 0
                targets[i, view(label_data, sample, 1)[0]] = 1
            else:
                source = view(target_data, sample * out_features, out_features)
                for j in range(out_features):
                    targets[i, j] = source[j]

        weights, weight_data = view(arena, row[WEIGHTS], batch), pointer_to(row[WEIGHT_DATA], arena)
        given = view(results, SAMPLE_WEIGHTS * capacity, batch)
        total = 0.0
        for i in range(batch):  # every part adds up the whole batch, in one order
            weight = 1.0
            if row[WEIGHT_DATA] != 0:
                sample = first + i if row[ORDER] == 0 else view(order, first + i, 1)[0]
                weight = np.float64(view(weight_data, sample, 1)[0])
            total += weight
            if begin <= i < end:
                given[i] = weight
        scale = 1.0
        if row[NORMALIZE] != 0:
            scale = 1.0 / total if total > 0.0 else 0.0
        for i in range(begin, end):
            weights[i] = given[i] * scale

    return gather


@jit(inline=True)
def look_ahead(gather, item, first, batch, left, right):
    """Ask memory for the inputs left … right of the samples after a batch, whose `gather` row this is."""
    order, begin = pointer_to(gather[ORDER], gather), first + batch
    for i in range(begin, min(begin + batch, gather[SAMPLES])):
        sample = i if gather[ORDER] == 0 else view(order, i, 1)[0]
        place = gather[X_DATA] + item * (sample * gather[IN_FEATURES])
        for line in range(place + item * left, place + item * right, CACHE_LINE):
            ask_for(line)


def build_inspect(dtype):
    largest = np.finfo(dtype).max

    def inspect(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        size = batch * row[IN_FEATURES]
        x, count = view(pointer_to(row[X_DATA], arena), first * row[IN_FEATURES], size), 0
        for i in range(size):
            count += 0 if abs(x[i]) <= largest else 1
        if count > 0:
            view(pointer_to(row[NOT_FINITE], row), 0, 1)[0] = 1

    return inspect


def build_hand_out(dtype):
    def hand_out(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        out_features = row[OUT_FEATURES]
        a = view(arena, row[A] + begin * out_features, (end - begin) * out_features)
        out = view(pointer_to(row[OUT_DATA], arena), (first + begin) * out_features, (end - begin) * out_features)
        for i in range(len(a)):
            out[i] = a[i]

    return hand_out


gather_kernel = Kernel("gather", build_gather, phase_arguments)
inspect_kernel = Kernel("inspect", build_inspect, phase_arguments)
hand_out_kernel = Kernel("hand_out", build_hand_out, phase_arguments)


def gather_row(dtype, parts, *, x, in_features, x_data, targets=0, out_features=0, weights=0, target_data=0, label_data=0,
               weight_data=0, order=0, samples=0, normalize=False):
    """The row that brings the samples of a batch into the arena; *_data and order are addresses, 0 for what there is not.

    samples: how many there are in all batches, for who wants to `look_ahead`.
    normalize: whether the weights of a batch are scaled to add up to 1.
    """
    return make_row(
        {FORWARD: (gather_kernel.address(dtype), parts)},
        {X: x, TARGETS: targets, WEIGHTS: weights, IN_FEATURES: in_features, OUT_FEATURES: out_features, X_DATA: x_data,
         TARGET_DATA: target_data, LABEL_DATA: label_data, WEIGHT_DATA: weight_data, ORDER: order, SAMPLES: samples,
         NORMALIZE: normalize},
    )


def inspect_row(dtype, *, in_features, x_data, not_finite):
    """The row that sets the flag at address `not_finite` if the batch holds NaN or infinity, and brings it to the cache."""
    return make_row({FORWARD: (inspect_kernel.address(dtype), 1)},
                    {IN_FEATURES: in_features, X_DATA: x_data, NOT_FINITE: not_finite})


def hand_out_row(dtype, *, a, out_features, out_data):
    """The row that copies the outputs of a batch to where its samples stand in the array at address `out_data`."""
    return make_row({FORWARD: (hand_out_kernel.address(dtype), 1)}, {A: a, OUT_FEATURES: out_features, OUT_DATA: out_data})


def build_shuffle(dtype):
    def shuffle(order, size, state):
        """order = a random permutation of 0 … size − 1, by Fisher and Yates, drawn from SplitMix64 (Steele et al. 2014)."""
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
