"""The functions of `fastnn.jit` for sequences, see `calls`."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from ..compiling.jit import call_at, jit
from .arrays import check_array, geometry, geometry_type, nothing, out_vector, written_vector
from .ends import outs_of, sequences_of, two_are_several
from .model import THIS_LAYOUT, places, real_type
from .refused import fill_nan, refuse_table
from .several import A_SEQUENCE
from .several_calls import SEVERAL, SEVERAL_INPUTS, call_forward
from .steps import token_at
from .walk import model_at

STEP_SHAPES = ("the arguments do not fit the model: x must have as many numbers as a step of the network, or be a token of "
               "its vocabulary if it takes tokens; out as many as it has outputs; state as many as "
               "fastnn.jit.first_state(network); and model.parameters must be all of them, contiguous")
NO_STEPS = ("this model takes no sequences of any length; make the network with inputs=(None, ...) and copy the parameters, "
            "then its compiled() has steps")
NO_STATE = ("state does not fit the model: it must have as many numbers as fastnn.jit.first_state(network), and "
            "model.parameters must be all of them, contiguous")


def is_number(array):
    return isinstance(array, types.Integer) and not isinstance(array, types.Boolean)


def is_tokens(array):
    return isinstance(array, types.Array) and array.dtype in (types.int32, types.int64)


@intrinsic
def step_input(typingctx, model, x):
    """Return (address, 1, columns, 0, column stride, bytes of a token or 0) of a step: a vector or a token."""
    if is_number(x):
        signature = types.UniTuple(types.intp, 6)(model, x)

        def codegen(context, builder, signature, args):
            word = context.get_value_type(types.intp)
            place = cgutils.alloca_once(builder, ir.IntType(64))
            builder.store(context.cast(builder, args[1], signature.args[1], types.int64), place)
            values = [builder.ptrtoint(place, word), word(1), word(1), word(0), word(8), word(8)]
            return context.make_tuple(builder, signature.return_type, values)

        return signature, codegen
    check_array("x", model, x, (1,))
    return with_bytes(model, x, leading=0)


@intrinsic
def sequence_input(typingctx, model, x):
    """Return (address, steps, columns, row stride, column stride, bytes of a token or 0) of a sequence."""
    real_type(model)
    if isinstance(x, types.BaseTuple):
        signature = types.UniTuple(types.intp, 6)(model, x)
        return signature, lambda context, builder, signature, args: context.get_constant_null(signature.return_type)
    if is_tokens(x) and x.ndim == 1:
        return with_bytes(model, x, leading=1)
    if isinstance(x, types.Array) and isinstance(x.dtype, types.Integer):
        raise TypingError(f"x is {x}; a sequence of tokens is a vector of int32 or int64, one of numbers holds "
                          f"{real_type(model)}")
    check_array("x", model, x, (2,))
    return with_bytes(model, x, leading=1)


def with_bytes(model, x, leading):
    """Return the signature and the code of a geometry with the bytes of a token, 0 for numbers."""
    octets = x.dtype.bitwidth // 8 if isinstance(x.dtype, types.Integer) else 0
    signature = types.UniTuple(types.intp, 6)(model, x)

    def codegen(context, builder, signature, args):
        five = geometry_type(model, x)
        found = cgutils.unpack_tuple(builder, geometry(context, builder, five, args, leading))
        return context.make_tuple(builder, signature.return_type, [*found, context.get_value_type(types.intp)(octets)])

    return signature, codegen


@intrinsic
def sequence_output(typingctx, model, out):
    """Return the geometry of the outputs: after the last step only, a vector, or after each, a matrix."""
    if isinstance(out, types.BaseTuple):
        return nothing(model, out)
    check_array("out", model, out, (1, 2), written=True)
    return geometry_type(model, out), lambda *given: geometry(*given, leading=out.ndim - 1)


@intrinsic
def is_matrix(typingctx, out):
    matrix = int(getattr(out, "ndim", 0) == 2)
    return types.intp(out), lambda context, builder, signature, args: context.get_constant(types.intp, matrix)


@intrinsic
def size_of(typingctx, array):
    def codegen(context, builder, signature, args):
        return make_array(signature.args[0])(context, builder, args[0]).nitems

    return types.intp(array), codegen


@jit(inline=True)
def tokens_fit(x, x_row, steps, octets, tokens):
    """Return whether x holds tokens of the vocabulary, or numbers where the network takes numbers."""
    if octets == 0 or tokens == 0:
        return octets == tokens
    for t in range(steps):
        token = token_at(x + t * x_row, octets)
        if token < 0 or token >= tokens:
            return False
    return True


@jit
def refuse_steps(head, item, out, rows, columns, row, column):
    """Raise the error for arguments that do not fit; out is nan then."""
    fill_nan(out, rows, columns, row, column, item)
    refuse_table(head, item)
    if head.inputs == SEVERAL_INPUTS:
        raise ValueError(SEVERAL)
    if head.steps == 0:
        raise ValueError(NO_STEPS)
    raise ValueError(STEP_SHAPES)


@jit(inline=True, cached=True)
def step(model, state, x, out):
    """Feed one step of a sequence to a network: out = its outputs for the sequence so far, as `Stream.step` gives them.

    Call it from compiled code, on any thread. It allocates nothing, unless the network is so large that the memory of a step
    takes more than 64 KB. x is not checked for nan.

    Parameters
    ----------
    model : Model
        Of a network with inputs=(None, ...).
    state : array of the model's dtype, contiguous
        What the network keeps of the sequence, which is updated. It begins as `fastnn.jit.first_state(network)`, and `reset`
        begins anew. Each sequence has a state of its own.
    x : array (features,) of the model's dtype, or int
        A token is a whole number.
    out : array (outputs,) of the model's dtype
        Overwritten. It may be x itself.

    Raises
    ------
    ValueError
        If something does not fit; out is then filled with nan, and the state is as before.
    numba.TypingError
        When the caller compiles, if an array is not of the model's dtype or has another number of axes.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import GRU, Dense, Network
    >>> from numba import njit
    >>> @njit
    ... def follow(model, state, signal, threshold):
    ...     out = np.empty(1, np.float32)
    ...     for t in range(len(signal)):
    ...         fastnn.jit.step(model, state, signal[t], out)
    ...         if out[0] > threshold:
    ...             return t
    ...     return -1
    >>> net = Network([GRU(8), Dense(1)], inputs=(None, 3))
    >>> follow(net.compiled(), fastnn.jit.first_state(net), np.ones((100, 3), np.float32), 1e6)
    -1
    """
    table, parameters, size, item = places(model)
    head = model_at(table)
    x_, _, inputs, _, x_column, octets = step_input(model, x)
    out_, rows, outputs, out_row, out_column = out_vector(model, out)
    state_ = written_vector(model, state)
    if (head.layout != THIS_LAYOUT + item or head.steps == 0 or inputs != head.step_inputs or outputs != head.outputs
            or size_of(state) != head.kept or size != head.size or not tokens_fit(x_, 0, 1, octets, head.tokens)):
        refuse_steps(head, item, out_, rows, outputs, out_row, out_column)
    call_at(head.steps, (table, parameters, state_, x_, 0, x_column, octets, out_, 0, out_column, 1))


@jit(cached=True)
def forward_sequence(model, x, out):
    """Run a whole sequence of any length through a network, with the bits of `Network.forward`.

    Call it from compiled code; it runs on the calling thread, and allocates as little as `step`. x is not checked for nan.

    Parameters
    ----------
    model : Model
        Of a network with inputs=(None, ...).
    x : array (steps, features) of the model's dtype, or tokens (steps,) of int32 or int64
        At least one step. Of several inputs, a tuple with the array of each in the order of `network.input_shapes`: a
        sequence, or a sample (features,) of an input without steps. With `Network.compiled(steps=...)`, also a tuple of one.
    out : array (outputs,) or (steps, outputs) of the model's dtype
        Overwritten with the outputs for the sequence, or those after each step. Of several outputs, a tuple.

    Raises
    ------
    ValueError
        If something does not fit; out is then filled with nan.
    numba.TypingError
        When the caller compiles, if an array is of a wrong dtype or has another number of axes.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import GRU, Dense, Network
    >>> net, x = Network([GRU(8), Dense(2, "softmax")], inputs=(None, 3)), np.ones((9, 3), np.float32)
    >>> last, each = np.empty(2, np.float32), np.empty((9, 2), np.float32)
    >>> fastnn.jit.forward_sequence(net.compiled(), x, last)
    >>> fastnn.jit.forward_sequence(net.compiled(), x, each)
    >>> np.array_equal(last, net.forward([x])[0]) and np.array_equal(each[-1], last)
    True
    """
    if two_are_several(x, out):
        call_forward(x, out, (places(model), sequences_of(model, x), outs_of(model, out), A_SEQUENCE))
        return
    table, parameters, size, item = places(model)
    head = model_at(table)
    x_, steps, inputs, x_row, x_column, octets = sequence_input(model, x)
    out_, rows, outputs, out_row, out_column = sequence_output(model, out)
    if (head.layout != THIS_LAYOUT + item or head.steps == 0 or inputs != head.step_inputs or outputs != head.outputs
            or steps == 0 or size != head.size or (is_matrix(out) != 0 and rows != steps)
            or not tokens_fit(x_, x_row, steps, octets, head.tokens)):
        refuse_steps(head, item, out_, rows, outputs, out_row, out_column)
    call_at(head.steps, (table, parameters, 0, x_, x_row, x_column, octets, out_, out_row, out_column, steps))


@jit(cached=True)
def reset(model, state):
    """Begin a new sequence: set a state to what it is before the first step.

    Call it from compiled code, on any thread.

    Parameters
    ----------
    model : Model
        Of a network with inputs=(None, ...).
    state : array of the model's dtype, contiguous
        Of as many numbers as `fastnn.jit.first_state(network)`. Overwritten.

    Raises
    ------
    ValueError
        If the state does not fit; it is as before then.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn import GRU, Network
    >>> net, state = Network([GRU(4)], inputs=(None, 3)), np.ones(4, np.float32)
    >>> fastnn.jit.reset(net.compiled(), state)
    >>> state
    array([0., 0., 0., 0.], dtype=float32)
    """
    table, parameters, size, item = places(model)
    head, state_ = model_at(table), written_vector(model, state)
    if head.layout != THIS_LAYOUT + item or head.steps == 0 or size_of(state) != head.kept or size != head.size:
        refuse_table(head, item)
        if head.steps == 0:
            raise ValueError(NO_STEPS)
        raise ValueError(NO_STATE)
    call_at(head.reset, (table, parameters, state_))
