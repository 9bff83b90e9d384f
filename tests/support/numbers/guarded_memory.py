"""Guard bands around all memory of a network: its arrays, those of its programs, and each tensor of an arena.

Memory that kernels must not touch holds a pattern that nothing computes; arenas are filled with it, so that no kernel can
rely on zeros.
"""

import numpy as np

from fastnn.fitting import optimizer_state
from fastnn.program import base, forward, training
from fastnn.runtime import memory

PATTERN = 0xA5  # of every byte; as a number −2.9e-16 in float32, −1.2e-127 in float64
BAND = 256  # bytes, more than any vector


class GuardedMemory:
    """Replaces `fastnn.runtime.memory.aligned` and `fastnn.runtime.memory.Arena` during a test."""

    def __init__(self, monkeypatch):
        self.blocks, self.arenas, guard = [], [], self

        def aligned(shape, dtype):
            size = memory.count(shape) * np.dtype(dtype).itemsize
            raw = np.full(size + 2 * BAND + memory.ALIGNMENT, PATTERN, np.uint8)
            start = BAND + -(raw.ctypes.data + BAND) % memory.ALIGNMENT
            raw[start:start + size] = 0
            guard.blocks.append((raw, start, size))
            return raw[start:start + size].view(dtype).reshape(shape)

        class GuardedArena(memory.Arena):
            """Return a band behind every array, which ends with a cache line."""

            def __init__(self, dtype):
                super().__init__(dtype)
                self.stretches, self.memory = [], None
                guard.arenas.append(self)

            def take(self, numbers):
                start = super().take(numbers + BAND // self.dtype.itemsize)
                line = memory.ALIGNMENT // self.dtype.itemsize
                self.stretches.append((start, -(-numbers // line) * line))
                return start

            def allocate(self, copies=1):
                self.memory = super().allocate(copies)
                self.memory.view(np.uint8)[...] = PATTERN
                return self.memory

        for module in (memory, forward, optimizer_state, training):
            monkeypatch.setattr(module, "aligned", aligned)
        monkeypatch.setattr(base, "Arena", GuardedArena)

    def assert_intact(self):
        assert self.blocks
        for raw, start, size in self.blocks:
            assert (raw[:start] == PATTERN).all(), "written before the beginning"
            assert (raw[start + size:] == PATTERN).all(), "written behind the end"
        used = [arena for arena in self.arenas if arena.memory is not None]
        assert used
        for arena in used:
            between = np.ones(arena.memory.shape[1], bool)
            for start, numbers in arena.stretches:
                between[start:start + numbers] = False
            beside = np.ascontiguousarray(arena.memory[:, between])
            assert (beside.view(np.uint8) == PATTERN).all(), "written beside a tensor"
