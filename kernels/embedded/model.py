"""`Model`, a network as a tuple of arrays, and what compiled code reads of it and of arrays before it calls it.

That are addresses, sizes and strides. The intrinsics that read them also check types, while the caller compiles.
"""

from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.core.typing.typeof import Purpose, typeof_impl
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

# what compiled code must agree on with a model: its head, and what the functions take
THIS_LAYOUT = crc32(b"".join((Path(__file__).parents[1] / name).read_bytes() for name in
                             ("embedded/walk.py", "embedded/calls.py", "embedded/model.py", "compiling/record.py")))


def layout_of(dtype):
    """The word that a table begins with: of this version of the layout, for numbers of so many bytes."""
    return THIS_LAYOUT + np.dtype(dtype).itemsize


class Model(NamedTuple):
    """A network for compiled code to call: `Network.compiled` makes it, `fastnn.jit.forward` and its like take it.

    It keeps alive whatever it points to. It holds addresses of this process, so it cannot be pickled, nor be a global
    variable of a compiled function, which would keep its values: pass it as an argument.

    Attributes
    ----------
    table : array of int64
        The network as rows of addresses, sizes and places; not to be changed.
    parameters : array (parameters,)
        All parameters in one vector, those of the network itself unless the model is a copy. Compiled code may change them,
        or give the same network others, contiguous: `fastnn.jit.Model(model.table, others, model.state)`.
        `fastnn.jit.views` tells which is where.
    state : array
        What layers remember beside their parameters. It goes with the table.
    """

    table: np.ndarray
    parameters: np.ndarray
    state: np.ndarray

    def __reduce__(self):
        raise TypeError("a compiled model holds addresses of this process; pickle the network instead, and call its "
                        "compiled() there")


@typeof_impl.register(Model)
def typeof_model(model, context):
    if context.purpose is Purpose.constant:
        raise ValueError("a compiled model is a global variable or a default value here; compiled code would keep its "
                         "values: pass it to the function as an argument")
    return types.NamedTuple([typeof_impl(array, context) for array in model], Model)


def real_type(model):
    """The type of a model's numbers."""
    if not isinstance(model, types.NamedTuple) or model.instance_class is not Model:
        raise TypingError(f"model is {model}; it must be what the compiled() of a network returned")
    return check_vector("parameters", model[1], types.Float).dtype


def check_vector(name, array, kind):
    """Refuse what cannot be a part of a model; returns it."""
    if not isinstance(array, types.Array) or array.ndim != 1 or not isinstance(array.dtype, kind):
        raise TypingError(f"model.{name} is {array}; it must be a vector like that of the compiled() of a network")
    return array


def check_array(name, model, array, dimensions, *, written=False, contiguous=False):
    """Refuse what is not an array of the model's dtype with one of these numbers of dimensions."""
    real = real_type(model)
    if not isinstance(array, types.Array) or array.ndim not in dimensions:
        shapes = " or ".join(f"{n}-D" for n in dimensions)
        raise TypingError(f"{name} is {array}; it must be an array, {shapes}")
    if array.dtype != real:
        raise TypingError(f"{name} holds {array.dtype}; this model takes {real}: convert it with {name}.astype(np.{real})")
    if written and not array.mutable:
        raise TypingError(f"{name} is read-only; it is to be written to")
    if contiguous and array.layout != "C":
        raise TypingError(f"{name} must be contiguous, such as np.zeros(model.parameters.size, np.{real})")


def matrix_of(name, dimensions, written=False):
    """The intrinsic that gives an array's (address, rows, columns, bytes between rows, bytes between columns).

    A vector is one row.
    """

    @intrinsic
    def matrix(typingctx, model, array):
        check_array(name, model, array, dimensions, written=written)
        return geometry_type(model, array), lambda *given: geometry(*given, vector_is_row=True)

    return matrix


@intrinsic
def targets_of(typingctx, model, y):
    """The same of targets, whose vector is one column."""
    if not (isinstance(y, types.Array) and y.ndim == 1 and y.dtype == types.int64):
        if isinstance(y, types.Array) and isinstance(y.dtype, types.Integer):
            raise TypingError(f"y is {y}; labels are a vector of int64: convert it with y.astype(np.int64)")
        check_array("y", model, y, (1, 2))
    return geometry_type(model, y), lambda *given: geometry(*given, vector_is_row=False)


def geometry_type(model, array):
    return types.UniTuple(types.intp, 5)(model, array)


def geometry(context, builder, signature, args, vector_is_row):
    array = make_array(signature.args[1])(context, builder, args[1])
    word = context.get_value_type(types.intp)
    shape, strides = cgutils.unpack_tuple(builder, array.shape), cgutils.unpack_tuple(builder, array.strides)
    if len(shape) == 1:
        one, none = [word(1)], [word(0)]
        shape, strides = (one + shape, none + strides) if vector_is_row else (shape + one, strides + none)
    return context.make_tuple(builder, signature.return_type, [builder.ptrtoint(array.data, word), *shape, *strides])


@intrinsic
def are_labels(typingctx, y):
    """Whether targets are whole numbers, as a number."""
    labels = int(isinstance(y.dtype, types.Integer))
    return types.intp(y), lambda context, builder, signature, args: context.get_constant(types.intp, labels)


@intrinsic
def gradients_of(typingctx, model, gradients):
    """The address of the vector of gradients."""
    check_array("grads", model, gradients, (1,), written=True, contiguous=True)
    signature = types.intp(model, gradients)

    def codegen(context, builder, signature, args):
        array = make_array(signature.args[1])(context, builder, args[1])
        return builder.ptrtoint(array.data, context.get_value_type(types.intp))

    return signature, codegen


@intrinsic
def stack_integer(typingctx):
    """The address of an integer on the stack of the caller."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(cgutils.alloca_once(builder, ir.IntType(64)), context.get_value_type(types.intp))

    return types.intp(), codegen


@intrinsic
def places(typingctx, model):
    """Where a model's table and its parameters begin, how many of these there are, −1 if they are strided, and their bytes.

    Vectors whose type leaves open how they lie, such as a row of a slice, are looked at when they are given.
    """
    real = real_type(model)
    check_vector("table", model[0], types.Integer)
    signature = types.UniTuple(types.intp, 4)(model)

    def codegen(context, builder, signature, args):
        word = context.get_value_type(types.intp)
        arrays = [make_array(kind)(context, builder, builder.extract_value(args[0], k))
                  for k, kind in enumerate(signature.args[0][:2])]
        addresses, size = [builder.ptrtoint(each.data, word) for each in arrays], arrays[1].nitems
        for each, kind in zip(arrays, signature.args[0], strict=False):
            if kind.layout not in "CF":
                stride, = cgutils.unpack_tuple(builder, each.strides)
                size = builder.select(builder.icmp_signed("==", stride, each.itemsize), size, word(-1))
        return context.make_tuple(builder, signature.return_type, [*addresses, size, word(real.bitwidth // 8)])

    return signature, codegen


x_vector, out_vector = matrix_of("x", (1,)), matrix_of("out", (1,), written=True)
x_matrix, out_matrix = matrix_of("x", (2,)), matrix_of("out", (2,), written=True)
x_either, dout_either, dx_either = matrix_of("x", (1, 2)), matrix_of("dout", (1, 2)), matrix_of("dx", (1, 2), written=True)
