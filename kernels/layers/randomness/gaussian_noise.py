"""Gaussian noise in training: a = x + deviation · n, n drawn from the standard normal distribution. dx = da.

x, a (batch, features); C-contiguous. Element e = sample · features + feature of a step draws 64 bits,
mix(mix(word) + (e + 1) γ) (see dropout). With u = (upper 32 bits + ½) / 2³² and v = lower 32 bits / 2³²,
n = √(−2 ln u) cos 2πv (Box and Muller 1958).
"""

import math

import numpy as np

from ...compiling.jit import Kernel, view
from ...compiling.record import FLOAT, INTEGERS, UNSIGNED
from ...compiling.share import share
from ...interpreter.table import Kind
from .dropout import GAMMA, mix, word_of

GAUSSIAN_NOISE = Kind("gaussian_noise", "x", "a", "features", deviation=FLOAT, word=INTEGERS, ahead=UNSIGNED)


def build_forward(dtype):
    real = np.dtype(dtype).type

    def gaussian_noise_forward(row, call, part, parts):
        features, begin_word = row.features, mix(word_of(row))
        begin, end = share(call.batch, part, parts, 1)
        start, size = begin * features, (end - begin) * features
        x, a = view(call.arena, row.x + start, size), view(call.arena, row.a + start, size)
        first = call.first * features + start
        for k in range(size):
            bits = mix(begin_word + np.uint64(first + k + 1) * np.uint64(GAMMA))
            u = (np.float64(bits >> np.uint64(32)) + 0.5) / 4294967296.0
            v = np.float64(bits & np.uint64(0xFFFFFFFF)) / 4294967296.0
            a[k] = x[k] + real(row.deviation * math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v))

    return gaussian_noise_forward


gaussian_noise_forward = Kernel("gaussian_noise_forward", build_forward, GAUSSIAN_NOISE.arguments)


def gaussian_noise_row(dtype, parts, *, x, a, features, deviation, word, ahead=0):
    """Return the row of Gaussian noise. word: address of a 64-bit integer; ahead: what is added to it."""
    return GAUSSIAN_NOISE.row({"forward": (gaussian_noise_forward.address(dtype), parts)}, x=x, a=a, features=features,
                              deviation=deviation, word=word, ahead=ahead)
