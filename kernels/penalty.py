"""Penalties on weights: l1 Σ |w| + l2 Σ w² is added to the loss of a batch, l1 sign(w) + 2 l2 w to the gradient.

(In the form of Keras: no half before l2, and the penalty is not divided by the batch.) Where w = 0 the gradient of |w| is
taken to be 0. A row of the optimizer's kind, before the layers, works out both; one after the loss adds what is lost.

A penalty that is shared out (in the form of scikit-learn) is divided by Σᵢ wᵢ, the weights of the batch's samples: the loss
being a mean over the samples, it counts once for all of them together, however many there are.
"""

import numpy as np
from numba import types

from .blocks import BLOCK, LANES, add_up, block_count, stretch, sum_blocks
from .jit import Kernel, jit, pointer, pointer_to, view
from .table import BACKWARD_OUTPUT, FORWARD, LOSSES, OPERANDS, SAMPLE_WEIGHTS, make_row, phase_arguments, share

START, SIZE, BLOCKS, SUMS, STRENGTHS, ONCE, SHARED = range(OPERANDS, OPERANDS + 7)


@jit
def batch_share(shared, results, capacity, batch):
    """What the strengths are multiplied by: 1, or where they are shared out 1 / Σᵢ wᵢ, 0 where no sample has a weight."""
    if shared == 0:
        return 1.0
    given, total = view(results, SAMPLE_WEIGHTS * capacity, batch), 0.0
    for i in range(batch):
        total += given[i]
    return 1.0 / total if total > 0.0 else 0.0


def build_penalty_value(dtype):
    def penalty_value(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        """The penalty, a sum for each block."""
        strengths = view(pointer_to(row[STRENGTHS], results), 0, 2)
        sums = view(pointer_to(row[SUMS], results), 0, (row[BLOCKS], LANES))
        begin, end = share(row[BLOCKS], part, parts, 1)
        sum_blocks(sums, view(parameters, row[START], row[SIZE]), strengths[0], strengths[1], begin, end)

    return penalty_value


def build_penalty_gradient(dtype):
    real = np.dtype(dtype).type
    zero = real(0)

    def penalty_gradient(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        if accumulate != 0:  # gradients of several batches that share one mean: the first has borne the penalty
            return
        strengths = view(pointer_to(row[STRENGTHS], results), 0, 2)
        factor = batch_share(row[SHARED], results, capacity, batch)
        l1, twice_l2 = real(factor * strengths[0]), real(factor * 2.0 * strengths[1])
        begin, end = share(row[BLOCKS], part, parts, 1)
        start, size = stretch(begin, end, row[SIZE])
        weight, gradient = view(parameters, row[START] + start, size), view(gradients, row[START] + start, size)
        for i in range(size):
            w = weight[i]
            up, down = l1 if w > zero else zero, l1 if w < zero else zero
            gradient[i] += up - down + twice_l2 * w

    return penalty_gradient


def build_penalty_loss(dtype):
    def penalty_loss(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        if row[ONCE] == 0 or first == 0:
            sums = view(pointer_to(row[SUMS], results), 0, (row[BLOCKS], LANES))
            view(results, LOSSES * capacity, 1)[0] += batch_share(row[SHARED], results, capacity, batch) * add_up(sums)

    return penalty_loss


def build_weight_penalty(dtype):
    def weight_penalty(out, sums, weight, strengths, size):
        """out[0] = l1 Σ |w| + l2 Σ w², with the bits of the rows above. sums (blocks, LANES) is scratch."""
        strengths_ = view(strengths, 0, 2)
        blocks = (size + BLOCK - 1) // BLOCK
        sums_ = view(sums, 0, (blocks, LANES))
        sum_blocks(sums_, view(weight, 0, size), strengths_[0], strengths_[1], 0, blocks)
        view(out, 0, 1)[0] = add_up(sums_)

    return weight_penalty


def weight_penalty_arguments(dtype):
    numbers = types.CPointer(types.float64)
    return numbers, numbers, pointer(dtype), numbers, types.intp


penalty_value_kernel = Kernel("penalty_value", build_penalty_value, phase_arguments)
penalty_gradient_kernel = Kernel("penalty_gradient", build_penalty_gradient, phase_arguments)
penalty_loss_kernel = Kernel("penalty_loss", build_penalty_loss, phase_arguments)
weight_penalty_kernel = Kernel("weight_penalty", build_weight_penalty, weight_penalty_arguments)


def penalty_row(dtype, parts, *, start, size, sums, strengths, shared=False):
    """The row of the penalty on `size` weights from number `start` of the flat vector on.

    strengths: the address of [l1, l2] in float64. sums: that of float64 (blocks, LANES). shared: whether it is shared out.
    """
    return make_row({FORWARD: (penalty_value_kernel.address(dtype), parts),
                     BACKWARD_OUTPUT: (penalty_gradient_kernel.address(dtype), parts)},
                    {START: start, SIZE: size, BLOCKS: block_count(size), SUMS: sums, STRENGTHS: strengths, SHARED: shared})


def penalty_loss_row(dtype, *, sums, blocks, once, shared=False):
    """The row that adds the penalties, all their blocks one after the other, to the loss of the batch.

    once: whether the losses of the batches are shares of one mean, so that the first alone bears the penalty.
    shared: whether the penalties are shared out.
    """
    return make_row({FORWARD: (penalty_loss_kernel.address(dtype), 1)},
                    {SUMS: sums, BLOCKS: blocks, ONCE: once, SHARED: shared})
