"""A learned state before the first step: the same parameter for every sequence, initial = p.

initial, dinitial (samples, size), in the arena; p (size,), among the parameters. Backward dp = Σ dinitial over the
samples, in their order.
"""

from ...compiling.jit import Kernel, view
from ...compiling.share import share
from ...interpreter.table import Kind

FIRST_STATE = Kind("first_state", "initial", "dinitial", "start", "size")


def build_forward(dtype):
    def first_state_forward(row, call, part, parts):
        size = row.size
        learned = view(call.parameters, row.start, size)
        for i in range(call.batch):
            initial = view(call.arena, row.initial + i * size, size)
            for j in range(size):
                initial[j] = learned[j]

    return first_state_forward


def build_backward(dtype):
    def first_state_backward(row, call, part, parts):
        # forward: initial = p
        size = row.size
        begin, end = share(size, part, parts, 1)
        total = view(call.gradients, row.start + begin, end - begin)
        if call.accumulate == 0:
            total[:] = 0
        for i in range(call.batch):
            given = view(call.arena, row.dinitial + i * size + begin, end - begin)
            for j in range(end - begin):
                total[j] += given[j]

    return first_state_backward


first_state_forward = Kernel("first_state_forward", build_forward, FIRST_STATE.arguments)
first_state_backward = Kernel("first_state_backward", build_backward, FIRST_STATE.arguments)


def first_state_row(dtype, *, initial, start, size, dinitial=None):
    """Return the row of a learned first state. start: its place among the parameters. dinitial: None without a way back."""
    phases = {"forward": (first_state_forward.address(dtype), 1)}
    if dinitial is not None:
        phases["backward_third"] = first_state_backward.address(dtype), 1
    return FIRST_STATE.row(phases, initial=initial, dinitial=dinitial or 0, start=start, size=size)
