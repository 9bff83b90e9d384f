"""A network fed step by step from other compiled code: the C functions behind `fastnn.jit.step` and `forward_sequence`.

The state is the caller's: `kept` numbers, in the order of the rows that keep them. It is copied to the memory of the call
and back. The table lists `FIRST` records, from which the state before the first step is made.
"""

import math

from numba import types

from ..compiling.jit import REAL, Kernel, jit, typed_pointer, view
from ..compiling.objects import WORD
from ..compiling.record import FLOAT, Record
from ..interpreter.interpreter import addresses, walk_forward
from ..processor.target import ITEM_BYTES
from .memory import release, working_memory
from .walk import copier, filler, model_at, new_call, rows_of, section_of

# `size` numbers of the state: all `value`, or those of the parameters from `parameter` on, if that is not negative.
FIRST = Record("first_of_state", "size", "parameter", value=FLOAT)
FIRST_BYTES, first_at = FIRST.bytes, FIRST.at
narrow, wide = typed_pointer(types.int32), typed_pointer(types.int64)


@jit(inline=True)
def token_at(place, octets):
    """Return the token at an address, a whole number of so many bytes."""
    return types.int64(view(narrow(place), 0, 1)[0]) if octets == 4 else view(wide(place), 0, 1)[0]


def beginner(dtype):
    """Return the compiled function that writes the state before the first step."""
    number, real, item = typed_pointer(REAL[dtype]), REAL[dtype], ITEM_BYTES[dtype]

    @jit
    def begin(table, parameters, state):
        model = model_at(table)
        for k in range(model.firsts):
            first = first_at(table + WORD * model.first + FIRST_BYTES * k)
            written = view(number(state), 0, first.size)
            if first.parameter < 0:
                for j in range(first.size):
                    written[j] = real(first.value)
            else:
                learned = view(number(parameters), first.parameter, first.size)
                for j in range(first.size):
                    written[j] = learned[j]
            state += item * first.size

    return begin


def build_steps(dtype):
    item, copy, fill, begin = ITEM_BYTES[dtype], copier(dtype), filler(dtype), beginner(dtype)

    def embedded_steps(table, parameters, state, x, x_row, x_column, tokens, out, out_row, out_column, steps):
        """Feed steps; outputs are written after each. state: 0 to begin a sequence. tokens: the bytes of one, or 0."""
        model = model_at(table)
        section, inputs, outputs = section_of(table, model.one), model.step_inputs, model.outputs
        memory = working_memory(section.bytes)
        if memory == 0:
            fill(out, out_row, out_column, steps, outputs, math.nan)
            return
        arena, call, own = (memory + 63) & -64, new_call(), item * model.kept
        call.parameters, call.arena, call.batch = parameters, arena, 1
        kept, x_, a = arena + section.kept, arena + section.x, arena + section.a
        if state != 0:
            copy(kept, own, item, state, own, item, 1, model.kept)
        else:
            begin(table, parameters, kept)
        for t in range(steps):
            if tokens != 0:
                view(narrow(x_), 0, 1)[0] = token_at(x + t * x_row, tokens)
            else:
                copy(x_, item, item, x + t * x_row, x_row, x_column, 1, inputs)
            walk_forward(rows_of(section), section.operations, call, 0)
            copy(out + t * out_row, out_row, out_column, a, item, item, 1, outputs)
        if state != 0:
            copy(state, own, item, kept, own, item, 1, model.kept)
        release(memory, section.bytes)

    return embedded_steps


def build_reset(dtype):
    begin = beginner(dtype)

    def embedded_reset(table, parameters, state):
        begin(table, parameters, state)

    return embedded_reset


steps_kernel = Kernel("embedded_steps", build_steps, addresses(11))
reset_kernel = Kernel("embedded_reset", build_reset, addresses(3))
