"""Flat, aligned memory: one vector for all parameters, and arenas planned as named stretches of one vector."""

import math
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

import numpy as np

from .kernels.blocks import LANES, block_count

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
drawing = ContextVar("drawing", default=True)


def aligned(shape, dtype):
    """An array of zeros that begins on a cache line."""
    dtype = np.dtype(dtype)
    size = count(shape) * dtype.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start:start + size].view(dtype).reshape(shape)


@contextmanager
def undrawn():
    """Within it networks are made with zeros for weights: one whose weights come from a file is to draw no others."""
    token = drawing.set(False)
    try:
        yield
    finally:
        drawing.reset(token)


def count(shape):
    """How many numbers an array of `shape` holds, exactly: NumPy's product would wrap around."""
    return math.prod(shape) if isinstance(shape, tuple) else shape


def block_sums(size):
    """Room for the sums over blocks of a vector of `size` numbers."""
    return aligned((block_count(size), LANES), "float64")


class Arena:
    """A plan of stretches, each beginning on a cache line; offsets are in numbers."""

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self.size = 0

    def take(self, numbers):
        """Reserve `numbers` and return where they begin."""
        start = self.size
        per_line = ALIGNMENT // self.dtype.itemsize
        self.size += -(-numbers // per_line) * per_line
        return start

    def allocate(self, copies=1):
        """The memory itself, `copies` of the plan one after the other."""
        return aligned((copies, max(self.size, 1)), self.dtype)


class ParameterVector:
    """All parameters of a network in one vector, with a live view of each by name ("0.weight", "0.bias", "1.weight", …).

    Attributes
    ----------
    flat : array (size,)
    views : mapping of str to array
        Writable views into `flat`.
    offsets : dict of str to int
        Where each begins.
    """

    def __init__(self, shapes, dtype):
        self.shapes = dict(shapes)
        self.offsets, size = {}, 0
        for name, shape in self.shapes.items():
            self.offsets[name] = size
            size += count(shape)
        self.flat = aligned(size, dtype)
        self.views = MappingProxyType(self.split(self.flat))

    def split(self, flat):
        """Named views of another vector laid out like this one."""
        return {name: flat[self.offsets[name]:][:count(shape)].reshape(shape) for name, shape in self.shapes.items()}
