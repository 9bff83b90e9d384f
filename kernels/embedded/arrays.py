"""Intrinsics that return the addresses, sizes and strides of a call's arrays and check their types at compile time."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .model import real_type, sample_axes


def check_array(name, model, array, dimensions, *, written=False, contiguous=False, axes=1):
    """Raise an error unless `array` is an array of the model's dtype whose number of dimensions is in `dimensions`.

    axes: the number of axes of a sample, if the array holds samples.
    """
    real = real_type(model)
    if not isinstance(array, types.Array) or array.ndim not in dimensions:
        shapes = " or ".join(f"{n}-D" for n in dimensions)
        of = f": a sample of this model has {axes} axes, or all its numbers in one" if axes > 1 else ""
        raise TypingError(f"{name} is {array}; it must be an array, {shapes}{of}")
    if array.dtype != real:
        raise TypingError(f"{name} holds {array.dtype}; this model takes {real}: convert it with {name}.astype(np.{real})")
    if written and not array.mutable:
        raise TypingError(f"{name} is read-only; it is to be written to")
    if contiguous and array.layout != "C":
        like = "fastnn.jit.first_state(network)" if name == "state" else f"np.zeros(model.parameters.size, np.{real})"
        raise TypingError(f"{name} must be contiguous, such as {like}")


def nothing(*arguments):
    """Return what an intrinsic gives for arrays in a tuple, which `ends` reads: zeros."""
    signature = geometry_type(*arguments)
    return signature, lambda context, builder, signature, args: context.get_constant_null(signature.return_type)


def matrix_of(name, dimensions, written=False):
    """Return the intrinsic that returns (address, rows, columns, row stride, column stride in bytes) of an array.

    A vector is one row.
    """

    @intrinsic
    def matrix(typingctx, model, array):
        if isinstance(array, types.BaseTuple):
            return nothing(model, array)
        check_array(name, model, array, dimensions, written=written)
        return geometry_type(model, array), lambda *given: geometry(*given, leading=array.ndim - 1)

    return matrix


def samples_of(name, leading, written=False):
    """Return an intrinsic like that of `matrix_of` for an array of samples; each sample is a row.

    leading: 1 if the first axis counts samples, 0 for a single sample. The other axes are those of a sample, or one axis
    with all its numbers. The number of columns is −1 if the numbers of a sample are not evenly spaced.
    """

    @intrinsic
    def samples(typingctx, model, array):
        return typed_samples(name, model, array, leading, written, model, array)

    return samples


def samples_like(name, written=False):
    """Return an intrinsic like that of `samples_of`, which takes `dout` too: if `dout` is a vector, x is one sample."""

    @intrinsic
    def samples(typingctx, model, array, dout):
        if not isinstance(dout, types.BaseTuple):
            check_array("dout", model, dout, (1, 2))
        return typed_samples(name, model, array, getattr(dout, "ndim", 1) - 1, written, model, array, dout)

    return samples


def typed_samples(name, model, array, leading, written, *arguments):
    """Return the signature and the code generator of an intrinsic that reads samples."""
    if any(isinstance(each, types.BaseTuple) for each in arguments[1:]):
        return nothing(*arguments)
    flat = {1, 2} if len(arguments) == 3 else {1 + leading}
    real_type(model)
    axes = sample_axes(model)
    check_array(name, model, array, sorted(flat | {axes + leading}), written=written, axes=axes)
    shaped = axes > 1 and array.ndim == axes + leading
    if shaped and written and array.layout != "C":
        raise TypingError(f"{name} is {array}; samples of {axes} axes are written to contiguous arrays, such as "
                          f"np.empty_like(x)")
    leading = leading if shaped else array.ndim - 1
    return geometry_type(*arguments), lambda *given: geometry(*given, leading=leading)


def shape_of(leading, like_dout=False):
    """Return the intrinsic that returns the shape of a sample, or (−1,) if one axis has all its numbers."""

    def typed(model, array, leading, *arguments):
        axes = sample_axes(model)
        shaped = axes > 1 and getattr(array, "ndim", 0) == axes + leading
        signature = types.UniTuple(types.intp, axes if shaped else 1)(*arguments)

        def codegen(context, builder, signature, args):
            sizes = [context.get_constant(types.intp, -1)]
            if shaped:
                made = make_array(signature.args[1])(context, builder, args[1])
                sizes = cgutils.unpack_tuple(builder, made.shape)[leading:]
            return context.make_tuple(builder, signature.return_type, sizes)

        return signature, codegen

    @intrinsic
    def shape(typingctx, model, array):
        return typed(model, array, leading, model, array)

    @intrinsic
    def shape_like_dout(typingctx, model, array, dout):
        return typed(model, array, getattr(dout, "ndim", 1) - 1, model, array, dout)

    return shape_like_dout if like_dout else shape


@intrinsic
def targets_of(typingctx, model, y):
    """Return the same five numbers as an intrinsic of `matrix_of`, for targets: a vector is one column."""
    if isinstance(y, types.BaseTuple):
        return nothing(model, y)
    if not (isinstance(y, types.Array) and y.ndim == 1 and y.dtype == types.int64):
        if isinstance(y, types.Array) and isinstance(y.dtype, types.Integer):
            raise TypingError(f"y is {y}; labels are a vector of int64: convert it with y.astype(np.int64)")
        check_array("y", model, y, (1, 2))
    return geometry_type(model, y), lambda *given: geometry(*given, leading=1)


def geometry_type(*arguments):
    return types.UniTuple(types.intp, 5)(*arguments)


def geometry(context, builder, signature, args, leading):
    """Generate the code of `matrix_of`: `leading` axes (0 or 1) are rows, the others together are columns."""
    array = make_array(signature.args[1])(context, builder, args[1])
    word = context.get_value_type(types.intp)
    shape, strides = cgutils.unpack_tuple(builder, array.shape), cgutils.unpack_tuple(builder, array.strides)
    rows, row = (shape[0], strides[0]) if leading else (word(1), word(0))
    columns, column = (word(1), word(0)) if len(shape) == leading else (shape[-1], strides[-1])
    if len(shape) > leading + 1:
        columns, column = one_axis(builder, word, shape[leading:], strides[leading:])
    place = builder.ptrtoint(array.data, word)
    return context.make_tuple(builder, signature.return_type, [place, rows, columns, row, column])


def one_axis(builder, word, shape, strides):
    """Generate the size and stride of several axes merged into one; the size is −1 if they cannot be merged.

    An axis of size 1 may have any stride.
    """
    size, stride, found, one = word(1), word(0), ir.IntType(1)(0), ir.IntType(1)(1)
    fit = one
    for length, step in zip(reversed(shape), reversed(strides), strict=True):
        long = builder.icmp_signed("!=", length, word(1))
        first = builder.and_(long, builder.not_(found))
        follows = builder.icmp_signed("==", step, builder.mul(size, stride))
        fit = builder.and_(fit, builder.or_(builder.or_(builder.not_(long), first), follows))
        stride, found = builder.select(first, step, stride), builder.or_(found, long)
        size = builder.mul(size, length)
    return builder.select(fit, size, word(-1)), stride


@intrinsic
def are_labels(typingctx, y):
    """Return 1 if the targets are integers, else 0."""
    labels = int(isinstance(getattr(y, "dtype", None), types.Integer))
    return types.intp(y), lambda context, builder, signature, args: context.get_constant(types.intp, labels)


def address_of_vector(name):
    """Return the intrinsic that returns the address of a contiguous vector that is written to."""

    @intrinsic
    def place(typingctx, model, array):
        check_array(name, model, array, (1,), written=True, contiguous=True)
        signature = types.intp(model, array)

        def codegen(context, builder, signature, args):
            array = make_array(signature.args[1])(context, builder, args[1])
            return builder.ptrtoint(array.data, context.get_value_type(types.intp))

        return signature, codegen

    return place


gradients_of, written_vector = address_of_vector("grads"), address_of_vector("state")
out_vector, out_matrix = matrix_of("out", (1,), written=True), matrix_of("out", (2,), written=True)
dout_either = matrix_of("dout", (1, 2))
x_sample, x_samples, x_like_dout = samples_of("x", 0), samples_of("x", 1), samples_like("x")
dx_like_dout = samples_like("dx", written=True)
shape_of_sample, shape_of_samples, shape_like_dout = shape_of(0), shape_of(1), shape_of(0, like_dout=True)
