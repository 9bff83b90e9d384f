"""The arrays of several inputs or outputs of a network in compiled code, in a tuple: their addresses, sizes and strides.

An intrinsic writes an `END` for each array to the stack of the caller; compiled code compares it with the `FORM` that the
table of a model has for each input and output.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from ..compiling.jit import integer, jit
from ..compiling.objects import WORD
from ..compiling.record import FLOAT, Record, record_address
from .model import real_type

MOST_AXES = 8  # of an array: those of a sample and one that counts them
# An array: its address, number of axes, and the bytes of a whole number (0: it holds numbers of the network's dtype); then
# the sizes and the strides in bytes of its axes.
END = Record("end", "address", "axes", "octets", *(f"size_{k}" for k in range(MOST_AXES)),
             *(f"stride_{k}" for k in range(MOST_AXES)))
SIZES, STRIDES = 3, 3 + MOST_AXES  # where they begin, in words
# An input or output: the number of elements of a sample, or of a step; whether samples have any number of steps, and the
# least; the size of the vocabulary (0: no tokens); how integer targets are used; the number of positions of an output, such
# as pixels; its number of axes and their sizes, of a sample or of a step; the factor of its loss.
FORM = Record("form", "features", "has_steps", "least_steps", "tokens", "labels", "positions", "axes",
              *(f"size_{k}" for k in range(MOST_AXES)), factor=FLOAT)
FORM_SIZES = 7
END_BYTES, FORM_BYTES, end_at, form_at = END.bytes, FORM.bytes, END.at, FORM.at


def elements(arrays):
    """Return the types of the arrays of a tuple, or of one array that is not in a tuple."""
    return [*arrays] if isinstance(arrays, types.BaseTuple) else [arrays]


def is_several(arrays):
    return isinstance(arrays, types.BaseTuple)


def ends_of(name, *, written=False, whole_numbers=()):
    """Return the intrinsic that returns (address of an `END` for each array, their number), for a tuple or one array.

    One array is checked by the intrinsics for networks of one input and output. whole_numbers: types of integers that the
    arrays may hold beside numbers of the model's dtype.
    """

    @intrinsic
    def ends(typingctx, model, arrays):
        if is_several(arrays):
            for k, array in enumerate(arrays):
                check_end(f"{name}[{k}]", model, array, written, whole_numbers)
        signature = types.UniTuple(types.intp, 2)(model, arrays)

        def codegen(context, builder, signature, args):
            word, given = context.get_value_type(types.intp), signature.args[1]
            values = cgutils.unpack_tuple(builder, args[1]) if is_several(given) else [args[1]]
            kinds = [kind for kind in elements(given) if isinstance(kind, types.Array)]
            block = cgutils.alloca_once(builder, ir.ArrayType(word, max(1, len(kinds) * END_BYTES // WORD)))
            for k, (kind, value) in enumerate(zip(kinds, values, strict=False)):
                array = make_array(kind)(context, builder, value)
                sizes, strides = (cgutils.unpack_tuple(builder, each) for each in (array.shape, array.strides))
                octets = kind.dtype.bitwidth // 8 if isinstance(kind.dtype, types.Integer) else 0
                words = dict(enumerate([builder.ptrtoint(array.data, word), word(kind.ndim), word(octets)]))
                words |= {SIZES + axis: size for axis, size in enumerate(sizes[:MOST_AXES])}
                words |= {STRIDES + axis: stride for axis, stride in enumerate(strides[:MOST_AXES])}
                for place, number in words.items():
                    builder.store(number, cgutils.gep_inbounds(builder, block, 0, k * END_BYTES // WORD + place))
            return context.make_tuple(builder, signature.return_type, [builder.ptrtoint(block, word), word(len(kinds))])

        return signature, codegen

    return ends


def check_end(name, model, array, written, whole_numbers):
    """Raise an error unless the type of an array is one that an input or output can have."""
    real = real_type(model)
    if not isinstance(array, types.Array) or array.ndim > MOST_AXES:
        raise TypingError(f"{name} is {array}; it must be an array of at most {MOST_AXES} axes")
    if written and not array.mutable:
        raise TypingError(f"{name} is read-only; it is to be written to")
    if written and array.ndim > 2 and array.layout != "C":
        raise TypingError(f"{name} is {array}; samples of several axes are written to contiguous arrays, such as "
                          "np.empty_like(x)")
    if array.dtype != real and array.dtype not in whole_numbers:
        raise TypingError(f"{name} holds {array.dtype}; this model takes {real}: convert it with {name}.astype(np.{real})")


def are_several(*given):
    """Return whether any type is a tuple of arrays."""
    return any(map(is_several, given))


def constant(value, *arguments):
    """Return the signature and the code of an intrinsic that gives 1 or 0."""
    return types.intp(*arguments), lambda context, builder, signature, args: context.get_constant(types.intp, int(value))


@intrinsic
def two_are_several(typingctx, x, y):
    """Return whether arrays are given in tuples: those of networks of several inputs or outputs."""
    return constant(are_several(x, y), x, y)


@intrinsic
def three_are_several(typingctx, x, y, z):
    """Return whether arrays are given in tuples, as `two_are_several`."""
    return constant(are_several(x, y, z), x, y, z)


def if_several(function, returns):
    """Return the intrinsic that calls a compiled function with a tuple of arguments if `x` or `y` is a tuple of arrays.

    For other types it gives 0, and the function is not even compiled: that would take a second for each caller.
    """

    @intrinsic
    def chosen(typingctx, x, y, arguments):
        if not are_several(x, y):
            return returns(x, y, arguments), lambda context, builder, signature, args: context.get_constant(returns, 0)
        called = types.Dispatcher(function)
        own = typingctx.resolve_function_type(called, (*arguments,), {})

        def codegen(context, builder, signature, args):
            implementation = context.get_function(called, own)
            context.add_linking_libs(getattr(implementation, "libs", ()))
            found = implementation(builder, cgutils.unpack_tuple(builder, args[2]))
            return found if own.return_type == returns else context.get_constant(returns, 0)

        return returns(x, y, arguments), codegen

    return chosen


inputs_of, sequences_of = ends_of("x"), ends_of("x", whole_numbers=(types.int32, types.int64))
outs_of, dxs_of, douts_of = ends_of("out", written=True), ends_of("dx", written=True), ends_of("dout")
ys_of = ends_of("y", whole_numbers=(types.int64,))


@jit(inline=True)
def end_of(ends, number):
    return end_at(ends + END_BYTES * number)


@jit(inline=True)
def form_of(forms, number):
    return form_at(forms + FORM_BYTES * number)


@jit
def spread(end, leading):
    """Return (address, rows, columns, row stride, column stride) of an array, the strides in bytes.

    leading: the number of axes that count rows, 0 or 1. The others together are columns; their number is −1 if they are not
    evenly spaced.
    """
    words = record_address(end)
    rows, row = 1, 0
    if leading == 1:
        rows, row = integer(words, SIZES), integer(words, STRIDES)
    size, stride, found = 1, 0, False
    for axis in range(end.axes - 1, leading - 1, -1):
        length, step = integer(words, SIZES + axis), integer(words, STRIDES + axis)
        if length != 1:
            if found and step != size * stride:
                return end.address, rows, -1, row, stride
            stride = stride if found else step
            found = True
        size *= length
    return end.address, rows, size, row, stride


@jit
def fits(form, end, leading):
    """Return whether an array holds what an input or output has, behind `leading` axes."""
    words, axes = record_address(end), end.axes - leading
    if axes < 0:
        return False
    columns = spread(end, leading)[2]
    if columns != form.features:
        return False
    if axes <= 1:
        return axes == 1 or form.features == 1
    if axes != form.axes:
        return False
    for axis in range(axes):
        if integer(words, SIZES + leading + axis) != integer(record_address(form), FORM_SIZES + axis):
            return False
    return True
