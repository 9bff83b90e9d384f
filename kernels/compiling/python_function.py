"""Compiled functions that Python calls as it calls its own: an object goes in, an object comes out.

Numba's way from Python to compiled code looks up, unpacks and counts every argument: 0.4 µs for two arrays, while the net
4-16-16-2 itself needs 0.1. Such a function reads the objects itself instead; it has Python's own calling convention,
`PyObject *function(PyObject *self, PyObject *argument)`, that of METH_O.
"""

import ctypes

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import integer, jit, typed_pointer, view
from .objects import DIMENSIONS, DTYPE, FLAGS, SHAPE, TYPE

CONTIGUOUS = 0x0001 | 0x0100  # of the flags: C-contiguous and aligned
METH_O = 0x0008
EMPTY = 184  # PyArray_Empty in NumPy's table of functions

ints = typed_pointer(types.int32)
definitions = {}  # by address; Python does not copy them


class Definition(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


@intrinsic
def result_of(typingctx, address, arguments):
    """What the C function at `address` gives, a whole number as long as a pointer."""

    def codegen(context, builder, signature, args):
        values = cgutils.unpack_tuple(builder, args[1])
        function = ir.FunctionType(ir.IntType(64), [value.type for value in values])
        return builder.call(builder.inttoptr(args[0], function.as_pointer()), values)

    return types.intp(types.intp, arguments), codegen


@jit(inline=True)
def is_plain_matrix(thing, array_type, dtype, columns, most):
    """Whether the object at address `thing` is an array, of no subclass, contiguous, of this dtype and so many columns.

    most: how many rows it may have; it has one at least.
    """
    if integer(thing + TYPE, 0) != array_type or integer(thing + DTYPE, 0) != dtype:
        return False
    dimensions, flags = view(ints(thing + DIMENSIONS), 0, 1)[0], view(ints(thing + FLAGS), 0, 1)[0]
    if dimensions != 2 or flags & CONTIGUOUS != CONTIGUOUS:
        return False
    shape = integer(thing + SHAPE, 0)
    return 0 < integer(shape, 0) <= most and integer(shape, 1) == columns


def c_function(name):
    """The address of a function of Python's interface for C."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value


def numpy_function(number):
    """The address of a function of NumPy's interface for C."""
    module = (np._core if hasattr(np, "_core") else np.core)._multiarray_umath
    kind = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    table = kind(("PyCapsule_GetPointer", ctypes.pythonapi))(module._ARRAY_API, None)
    return (ctypes.c_void_p * (number + 1)).from_address(table)[number]


def python_function(address, self):
    """The Python function of the compiled one at `address`; it keeps `self` alive, whose address is its first argument."""
    if address not in definitions:
        definitions[address] = Definition(b"function", address, METH_O, None)
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    return kind(("PyCFunction_NewEx", ctypes.pythonapi))(ctypes.addressof(definitions[address]), self, None)
