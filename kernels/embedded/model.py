"""`Model`, a network as a tuple of arrays, and intrinsics that read it and check types at compile time."""

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

# identifies the fields of MODEL and the arguments of the functions; compiled code and a model must have the same
THIS_LAYOUT = crc32(b"".join((Path(__file__).parents[1] / name).read_bytes() for name in
                             ("embedded/walk.py", "embedded/steps.py", "embedded/calls.py", "embedded/step_calls.py",
                              "embedded/model.py", "embedded/arrays.py", "embedded/ends.py", "embedded/several.py",
                              "embedded/several_calls.py", "embedded/refused.py",
                              "compiling/record.py")))


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
        The network as rows of addresses, sizes and offsets. Do not change it. It has as many dimensions as a sample has
        axes, of several inputs that of the first, so that the number of axes of x can be checked at compile time.
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


def sample_axes(model):
    """Return the number of axes of a sample, which is the number of dimensions of the model's table."""
    return check_table(model[0]).ndim


def check_table(table):
    """Return `table`, or raise an error if it cannot be the table of a model."""
    if not isinstance(table, types.Array) or not isinstance(table.dtype, types.Integer) or table.layout not in (
            "AC" if table.ndim == 1 else "C"):
        raise TypingError(f"model.table is {table}; it must be a table like that of the compiled() of a network")
    return table


def check_vector(name, array, kind):
    """Return `array`, or raise an error if it cannot be a field of a model."""
    if not isinstance(array, types.Array) or array.ndim != 1 or not isinstance(array.dtype, kind):
        raise TypingError(f"model.{name} is {array}; it must be a vector like that of the compiled() of a network")
    return array


@intrinsic
def stack_integer(typingctx):
    """Return the address of an integer on the caller's stack."""

    def codegen(context, builder, signature, args):
        return builder.ptrtoint(cgutils.alloca_once(builder, ir.IntType(64)), context.get_value_type(types.intp))

    return types.intp(), codegen


@intrinsic
def places(typingctx, model):
    """Return the addresses of a model's table and parameters, the number of parameters (−1 if strided) and their item size.

    If the type of a vector does not determine its layout, as for a row of a slice, the layout is checked at run time.
    """
    real = real_type(model)
    check_table(model[0])
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
