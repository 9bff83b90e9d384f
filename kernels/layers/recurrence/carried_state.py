"""States that training by windows carries from a window of a series to the next, without a gradient between them.

    initial = the first state where a window begins its series, zeros or learned; otherwise what `carried` holds
    carried = last, after the step

initial, dinitial, last (samples, size), in the arena: the states before the first and after the last step of each window.
carried (samples, size), memory of the fit: sample i of a batch continues sample i of the batch before. It changes only where
a step is taken, in the same call as the parameters, so that a fit can go on after any batch. Of a learned first state
p (size,), dp = Σ dinitial over the windows that begin their series.
"""

from ...compiling.jit import Kernel, view
from ...compiling.record import INTEGERS, NUMBERS
from ...interpreter.batch import sample_number
from ...interpreter.table import Kind, with_phases

CARRIED_STATE = Kind(
    "carried_state", "initial", "dinitial", "last", "size",
    "learned", "start",  # whether the first state is learned, and its place among the parameters
    carried=NUMBERS,
    begins=INTEGERS,  # of each window of the data, whether it begins its series
)


def build_forward(dtype):
    def carried_state_forward(row, call, part, parts):
        size = row.size
        for i in range(call.batch):
            initial = view(call.arena, row.initial + i * size, size)
            if view(row.begins, sample_number(call, i), 1)[0] == 0:
                carried = view(row.carried, i * size, size)
                for j in range(size):
                    initial[j] = carried[j]
            elif row.learned != 0:
                learned = view(call.parameters, row.start, size)
                for j in range(size):
                    initial[j] = learned[j]
            else:
                initial[:] = 0

    return carried_state_forward


def build_backward(dtype):
    def carried_state_backward(row, call, part, parts):
        # forward: initial = p, of the windows that begin
        size = row.size
        total = view(call.gradients, row.start, size)
        if call.accumulate == 0:
            total[:] = 0
        for i in range(call.batch):
            if view(row.begins, sample_number(call, i), 1)[0] != 0:
                given = view(call.arena, row.dinitial + i * size, size)
                for j in range(size):
                    total[j] += given[j]

    return carried_state_backward


def build_keep(dtype):
    def carried_state_keep(row, call, part, parts):
        last, carried = view(call.arena, row.last, call.batch * row.size), view(row.carried, 0, call.batch * row.size)
        for k in range(len(last)):
            carried[k] = last[k]

    return carried_state_keep


carried_state_forward = Kernel("carried_state_forward", build_forward, CARRIED_STATE.arguments)
carried_state_backward = Kernel("carried_state_backward", build_backward, CARRIED_STATE.arguments)
carried_state_keep = Kernel("carried_state_keep", build_keep, CARRIED_STATE.arguments)


def carried_state_rows(dtype, *, learned, start=0, **operands):
    """Return (the row before the recurrence, the row after a step that is taken). start: of a learned first state."""
    phases = {"forward": (carried_state_forward.address(dtype), 1)}
    if learned:
        phases["backward_third"] = carried_state_backward.address(dtype), 1
    row = CARRIED_STATE.row(phases, learned=learned, start=start, **operands)
    return row, with_phases(row, {"backward_third": (carried_state_keep.address(dtype), 1)})
