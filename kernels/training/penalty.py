"""Penalties on weights: l1 Σ |w| + l2 Σ w² is added to the loss of a batch, and l1 sign(w) + 2 l2 w to the gradient.

(As in Keras: l2 has no factor 1/2, and the penalty is not divided by the batch size.) The gradient of |w| is 0 where w = 0.
A row before the layers computes the penalty and its gradient; a row after the loss adds the penalty to it.

A shared penalty (as in scikit-learn) is divided by Σᵢ wᵢ, the sum of the sample weights of the batch. Since the loss is a
mean over the samples, this penalty counts once for all samples together.
"""

import numpy as np
from numba import types

from ..compiling.jit import Kernel, as_floats, jit, offset, pointer, view
from ..compiling.record import FLOAT
from ..compiling.share import share
from ..elementwise.blocks import BLOCK, LANES, add_blocks, block_count, block_range, sum_blocks
from ..interpreter.table import LOSSES, SAMPLE_WEIGHTS, Kind

PENALTY = Kind("penalty", "start", "size", "sums", "blocks", "shared", l1=FLOAT, l2=FLOAT)
PENALTY_LOSS = Kind("penalty_loss", "sums", "blocks", "once", "shared")


@jit(inline=True)
def block_sums(row, call):
    """Return the sums (blocks, LANES), float64, in the arena."""
    return view(as_floats(offset(call.arena, row.sums)), 0, (row.blocks, LANES))


@jit
def batch_share(shared, call):
    """Return the factor of l1 and l2: 1, or for a shared penalty 1 / Σᵢ wᵢ, and 0 if no sample has a weight."""
    if shared == 0:
        return 1.0
    weights, total = view(call.results, SAMPLE_WEIGHTS * call.capacity, call.batch), 0.0
    for i in range(call.batch):
        total += weights[i]
    return 1.0 / total if total > 0.0 else 0.0


def build_penalty_value(dtype):
    def penalty_value(row, call, part, parts):
        """Compute the penalty, one sum for each block."""
        weight = view(call.parameters, row.start, row.size)
        begin, end = share(row.blocks, part, parts, 1)
        sum_blocks(block_sums(row, call), weight, row.l1, row.l2, begin, end)

    return penalty_value


def build_penalty_gradient(dtype):
    real = np.dtype(dtype).type
    zero = real(0)

    def penalty_gradient(row, call, part, parts):
        if call.accumulate != 0:  # the first of the batches that share one mean has included the penalty
            return
        factor = batch_share(row.shared, call)
        l1, twice_l2 = real(factor * row.l1), real(factor * 2.0 * row.l2)
        begin, end = share(row.blocks, part, parts, 1)
        start, size = block_range(begin, end, row.size)
        weight = view(call.parameters, row.start + start, size)
        gradient = view(call.gradients, row.start + start, size)
        for i in range(size):
            w = weight[i]
            up, down = l1 if w > zero else zero, l1 if w < zero else zero
            gradient[i] += up - down + twice_l2 * w

    return penalty_gradient


def build_penalty_loss(dtype):
    def penalty_loss(row, call, part, parts):
        if row.once == 0 or call.first == 0:
            losses = view(call.results, LOSSES * call.capacity, call.batch)
            losses[0] += batch_share(row.shared, call) * add_blocks(block_sums(row, call))

    return penalty_loss


def build_weight_penalty(dtype):
    def weight_penalty(out, sums, weight, strengths, size):
        """out[0] = l1 Σ |w| + l2 Σ w², with the bits of the rows above. sums (blocks, LANES) is working memory."""
        strengths_ = view(strengths, 0, 2)
        blocks = (size + BLOCK - 1) // BLOCK
        sums_ = view(sums, 0, (blocks, LANES))
        sum_blocks(sums_, view(weight, 0, size), strengths_[0], strengths_[1], 0, blocks)
        view(out, 0, 1)[0] = add_blocks(sums_)

    return weight_penalty


def weight_penalty_arguments(dtype):
    numbers = types.CPointer(types.float64)
    return numbers, numbers, pointer(dtype), numbers, types.intp


penalty_value_kernel = Kernel("penalty_value", build_penalty_value, PENALTY.arguments)
penalty_gradient_kernel = Kernel("penalty_gradient", build_penalty_gradient, PENALTY.arguments)
penalty_loss_kernel = Kernel("penalty_loss", build_penalty_loss, PENALTY_LOSS.arguments)
weight_penalty_kernel = Kernel("weight_penalty", build_weight_penalty, weight_penalty_arguments)


def penalty_row(dtype, parts, *, start, size, sums, l1, l2, shared=False):
    """Return the row of the penalty on `size` weights, from element `start` of the flat vector.

    sums: offset of float64 (blocks, LANES) in the arena. shared: whether to divide by the sample weights of the batch.
    """
    return PENALTY.row({"forward": (penalty_value_kernel.address(dtype), parts),
                        "backward_first": (penalty_gradient_kernel.address(dtype), parts)},
                       start=start, size=size, sums=sums, blocks=block_count(size), l1=l1, l2=l2, shared=shared)


def penalty_loss_row(dtype, *, sums, blocks, once, shared=False):
    """Return the row that adds the penalties to the loss of the batch; the blocks of all penalties are contiguous.

    once: whether the losses of the batches are shares of one mean, so that only the first batch includes the penalty.
    shared: whether to divide by the sample weights of the batch.
    """
    return PENALTY_LOSS.row({"forward": (penalty_loss_kernel.address(dtype), 1)}, sums=sums, blocks=blocks, once=once,
                            shared=shared)
