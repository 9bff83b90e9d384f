"""Dropout: a = x / (1 − rate) where a number is kept, else 0; dx is the same of da.

x, a, da, dx (batch, features). Whether element e = sample · features + feature of a step is dropped is read off a number
worked out from e alone, so every part of the work draws its own, and backward draws them again instead of remembering:

    draw(e) = mix(mix(word) + (e + 1) γ),    dropped if its upper 32 bits are below rate · 2³²

These are the numbers of SplitMix64 (Steele, Lea and Flood 2014; mix is theirs, γ their odd constant near 2⁶⁴ / golden ratio)
begun at mix(word). The word, the layer's own, is advanced by γ after each step.
"""

import numpy as np

from .jit import Kernel, jit, pointer_to, view
from .table import (
    BACKWARD_INPUT,
    BACKWARD_WEIGHT,
    FORWARD,
    OPERANDS,
    bits,
    make_row,
    phase_arguments,
    real_operand,
    share,
)

X, A, DA, FEATURES, THRESHOLD, FACTOR, WORD = range(OPERANDS, OPERANDS + 7)

GAMMA = 0x9E3779B97F4A7C15


def threshold(rate):
    """The 32-bit number such that a random one is below it with probability `rate`."""
    return round(rate * 2**32)


@jit(inline=True)
def mix(word):
    """Every bit of the result depends on every bit of the word."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def thinned(dtype):
    """The compiled function out = x · factor where the draws let it, else 0, for elements from number `start` on."""
    real = np.dtype(dtype).type

    @jit(inline=True)
    def thin(out, x, word, start, limit, factor):
        begin, gamma, scale, nothing = mix(word), np.uint64(GAMMA), real(factor), real(0.0)
        for k in range(len(x)):
            draw = mix(begin + np.uint64(start + k + 1) * gamma) >> np.uint64(32)
            out[k] = nothing if draw < limit else x[k] * scale

    return thin


def build_forward(dtype):
    thin = thinned(dtype)

    def dropout_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        features, word = row[FEATURES], np.uint64(view(pointer_to(row[WORD], row), 0, 1)[0])
        begin, end = share(batch, part, parts, 1)
        start, size = begin * features, (end - begin) * features
        thin(view(arena, row[A] + start, size), view(arena, row[X] + start, size), word, first * features + start,
             np.uint64(row[THRESHOLD]), real_operand(row, FACTOR))

    return dropout_forward


def build_backward(dtype):
    thin = thinned(dtype)

    def dropout_backward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        features, word = row[FEATURES], np.uint64(view(pointer_to(row[WORD], row), 0, 1)[0])
        begin, end = share(batch, part, parts, 1)
        start, size = begin * features, (end - begin) * features
        dx = view(arena, row[DA] + start, size)
        thin(dx, dx, word, first * features + start, np.uint64(row[THRESHOLD]), real_operand(row, FACTOR))

    return dropout_backward


def build_advance(dtype):
    def dropout_advance(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        word = view(pointer_to(row[WORD], row), 0, 1)
        word[0] = np.int64(np.uint64(word[0]) + np.uint64(GAMMA))

    return dropout_advance


dropout_forward = Kernel("dropout_forward", build_forward, phase_arguments)
dropout_backward = Kernel("dropout_backward", build_backward, phase_arguments)
dropout_advance = Kernel("dropout_advance", build_advance, phase_arguments)


def advance_row(dtype, word):
    """The row that moves the word at that address on, so that the next step drops other numbers."""
    return make_row({BACKWARD_WEIGHT: (dropout_advance.address(dtype), 1)}, {WORD: word})


def dropout_row(dtype, parts, *, x, a, da, features, rate, word):
    """The row of a dropout. da: None where nothing asks for dx. word: the address of a whole number of 64 bits."""
    phases = {FORWARD: (dropout_forward.address(dtype), parts)}
    operands = {X: x, A: a, FEATURES: features, THRESHOLD: threshold(rate), FACTOR: bits(1 / (1 - rate)), WORD: word}
    if da is not None:
        phases[BACKWARD_INPUT], operands[DA] = (dropout_backward.address(dtype), parts), da
    return make_row(phases, operands)
