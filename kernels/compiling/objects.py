"""Where objects of Python and NumPy have what compiled code reads of them.

NumPy's interface for C has had the fields of an array in these places since 1.7:
https://numpy.org/doc/stable/reference/c-api/types-and-structures.html#c.PyArrayObject.
"""

import ctypes

WORD = 8  # bytes
HEADER = object.__basicsize__  # of what every object begins with; its last word is the address of the type
TYPE = HEADER - WORD
DATA, DIMENSIONS, SHAPE, DTYPE, FLAGS = HEADER, HEADER + WORD, HEADER + 2 * WORD, HEADER + 5 * WORD, HEADER + 6 * WORD
FIRST_ITEM = tuple.__basicsize__  # of a tuple

word_at = ctypes.c_size_t.from_address


def address(array):
    """Where the numbers of an array begin, 0 for None: an eighth of the time of `array.ctypes.data`."""
    return 0 if array is None else word_at(id(array) + DATA).value
