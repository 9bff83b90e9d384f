"""Flat, aligned memory: one vector for all parameters, and arenas, which are planned before they are allocated."""

import math
from collections.abc import Mapping
from itertools import accumulate

import numpy as np

from ..checks import shown
from ..kernels.compiling.objects import address
from ..kernels.elementwise.blocks import LANES, block_count

ALIGNMENT = 64  # bytes: a cache line, and the widest vector
LEAST_KEPT, MOST_KEPT = 1 << 22, 1 << 26  # bytes of an arena that is kept for a later fit
MOST_BYTES = 1 << 47  # size of the address space of a process on current processors


def aligned(shape, dtype):
    """Return an array of zeros that begins on a cache line."""
    dtype = np.dtype(dtype)
    raw = np.zeros(count(shape) * dtype.itemsize + ALIGNMENT, np.uint8)
    return np.ndarray(shape, dtype, raw, -address(raw) % ALIGNMENT)


def count(shape):
    """Return the exact number of elements of an array of `shape`: NumPy's product would overflow."""
    return math.prod(shape) if isinstance(shape, tuple) else shape


def block_sums(size):
    """Return memory for the block sums of a vector of `size` elements."""
    return aligned((block_count(size), LANES), "float64")


class Arena:
    """A plan of arrays in one vector, each aligned to a cache line; offsets are in elements.

    Memory of gradients is borrowed: what is given back holds later ones. So a chain of layers takes about two of the largest
    gradients, not one for each layer.
    """

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self.per_line, self.size = ALIGNMENT // self.dtype.itemsize, 0
        self.borrowed, self.free = {}, []  # {offset: size}; (size, offset) of what was given back

    def take(self, numbers):
        """Reserve `numbers` elements and return their offset. The rest of the last cache line belongs to them too."""
        start = self.size
        self.size += -(-numbers // self.per_line) * self.per_line
        return start

    def borrow(self, numbers):
        """As `take`, until `give_back`: the smallest of what was given back that is large enough, or new memory."""
        fitting = [place for place in self.free if place[0] >= numbers] if self.free else []
        if fitting:
            size, start = smallest = min(fitting)
            self.free.remove(smallest)
        else:
            size, start = numbers, self.take(max(numbers, 1))  # no two places begin at one offset
        self.borrowed[start] = size
        return start

    def give_back(self, start):
        """Let what `borrow` reserved at this offset be borrowed again."""
        self.free.append((self.borrowed.pop(start), start))

    def leave(self, start, numbers):
        """Leave what `take` reserved to others, since nothing uses it: it ends the plan, or can be borrowed."""
        if start + -(-numbers // self.per_line) * self.per_line == self.size:
            self.size = start
        else:
            self.free.append((numbers, start))

    def allocate(self, copies=1):
        """Allocate the memory, `copies` of the plan one after the other."""
        return aligned((copies, max(self.size, 1)), self.dtype)

    def allocate_for_fit(self):
        """Allocate the memory, or use what an earlier fit has kept; it holds anything.

        What is kept is freed if it is too small, or more than four times as large.
        """
        needed = self.size * self.dtype.itemsize
        if needed >= LEAST_KEPT:
            try:
                memory = kept.pop().reshape(-1).view(np.uint8)
            except IndexError:  # none is kept, or another thread has just taken it
                return self.allocate()
            if needed <= memory.nbytes <= 4 * needed:
                return memory[:needed].view(self.dtype).reshape(1, -1)
        return self.allocate()


kept = []  # the arena of the last large fit, if any


def keep(memory):
    """Keep the arena of a fit that has ended, if large, for a later fit of any network; nobody else may use it any more.

    The system takes about 0.25 ms to hand out each new MB, as long as some steps of a small convolutional network.
    """
    if LEAST_KEPT <= memory.nbytes <= MOST_KEPT:
        kept[:] = [memory]


class Views(Mapping):
    """Named arrays that can be written to but not replaced. where: how the user accesses them, for errors."""

    def __init__(self, where, arrays):
        self.where, self.arrays = where, arrays

    def __getitem__(self, name):
        if not isinstance(name, str) or name not in self.arrays:
            raise KeyError(f"{self.where}[{shown(name)}] is not there; the name must be one of: {', '.join(self.arrays)}")
        return self.arrays[name]

    def __setitem__(self, name, values):
        self[name]
        raise TypeError(f"{self.where}[{name!r}] is a view of the network's memory and cannot be replaced; write into it: "
                        f"{self.where}[{name!r}][:] = values")

    def __call__(self, *arguments, **options):
        raise TypeError(f"{self.where} is a mapping, and no method: leave out the parentheses")

    def __repr__(self):
        return f"{self.where}: " + ", ".join(f"{name} {array.shape}" for name, array in self.items())

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self):
        return len(self.arrays)


class ParameterVector:
    """All parameters of a network in one vector, with a live view of each by name ("0.weight", "0.bias", "1.weight", …).

    Programs use the names with the number of the layer; to callers, a layer may have another name ("encoder.weight").

    Parameters
    ----------
    shapes : dict of str to tuple
        By the names with the number of the layer.
    dtype, where : str
    named : callable, optional
        Returns the public name for one with a number; by default they are the same.

    Attributes
    ----------
    flat : array (size,)
    views : mapping of str to array
        Writable views into `flat`, by public names.
    numbered : dict of str to array
        The same views by the names with numbers.
    offsets : dict of str to int
        The offset of each parameter, by the names with numbers.
    """

    def __init__(self, shapes, dtype, where="network.parameters", named=None):
        self.shapes = dict(shapes)
        self.public = self.shapes if named is None else [named(name) for name in self.shapes]
        bounds = [*accumulate(map(count, self.shapes.values()), initial=0)]
        self.offsets, self.ends, size = dict(zip(self.shapes, bounds, strict=False)), bounds[1:], bounds[-1]
        if size * np.dtype(dtype).itemsize > MOST_BYTES:
            raise ValueError(f"the layers have {size:,} parameters, more than any memory holds; make them narrower")
        try:
            self.flat = aligned(size, dtype)
        except MemoryError:
            raise MemoryError(f"there is not memory enough for {size:,} parameters in {np.dtype(dtype)}; make the layers "
                              "narrower") from None
        views = self.split(self.flat)
        self.views = Views(where, views)
        self.numbered = views if named is None else dict(zip(self.shapes, views.values(), strict=True))

    @property
    def size(self):
        """The number of elements."""
        return self.flat.size

    def split(self, flat):
        """Return views by public name of another vector with this layout."""
        return {name: flat[begin:end].reshape(shape) for name, shape, begin, end in
                zip(self.public, self.shapes.values(), self.offsets.values(), self.ends, strict=True)}
