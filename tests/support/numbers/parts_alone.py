"""The parts of each phase of a training step, one at a time, in memory that holds NaN where nothing has written.

Which thread computes which part, and when, must not be seen. So a part writes what no other part of its phase writes, and
reads what none of them writes. A step is walked here by Python in the place of the interpreter. Each part of a phase begins
with the memory from before the phase; what it writes is noted and taken back. All parts in turn, from the first to the last
and from the last to the first, must then write just that.
"""

import ctypes

import numpy as np

from fastnn.kernels.compiling.jit import KERNELS
from fastnn.kernels.compiling.objects import address
from fastnn.kernels.interpreter.interpreter import TRAIN
from fastnn.kernels.interpreter.table import (
    BACKWARD_FIRST,
    BACKWARD_THIRD,
    FORWARD,
    PHASE,
    PHASES,
    ROW,
    ROW_BYTES,
)
from fastnn.program import TrainingProgram

WORDS = len(PHASE.kinds)
function = ctypes.CFUNCTYPE(None, *[ctypes.c_ssize_t] * 4)  # of a kernel: row, call, part, parts


def memory_of(program):
    """Return all arrays that a step of the program may change, as bytes."""
    state = program.optimizer_state
    arrays = [program.memory, program.gradients, program.results, program.found, *program.network.vectors.arrays,
              *program.used.values(), *program.kept_arrays]
    if state is not None:
        arrays += [state.slots, state.step, state.coefficients, state.hyperparameters, state.limits.reshape(1)]
        arrays += [each for each in (state.norms, *sum(state.memory_of_groups.values(), ())) if each is not None]
    return [array.reshape(-1).view(np.uint8) for array in arrays if array.size]


def copies(memory):
    return [array.copy() for array in memory]


def restore(memory, before):
    for array, old in zip(memory, before, strict=True):
        array[:] = old


def fill(program, byte):
    """Fill what a step writes before it reads: all ones are NaN. The gradients of embeddings are kept from step to step."""
    for array in (program.memory, program.results, *([] if program.used else [program.gradients])):
        array.reshape(-1).view(np.uint8)[:] = byte


class PartsAlone:
    """Walks each step of training before it is taken, and takes it in other memory.

    divided: names of kernels of one part that the walk runs in two, as a table must not say.

    Attributes
    ----------
    wrong : set of (kernel, phase, what)
    kernels : set of str
        The kernels that had several parts.
    """

    def __init__(self, monkeypatch, divided=()):
        self.wrong, self.kernels, self.divided = set(), set(), divided
        run_batches = TrainingProgram.run_batches

        def walk_and_run(program, first_batch, last_batch, accumulate=False):
            for batch in range(first_batch, last_batch):
                walked = self.walk(program, batch)
                fill(program, 0x7E)  # large numbers: what a comparison with NaN might hide
                stopped = run_batches(program, batch, batch + 1, accumulate)
                if stopped is not None:
                    return stopped
                self.compare(program, walked)
            return None

        monkeypatch.setattr(TrainingProgram, "run_batches", walk_and_run)

    def compare(self, program, walked):
        taken = [array.tobytes() for array in program.network.vectors.arrays]
        if taken != walked:
            self.wrong.add(("the step", "", "depends on memory that nothing has written, or on the order of parts"))

    def walk(self, program, batch):
        """Return the network's arrays after the step, which is then undone."""
        memory, frame, call = memory_of(program), program.frame, program.call
        before, table = copies(memory), program.table.ctypes.data
        fill(program, 0xFF)
        first = batch * program.batch
        call["first"], call["batch"] = first, min(program.batch, program.data.samples - first)
        call["accumulate"] = 0
        updates, rows = int(frame["updates"]), int(frame["updates"] + frame["others"])
        place = address(frame) + TRAIN.offsets["call"]
        for k in range(updates, rows):
            self.run_phase(memory, table + ROW_BYTES * k, FORWARD, place)
        for k in range(rows - 1, -1, -1):
            row = table + ROW_BYTES * k
            call["accumulate"] = np.ctypeslib.as_array((ctypes.c_int64 * 1).from_address(row + ROW.offsets["accumulate"]))[0]
            for phase in range(BACKWARD_FIRST, BACKWARD_THIRD + 1):
                self.run_phase(memory, row, phase, place)
        walked = [array.tobytes() for array in program.network.vectors.arrays]
        restore(memory, before)
        return walked

    def run_phase(self, memory, row, phase, call):
        head = (ctypes.c_int64 * WORDS).from_address(row + PHASE.bytes * phase)
        kernel, parts = head[0], head[1]
        if kernel == 0:
            return
        name = next(name for name, each in KERNELS.items() if kernel in each.addresses.values())
        run, parts = function(kernel), 2 if name in self.divided else parts
        if parts == 1:
            run(row, call, 0, 1)
            return
        self.kernels.add(name)
        before = copies(memory)
        expected, writers = copies(memory), [np.zeros(len(array), np.int8) for array in memory]
        for part in range(parts):
            run(row, call, part, parts)
            for array, old, new, count in zip(memory, before, expected, writers, strict=True):
                changed = array != old
                new[changed], array[changed] = array[changed], old[changed]
                count += changed
        if any(count.max(initial=0) > 1 for count in writers):
            self.wrong.add((name, PHASES[phase], "two parts write one place"))
        for order in (range(parts), range(parts - 1, -1, -1)):
            restore(memory, before)
            for part in order:
                run(row, call, part, parts)
            if not all(map(np.array_equal, memory, expected)):
                self.wrong.add((name, PHASES[phase], "a part reads what another writes"))
