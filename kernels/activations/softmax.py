"""Softmax, which converts a row of scores to probabilities that sum to one."""

import math

import numpy as np

from ..compiling.jit import Kernel, offset, view
from ..compiling.trace import at_full_width
from ..elementwise.elementary import exp
from ..elementwise.reduction import row_dot, row_maximum, row_sum
from . import Activation, backward_arguments, forward_arguments, register


def softmax(z):
    top = max(z)  # the maximum is subtracted for stability only
    powers = [math.exp(value - top) for value in z]
    total = sum(powers)
    return [power / total for power in powers]


def pullback(da, z, a):
    inner = sum(da[j] * a[j] for j in range(len(a)))
    return [a[j] * (da[j] - inner) for j in range(len(a))]


def vectorized(z):
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def vectorized_pullback(da, z, a):
    return a * (da - (da * a).sum(axis=-1, keepdims=True))


def build_forward(dtype):
    def forward(a, z, rows, columns):
        at_full_width()
        a_, z_, flat = view(a, 0, (rows, columns)), view(z, 0, (rows, columns)), view(a, 0, rows * columns)
        for i in range(rows):
            top = row_maximum(columns, offset(z, i * columns))
            for j in range(columns):
                a_[i, j] = z_[i, j] - top
        for i in range(rows * columns):  # one loop over all rows, so that narrow rows fill the vectors too
            flat[i] = exp(flat[i])
        for i in range(rows):
            total = row_sum(columns, offset(a, i * columns))
            for j in range(columns):
                a_[i, j] /= total

    return forward


def build_backward(dtype):
    def backward(dz, z, a, rows, columns):
        at_full_width()
        dz_, a_ = view(dz, 0, (rows, columns)), view(a, 0, (rows, columns))
        for i in range(rows):
            inner = row_dot(columns, offset(dz, i * columns), offset(a, i * columns))
            for j in range(columns):
                dz_[i, j] = a_[i, j] * (dz_[i, j] - inner)

    return backward


register(Activation(
    name="softmax",
    formula="eᶻʲ / Σₖ eᶻᵏ",
    prime_formula="dzⱼ = aⱼ (daⱼ − Σₖ daₖ aₖ)",
    value=softmax,
    prime=pullback,
    vectorized=vectorized,
    vectorized_prime=vectorized_pullback,
    rowwise=True,
    onnx="Softmax",
    onnx_attributes={"axis": -1},
    forward=Kernel("softmax_forward", build_forward, forward_arguments),
    backward=Kernel("softmax_backward", build_backward, backward_arguments),
))
