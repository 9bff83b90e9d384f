"""Dropout: a = x / (1 − rate) for elements that are kept, else 0; dx is the same function of da.

x, a, da, dx (batch, features). A number computed from e alone decides whether element e = sample · features + feature of a
step is dropped. So every part draws its own numbers, and backward draws them again instead of storing them:

    draw(e) = mix(mix(word) + (e + 1) γ),    dropped if its upper 32 bits are below rate · 2³²

If whole channels (the last axis of a sample) are dropped, all pixels of a channel use e = sample · channels + channel.

These are the numbers of SplitMix64 (Steele, Lea and Flood 2014; mix is theirs, γ their odd constant near 2⁶⁴ / golden ratio)
started at mix(word). The word is the state of the layer plus `ahead`. The state is advanced by γ for each use of the layer
in a step; `ahead` is 0 for the first use, γ for the second, and so on, so that each draws from a word of its own.
"""

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.record import FLOAT, INTEGERS, UNSIGNED
from ...compiling.share import share
from ...interpreter.table import Kind

DROPOUT = Kind("dropout", "x", "a", "da", "features", "channels", threshold=UNSIGNED, factor=FLOAT, word=INTEGERS,
               ahead=UNSIGNED)
ADVANCE = Kind("dropout_advance", word=INTEGERS)

GAMMA = 0x9E3779B97F4A7C15


def threshold(rate):
    """Return the 32-bit integer such that a random one is below it with probability `rate`."""
    return round(rate * 2**32)


@jit(inline=True)
def mix(word):
    """Mix the bits of a word, so that every bit of the result depends on every bit of the word."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@jit(inline=True)
def word_of(row):
    """Return the word from which a row draws."""
    return np.uint64(view(row.word, 0, 1)[0]) + row.ahead


def dropping(dtype):
    """Return the compiled function out = x · factor where the draw is not below the limit, else 0, from sample `first`."""
    real = np.dtype(dtype).type

    @jit(inline=True)
    def kept(value, begin, element, limit, scale):
        draw = mix(begin + np.uint64(element + 1) * np.uint64(GAMMA)) >> np.uint64(32)
        scaled = value * scale  # even if it is dropped: without a branch the loop is vectorized
        return real(0.0) if draw < limit else scaled

    @jit(inline=True)
    def drop_run(out, x, place, count, begin, start, limit, scale, in_place):
        if in_place:  # LLVM does not find out that two arrays are one, and then vectorizes nothing
            for k in range(count):
                out[place + k] = kept(out[place + k], begin, start + k, limit, scale)
        else:
            for k in range(count):
                out[place + k] = kept(x[place + k], begin, start + k, limit, scale)

    @jit(inline=True)
    def drop(out, x, word, first, features, channels, limit, factor, in_place):
        begin, scale = mix(word), real(factor)
        if channels == 0:
            drop_run(out, x, 0, len(x), begin, first * features, limit, scale, in_place)
        else:
            for place in range(0, len(x), channels):
                drop_run(out, x, place, channels, begin, (first + place // features) * channels, limit, scale, in_place)

    return drop


def build_forward(dtype):
    drop = dropping(dtype)

    def dropout_forward(row, call, part, parts):
        features, word = row.features, word_of(row)
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * features, (end - begin) * features
        x, a = view(call.arena, row.x + start, size), view(call.arena, row.a + start, size)
        drop(a, x, word, call.first + begin, features, row.channels, row.threshold, row.factor, False)

    return dropout_forward


def build_backward(dtype):
    drop = dropping(dtype)

    def dropout_backward(row, call, part, parts):
        features, word = row.features, word_of(row)
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * features, (end - begin) * features
        dx = view(call.arena, row.da + start, size)
        drop(dx, dx, word, call.first + begin, features, row.channels, row.threshold, row.factor, True)

    return dropout_backward


def build_advance(dtype):
    def dropout_advance(row, call, part, parts):
        word = view(row.word, 0, 1)
        word[0] = np.int64(np.uint64(word[0]) + np.uint64(GAMMA))

    return dropout_advance


dropout_forward = Kernel("dropout_forward", build_forward, DROPOUT.arguments)
dropout_backward = Kernel("dropout_backward", build_backward, DROPOUT.arguments)
dropout_advance = Kernel("dropout_advance", build_advance, ADVANCE.arguments)


def advance_row(dtype, word):
    """Return the row that advances the word at that address, so that the next step drops other elements."""
    return ADVANCE.row({"backward_third": (dropout_advance.address(dtype), 1)}, word=word)


def dropout_row(dtype, parts, *, x, a, da, features, rate, word, ahead=0, channels=0):
    """Return the row of a dropout. da: None if dx is not needed. word: address of a 64-bit integer; ahead: what is
    added to it.

    channels: the number of channels if whole channels are dropped, 0 if single elements are.
    """
    phases = {"forward": (dropout_forward.address(dtype), parts)}
    if da is not None:
        phases["backward_second"] = dropout_backward.address(dtype), parts
    return DROPOUT.row(phases, x=x, a=a, da=da or 0, features=features, threshold=threshold(rate), factor=1 / (1 - rate),
                       word=word, ahead=ahead, channels=channels)
