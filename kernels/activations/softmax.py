"""Softmax, which turns a row of scores into probabilities that sum to one."""

import math

import numpy as np

from ..elementary import exp
from ..jit import Kernel, view
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
        a_, z_, flat = view(a, 0, (rows, columns)), view(z, 0, (rows, columns)), view(a, 0, rows * columns)
        for i in range(rows):
            top = z_[i, 0]
            for j in range(1, columns):
                top = max(top, z_[i, j])
            for j in range(columns):
                a_[i, j] = z_[i, j] - top
        for i in range(rows * columns):  # in one run over all rows, so that narrow ones fill the vectors too
            flat[i] = exp(flat[i])
        for i in range(rows):
            total = a_[i, 0]
            for j in range(1, columns):
                total += a_[i, j]
            for j in range(columns):
                a_[i, j] /= total

    return forward


def build_backward(dtype):
    def backward(dz, z, a, rows, columns):
        dz_, a_ = view(dz, 0, (rows, columns)), view(a, 0, (rows, columns))
        for i in range(rows):
            inner = dz_[i, 0] * a_[i, 0]
            for j in range(1, columns):
                inner += dz_[i, j] * a_[i, j]
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
