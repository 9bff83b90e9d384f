"""A network that is fed step by step, as a function of the Python C API: the state stays in the arena between calls.

A step of all streams is copied to the arena, the rows of the table run once, and the outputs are copied to a new array. If
something in x is not sound, nothing has changed.
"""

import numpy as np
from numba import types

from ..compiling.jit import REAL, Kernel, call_at, integer, typed_pointer, view
from ..compiling.objects import DATA, FIRST_ITEM, SHAPE, WORD
from ..compiling.python_function import is_plain_array, result_of
from ..compiling.record import Record
from .interpreter import addresses, walk_forward
from .table import CALL

# What x must be: its type, dtype, the number of axes of a step of all streams and their sizes; whether there is an axis of
# steps before them, and the largest number of steps. Then functions of Python and NumPy, None, the dtype and the number of
# dimensions of the result, the table, offsets in the arena in bytes, and sizes. tokens: of the vocabulary, or 0.
SHAPE_OF_STEPS = Record("shape_of_steps", "first", "second", "third")
STREAM = Record(
    "stream", "array_type", "x_dtype", "axes", "sizes", "has_steps", "most", "new_array", "incref", "none", "dtype",
    "dimensions", "table", "operations", "x", "x_numbers", "x_bytes", "a", "a_bytes", "tokens", call=CALL,
    shape=SHAPE_OF_STEPS,
)
stream_at = STREAM.at
octets, tokens_at = typed_pointer(types.uint8), typed_pointer(types.int32)


def build_stream(dtype):
    number, largest = typed_pointer(REAL[dtype]), np.finfo(dtype).max

    def stream_steps(self, X):
        """Feed the steps X, an array; return the address of a new array of outputs, or of None if X does not qualify."""
        frame = stream_at(integer(integer(self + FIRST_ITEM, 0) + DATA, 0))
        if frame.has_steps != 0:
            fits = is_plain_array(X, frame.array_type, frame.x_dtype, frame.axes, frame.sizes, frame.most)
        else:  # the first axis is one of the sizes too
            fits = is_plain_array(X, frame.array_type, frame.x_dtype, frame.axes - 1, frame.sizes + WORD,
                                  integer(frame.sizes, 0))
            fits = fits and integer(integer(X + SHAPE, 0), 0) == integer(frame.sizes, 0)
        if fits:
            x, steps = integer(X + DATA, 0), integer(integer(X + SHAPE, 0), 0) if frame.has_steps != 0 else 1
            size, wrong = steps * frame.x_numbers, 0
            if frame.tokens != 0:
                tokens = view(tokens_at(x), 0, size)
                for i in range(size):
                    wrong += 1 if tokens[i] < 0 or tokens[i] >= frame.tokens else 0
            else:
                numbers = view(number(x), 0, size)
                for i in range(size):
                    wrong += 0 if abs(numbers[i]) <= largest else 1
            if wrong == 0:
                if frame.has_steps != 0:
                    frame.shape.first = steps
                call_at(frame.incref, (frame.dtype,))
                out = result_of(frame.new_array, (np.int32(frame.dimensions), frame.shape, frame.dtype, np.int32(0)))
                if out == 0:
                    return 0
                call, to = frame.call, integer(out + DATA, 0)
                for t in range(steps):
                    taken = view(octets(call.arena + frame.x), 0, frame.x_bytes)
                    given = view(octets(x + t * frame.x_bytes), 0, frame.x_bytes)
                    for j in range(frame.x_bytes):
                        taken[j] = given[j]
                    walk_forward(frame.table, frame.operations, call, 0)
                    made = view(octets(call.arena + frame.a), 0, frame.a_bytes)
                    written = view(octets(to + t * frame.a_bytes), 0, frame.a_bytes)
                    for j in range(frame.a_bytes):
                        written[j] = made[j]
                return out
        call_at(frame.incref, (frame.none,))
        return frame.none

    return stream_steps


stream_kernel = Kernel("stream_steps", build_stream, addresses(2), returns=types.intp)
