"""What the functions of `fastnn.jit` do if a model or arrays do not fit."""

from numba import types

from ..compiling.jit import jit, typed_pointer, view
from .model import THIS_LAYOUT

byte_pointer = typed_pointer(types.uint8)

WRONG_LAYOUT = ("this function was compiled with another version of fastnn than made the model; delete its cache: the "
                "__pycache__ beside its file")
PRECISION = ("the parameters of this model are not of the dtype of the network that made its table; convert them, or make "
             "the model with network.astype(dtype).compiled()")

# If the arguments do not fit, the output is filled with nan, because an exception in `prange` is lost. These functions
# handle addresses only: for each array variable Numba would count references, which takes 10 ns a call.


@jit
def fill_nan(address, rows, columns, row, column, item):
    """Set every element of a matrix to nan, in either precision: all its bits are set."""
    for i in range(rows):
        for j in range(columns):
            number = view(byte_pointer(address + i * row + j * column), 0, item)
            for k in range(item):
                number[k] = 255


@jit
def refuse_table(head, item):
    """Raise an error if the table is not valid for numbers of `item` bytes."""
    if head.layout == THIS_LAYOUT + (4 + 8 - item):
        raise ValueError(PRECISION)
    if head.layout != THIS_LAYOUT + item:
        raise ValueError(WRONG_LAYOUT)
