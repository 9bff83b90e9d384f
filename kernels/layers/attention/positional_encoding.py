"""Codes of the positions of steps: a = x + table, where row t of the table belongs to step t of every sequence.

    table[t, 2k] = sin(t / 10000^(2k / features))      table[t, 2k + 1] = cos(t / 10000^(2k / features))

x, a (steps, features); table (longest sequence of the batch, features). Backward dx = da, which lie in the same memory. Runs
while rows are samples.
"""

import math

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.axes import axis_offsets
from ...interpreter.table import Kind

POSITIONS = Kind("positions", "axis", "table", "features", "x", "a")
BASE = 10000.0


def build_positions(dtype):
    def positions(row, call, part, parts):
        offsets, features, longest = axis_offsets(call, row.axis), row.features, 0
        for i in range(len(offsets) - 1):
            longest = max(longest, offsets[i + 1] - offsets[i])
        for j in range(0, features, 2):
            frequency = math.exp(-math.log(BASE) * j / features)
            for t in range(longest):
                codes = view(call.arena, row.table + t * features, features)
                codes[j] = math.sin(t * frequency)
                if j + 1 < features:
                    codes[j + 1] = math.cos(t * frequency)

    return positions


def build_add_positions(dtype):
    def add_positions(row, call, part, parts):
        offsets, features = axis_offsets(call, row.axis), row.features
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            start, size = offsets[i] * features, (offsets[i + 1] - offsets[i]) * features
            x, a = view(call.arena, row.x + start, size), view(call.arena, row.a + start, size)
            table = view(call.arena, row.table, size)
            for j in range(size):
                a[j] = x[j] + table[j]

    return add_positions


positions_kernel = Kernel("positions", build_positions, POSITIONS.arguments)
add_positions_kernel = Kernel("add_positions", build_add_positions, POSITIONS.arguments)


def positions_row(dtype, *, axis, table, features):
    """Return the row that computes the codes of as many positions as the longest sequence of the batch has steps."""
    return POSITIONS.row({"forward": (positions_kernel.address(dtype), 1)}, axis=axis, table=table, features=features, x=0,
                         a=0)


def add_positions_row(dtype, parts, *, axis, table, features, x, a):
    """Return the row that adds the codes to the steps."""
    return POSITIONS.row({"forward": (add_positions_kernel.address(dtype), parts)}, axis=axis, table=table,
                         features=features, x=x, a=a)
