"""`Model`, a network as a tuple of arrays, and intrinsics that read a model and the arrays of a call.

The intrinsics read addresses, sizes and strides, and check types while the caller compiles.
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

# compiled code and a model must agree on this: the fields of MODEL and the arguments of the functions
THIS_LAYOUT = crc32(b"".join((Path(__file__).parents[1] / name).read_bytes() for name in
                             ("embedded/walk.py", "embedded/calls.py", "embedded/model.py", "compiling/record.py")))


def layout_of(dtype):
    """Return the first word of a table: this version of the layout, for numbers of that many bytes."""
    return THIS_LAYOUT + np.dtype(dtype).itemsize


class Model(NamedTuple):
    """A network for use in compiled code, as returned by `Network.compiled`; an argument of `fastnn.jit.forward` and others.

    It keeps everything that it points to alive. It holds addresses of this process, so it cannot be pickled. It cannot be a
    global variable of a compiled function either, because that would freeze its values: pass it as an argument.

    Attributes
    ----------
    table : array of int64
        The network as rows of addresses, sizes and offsets. Do not change it.
    parameters : array (parameters,)
        All parameters in one vector: those of the network itself, unless the model is a copy. Compiled code may change them,
        or use the same network with another contiguous vector: `fastnn.jit.Model(model.table, others, model.state)`.
        `fastnn.jit.views` returns the parameters by name.
    state : array
        State of the layers, such as running statistics. It belongs to the table.
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
    """Return the type of a model's numbers."""
    if not isinstance(model, types.NamedTuple) or model.instance_class is not Model:
        raise TypingError(f"model is {model}; it must be what the compiled() of a network returned")
    return check_vector("parameters", model[1], types.Float).dtype


def check_vector(name, array, kind):
    """Return `array`, or raise an error if it cannot be a field of a model."""
    if not isinstance(array, types.Array) or array.ndim != 1 or not isinstance(array.dtype, kind):
        raise TypingError(f"model.{name} is {array}; it must be a vector like that of the compiled() of a network")
    return array


def check_array(name, model, array, dimensions, *, written=False, contiguous=False):
    """Raise an error unless `array` is an array of the model's dtype with one of the given numbers of dimensions."""
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
    """Return the intrinsic that reads (address, rows, columns, bytes between rows, bytes between columns) of an array.

    A vector is one row.
    """

    @intrinsic
    def matrix(typingctx, model, array):
        check_array(name, model, array, dimensions, written=written)
        return geometry_type(model, array), lambda *given: geometry(*given, vector_is_row=True)

    return matrix


@intrinsic
def targets_of(typingctx, model, y):
    """As `matrix_of`, for targets: a vector is one column."""
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
    """Return 1 if the targets are integers, else 0."""
    labels = int(isinstance(y.dtype, types.Integer))
    return types.intp(y), lambda context, builder, signature, args: context.get_constant(types.intp, labels)


@intrinsic
def gradients_of(typingctx, model, gradients):
    """Return the address of the gradient vector."""
    check_array("grads", model, gradients, (1,), written=True, contiguous=True)
    signature = types.intp(model, gradients)

    def codegen(context, builder, signature, args):
        array = make_array(signature.args[1])(context, builder, args[1])
        return builder.ptrtoint(array.data, context.get_value_type(types.intp))

    return signature, codegen


@intrinsic
def stack_integer(typingctx):
    """Return the address of an integer on the caller's stack."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(cgutils.alloca_once(builder, ir.IntType(64)), context.get_value_type(types.intp))

    return types.intp(), codegen


@intrinsic
def places(typingctx, model):
    """Return the addresses of a model's table and parameters, the number of parameters (−1 if strided) and their item size.

    The layout of a vector whose type leaves it open, such as a row of a slice, is checked at run time.
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
