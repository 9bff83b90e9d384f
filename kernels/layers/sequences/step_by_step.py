"""Layers over time whose steps come one by one: what they keep of the steps so far, and their output after each.

    the window that ends here   a = the steps t − (kernel − 1) · dilation, …, t − dilation, t side by side
    the mean so far             a = Σ x / steps
    the largest so far          a = max x

x (rows, features), a step of each sequence; past (rows, (kernel − 1) · dilation · features), the earlier steps, oldest
first, zeros before the first one; sum, largest (rows, features); C-contiguous. Sums have the order of those over whole
sequences.
"""

import numpy as np

from ...compiling.jit import Kernel, view
from ...interpreter.table import Kind

WINDOW = Kind("window_that_ends_here", "x", "a", "past", "features", "kernel", "dilation")
MEAN = Kind("mean_so_far", "x", "a", "sum", "count", "features")
LARGEST = Kind("largest_so_far", "x", "a", "largest", "features")
# The number of steps is kept as two numbers, ones and thousands of COUNTED: float32 does not tell 2**24 from 2**24 + 1.
COUNTED = 1 << 20


def build_window(dtype):
    def window_that_ends_here(row, call, part, parts):
        features, kernel = row.features, row.kernel
        size = (kernel - 1) * row.dilation * features
        for i in range(call.batch):
            x, past = view(call.arena, row.x + i * features, features), view(call.arena, row.past + i * size, size)
            a = view(call.arena, row.a + i * kernel * features, (kernel, features))
            for tap in range(kernel - 1):
                for j in range(features):
                    a[tap, j] = past[tap * row.dilation * features + j]
            for j in range(features):
                a[kernel - 1, j] = x[j]
            if size > 0:
                for j in range(size - features):
                    past[j] = past[j + features]
                for j in range(features):
                    past[size - features + j] = x[j]

    return window_that_ends_here


def build_mean(dtype):
    real = np.dtype(dtype).type

    def mean_so_far(row, call, part, parts):
        features = row.features
        for i in range(call.batch):
            x, a = view(call.arena, row.x + i * features, features), view(call.arena, row.a + i * features, features)
            total, count = view(call.arena, row.sum + i * features, features), view(call.arena, row.count + i * 2, 2)
            count[0] += real(1)
            if count[0] == COUNTED:
                count[0], count[1] = real(0), count[1] + real(1)
            steps = real(np.int64(count[1]) * COUNTED + np.int64(count[0]))
            for j in range(features):
                total[j] += x[j]
                a[j] = total[j] / steps

    return mean_so_far


def build_largest(dtype):
    def largest_so_far(row, call, part, parts):
        features = row.features
        for i in range(call.batch):
            x, a = view(call.arena, row.x + i * features, features), view(call.arena, row.a + i * features, features)
            largest = view(call.arena, row.largest + i * features, features)
            for j in range(features):
                if x[j] > largest[j] or x[j] != x[j]:
                    largest[j] = x[j]
                a[j] = largest[j]

    return largest_so_far


window_kernel = Kernel("window_that_ends_here", build_window, WINDOW.arguments)
mean_kernel = Kernel("mean_so_far", build_mean, MEAN.arguments)
largest_kernel = Kernel("largest_so_far", build_largest, LARGEST.arguments)


def window_row(dtype, **operands):
    return WINDOW.row({"forward": (window_kernel.address(dtype), 1)}, **operands)


def mean_row(dtype, **operands):
    return MEAN.row({"forward": (mean_kernel.address(dtype), 1)}, **operands)


def largest_row(dtype, **operands):
    return LARGEST.row({"forward": (largest_kernel.address(dtype), 1)}, **operands)
