"""Guard bands around all memory of a network: its arrays, those of its programs, and each reservation of an arena.

Memory that kernels must not touch holds a pattern that nothing computes; arenas are filled with it, so that no kernel can
rely on zeros. No memory has two uses here: what is given back is not lent again, scratch belongs to one row, and each part
of a row's work has its own with a band behind it. Parameters, gradients and state have bands between layers.
"""

import numpy as np

from fastnn.fitting import optimizer_state
from fastnn.kernels.interpreter.table import PHASES
from fastnn.kernels.layers.convolution.normalized import normalized_size
from fastnn.kernels.products.convolution.one_tap import one_tap_lines
from fastnn.program import base, forward, several, training, vectors
from fastnn.runtime import memory

PATTERN = 0xA5  # of every byte; as a number −2.9e-16 in float32, −1.2e-127 in float64
BAND = 256  # bytes, more than any vector


class GuardedMemory:
    """Replaces the memory of networks made during a test: `aligned`, `Arena`, `ParameterVector`, scratch, gradients."""

    def __init__(self, monkeypatch):
        self.blocks, self.arenas, self.banded, guard = [], [], [], self

        def aligned(shape, dtype):
            size = memory.count(shape) * np.dtype(dtype).itemsize
            raw = np.full(size + 2 * BAND + memory.ALIGNMENT, PATTERN, np.uint8)
            start = BAND + -(raw.ctypes.data + BAND) % memory.ALIGNMENT
            raw[start:start + size] = 0
            guard.blocks.append((raw, start, size))
            return raw[start:start + size].view(dtype).reshape(shape)

        def arena(dtype):
            guard.arenas.append(GuardedArena(dtype))
            return guard.arenas[-1]

        def vector(*arguments, **options):
            made = GuardedVector(*arguments, **options)
            if made.bands:
                guard.banded.append((made.flat, made.bands))
            return made

        def program(self, network, *arguments, **options):
            make(self, network, *arguments, **options)
            bands = getattr(network.vectors.parameters, "bands", [])
            fill(self.gradients, bands)
            if self.optimizer_state is None or not self.optimizer_state.optimizer().clips:  # which scales the whole vector
                guard.banded.append((self.gradients, bands))

        def copy_to(self, *copies):  # of another dtype perhaps, whose bands are no pattern
            set_copies(self, *copies)
            for each in (self.parameters, self.state):
                fill(each.flat, getattr(each, "bands", []))

        def emit_with_parts(self, row):
            self.arena.separate_parts(row)
            emit(self, row)

        make, emit, set_copies = training.TrainingProgram.__init__, base.Program.emit, vectors.Vectors.set_copies
        for module in (memory, forward, optimizer_state, several, training):
            monkeypatch.setattr(module, "aligned", aligned)
        monkeypatch.setattr(base, "Arena", arena)
        monkeypatch.setattr(vectors, "ParameterVector", vector)
        monkeypatch.setattr(vectors.Vectors, "set_copies", copy_to)
        monkeypatch.setattr(training, "whole_if_serial", lambda matrices, size: matrices)  # it would update bands, too
        monkeypatch.setattr(training.TrainingProgram, "__init__", program)
        monkeypatch.setattr(base.Program, "scratch", lambda self, numbers: self.arena.take_scratch(numbers))
        monkeypatch.setattr(base.Program, "emit", emit_with_parts)

    def assert_intact(self):
        """Assert that all bands are as they were."""
        assert self.blocks
        for raw, start, size in self.blocks:
            assert (raw[:start] == PATTERN).all(), "written before the beginning"
            assert (raw[start + size:] == PATTERN).all(), "written behind the end"
        for array, bands in self.banded:
            for start, numbers in bands:
                assert (array[start:start + numbers].view(np.uint8) == PATTERN).all(), "written beside a layer's parameters"
        used = [arena for arena in self.arenas if arena.memory is not None]
        assert used
        for arena in used:
            between = np.ones(arena.memory.shape[1], bool)
            for start, numbers in arena.stretches:
                between[start:start + numbers] = False
            beside = np.ascontiguousarray(arena.memory[:, between])
            assert (beside.view(np.uint8) == PATTERN).all(), "written beside a tensor"


class GuardedArena(memory.Arena):
    """Has a band behind every array, which ends with a cache line; nothing is lent twice."""

    def __init__(self, dtype):
        super().__init__(dtype)
        self.stretches, self.scratch, self.memory = [], {}, None
        self.band = BAND // self.dtype.itemsize

    def take(self, numbers):
        start = super().take(numbers + self.band)
        self.stretches.append((start, -(-numbers // self.per_line) * self.per_line))
        return start

    def borrow(self, numbers):
        start = self.take(numbers)
        self.borrowed[start] = numbers
        return start

    def give_back(self, start):
        del self.borrowed[start]

    def leave(self, start, numbers):
        """Let nothing use what `take` reserved."""
        self.stretches.remove((start, -(-numbers // self.per_line) * self.per_line))

    def take_scratch(self, numbers):
        start = self.take(numbers)
        self.scratch[start] = len(self.stretches) - 1
        return start

    def separate_parts(self, row):
        """Give each part of a row's work its own scratch with a band behind it."""
        names = row.dtype.names
        if "scratch_size" not in names or row["scratch_size"] == 0:
            return
        size, parts = int(row["scratch_size"]), max(int(row[phase]["parts"]) for phase in PHASES)
        shared = self.scratch.get(int(row["scratch"]))
        if shared is not None:
            self.stretches[shared] = self.stretches[shared][0], 0
        if "normalized" in names and row["normalized"] != 0:  # at the end of each part's: here the band is before it
            last, step = normalized_by_a_part(row), size + self.band
            start = self.take(parts * step)
            row["scratch"], row["scratch_size"] = start, step
            self.stretches[-1:] = [place for begin in range(start, start + parts * step, step)
                                   for place in ((begin, size - last), (begin + step - last, last))]
        else:
            own = [self.take(size) for _ in range(parts)]
            row["scratch"], row["scratch_size"] = own[0], own[1] - own[0] if parts > 1 else size

    def allocate(self, copies=1):
        self.memory = super().allocate(copies)
        self.memory.view(np.uint8)[...] = PATTERN
        return self.memory

    def allocate_for_fit(self):
        return self.allocate()


class GuardedVector(memory.ParameterVector):
    """Has a band between the parameters of each layer and those of the next; those of one layer follow each other."""

    def __init__(self, shapes, dtype, where="network.parameters", named=None):
        with_bands, before, band = {}, None, (BAND // 4,)  # as many numbers in both dtypes, for copies
        for name, shape in shapes.items():
            layer = name.partition(".")[0]
            if layer != before:
                with_bands[f"band before {layer}"] = band
            with_bands[name], before = shape, layer
        super().__init__(with_bands, dtype, where, named and (lambda name: named(name) if name in shapes else name))
        arrays, bands = self.views.arrays, [name for name in with_bands if name not in shapes]
        self.ends = [end for name, end in zip(self.shapes, self.ends, strict=True) if name in shapes]
        self.bands = [(self.offsets[name], *band) for name in bands]
        fill(self.flat, self.bands)
        for names in (self.shapes, self.offsets, arrays, *([] if arrays is self.numbered else [self.numbered])):
            for name in bands:
                del names[name]
        self.public = [*arrays]


def normalized_by_a_part(row):
    """Return the number of elements that a part normalizes at a time, see `kernels.layers.convolution.normalized`."""
    pixels = int(row["height"]) * int(row["width"])
    samples = one_tap_lines.py_func(pixels) if row["one_tap"] else int(row["together"])
    return normalized_size.py_func(samples, pixels * int(row["channels"]))


def fill(array, bands):
    for start, numbers in bands:
        array[start:start + numbers].view(np.uint8)[...] = PATTERN
