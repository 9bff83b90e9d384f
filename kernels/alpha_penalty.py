"""A penalty on large weights, shared out among the samples of a batch: ½ α ‖W‖² / Σᵢ wᵢ, wᵢ the weights of its samples.

The loss is a mean over the samples, so over all samples together the penalty counts once, however many there are. A short
last batch has its full share. Two kinds of rows: one adds the penalty to the loss, the other α W / Σᵢ wᵢ to the gradient.
"""

import numpy as np

from .jit import Kernel, pointer_to, view
from .table import BACKWARD_WEIGHT, FORWARD, LOSSES, OPERANDS, SAMPLE_WEIGHTS, make_row, phase_arguments, share

START, ROWS, COLUMNS, ALPHA = range(OPERANDS, OPERANDS + 4)


def build_penalty_loss(dtype):
    def penalty_loss(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        given, total = view(results, SAMPLE_WEIGHTS * capacity, batch), 0.0
        for i in range(batch):
            total += given[i]
        columns, squares = row[COLUMNS], 0.0
        for k in range(row[ROWS]):  # a row in the network's dtype, so that it vectorises, their sum in float64
            weight = view(parameters, row[START] + k * columns, columns)
            square = weight[0] * weight[0]
            for j in range(1, columns):
                square += weight[j] * weight[j]
            squares += np.float64(square)
        if total > 0.0:
            alpha = view(pointer_to(row[ALPHA], results), 0, 1)[0]
            view(results, LOSSES * capacity, 1)[0] += 0.5 * alpha * squares / total

    return penalty_loss


def build_penalty_gradient(dtype):
    real = np.dtype(dtype).type

    def penalty_gradient(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        given, total = view(results, SAMPLE_WEIGHTS * capacity, batch), 0.0
        for i in range(batch):
            total += given[i]
        if total > 0.0:
            factor = real(view(pointer_to(row[ALPHA], results), 0, 1)[0] / total)
            columns = row[COLUMNS]
            begin, end = share(row[ROWS], part, parts, 1)
            start, size = row[START] + begin * columns, (end - begin) * columns
            weight, dweight = view(parameters, start, size), view(gradients, start, size)
            for i in range(size):
                dweight[i] += factor * weight[i]

    return penalty_gradient


loss_kernel = Kernel("alpha_penalty_loss", build_penalty_loss, phase_arguments)
gradient_kernel = Kernel("alpha_penalty_gradient", build_penalty_gradient, phase_arguments)


def penalty_loss_row(dtype, *, start, rows, columns, alpha):
    """The row that adds the penalty on the weight (rows, columns) at parameter `start`; it follows the loss.

    alpha: the address of a float64.
    """
    return make_row({FORWARD: (loss_kernel.address(dtype), 1)}, {START: start, ROWS: rows, COLUMNS: columns, ALPHA: alpha})


def penalty_gradient_row(dtype, parts, *, start, rows, columns, alpha):
    """The row that adds the penalty's gradient to the weight's; it stands before the layers, so it runs after them."""
    return make_row({BACKWARD_WEIGHT: (gradient_kernel.address(dtype), parts)},
                    {START: start, ROWS: rows, COLUMNS: columns, ALPHA: alpha})
