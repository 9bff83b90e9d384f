"""Calls of a user's function from compiled code: an exception becomes a number, since kernels never raise."""

import ctypes
import pickle

from llvmlite import ir
from numba import types
from numba.core import cgutils, errors
from numba.extending import intrinsic

from ...compiling.jit import integers, jit, view

# The first failure of a row, integers: whether there is one; the address and the size of the pickled exception, 0 if it is
# not known; the sample of the batch; the number of the phase.
FAILED, EXCEPTION, EXCEPTION_SIZE, SAMPLE, PHASE_NUMBER = range(5)
FAILURE_WORDS = 5


@intrinsic
def attempt(typingctx, function, arguments, failure):
    """Call a jitted function with a tuple of arguments; return 0, or 1 if it raised an exception.

    failure: the address of FAILURE_WORDS integers, to which the first of all failures is written.
    """
    inner = function.get_call_type(typingctx, arguments.types, {})
    if inner.return_type != types.none:
        raise errors.TypingError("it returns a value, and must return nothing: it writes into the arrays that it is given")

    def codegen(context, builder, signature, args):
        compiled, word = function.dispatcher.overloads[inner.args], ir.IntType(64)
        context.add_linking_libs([compiled.library])
        values = cgutils.unpack_tuple(builder, args[1])
        status, _ = context.call_internal_no_propagate(builder, compiled.fndesc, inner, values)
        with cgutils.if_unlikely(builder, status.is_error):
            place = builder.inttoptr(args[2], word.as_pointer())
            claim = builder.cmpxchg(place, word(0), word(1), "acq_rel", "monotonic")  # several threads may fail at once
            with builder.if_then(builder.and_(builder.extract_value(claim, 1), status.is_user_exc)):
                for number, target in ((0, EXCEPTION), (1, EXCEPTION_SIZE)):
                    found = builder.load(builder.gep(status.excinfoptr, [ir.IntType(32)(0), ir.IntType(32)(number)]))
                    found = builder.ptrtoint(found, word) if number == 0 else builder.zext(found, word)
                    builder.store(found, builder.gep(place, [word(target)]))
        return builder.zext(status.is_error, word)

    return types.int64(function, arguments, failure), codegen


@intrinsic
def one_by_one(typingctx):
    """Keep the compiler from computing several samples at once in vectors, where a sum could be rounded in another way."""

    def codegen(context, builder, signature, args):
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def unwritable(typingctx, array):
    """Return an array to which compiled code cannot write; that it does is an error when it is compiled."""
    return array.copy(readonly=True)(array), lambda context, builder, signature, args: args[0]


@jit
def note_failure(failure, sample, phase):
    """Complete the record of the first failure."""
    words = view(integers(failure), 0, FAILURE_WORDS)
    if words[PHASE_NUMBER] == 0:
        words[SAMPLE], words[PHASE_NUMBER] = sample, phase


def exception_in(failure):
    """Return the exception in a record of a failure, an array; None if it is not known."""
    if not failure[EXCEPTION]:
        return None
    kind, arguments, *_ = pickle.loads(ctypes.string_at(int(failure[EXCEPTION]), int(failure[EXCEPTION_SIZE])))
    try:
        return kind(*(arguments or ()))
    except Exception:  # its constructor takes something else
        return RuntimeError(f"{getattr(kind, '__name__', kind)}: {arguments}")
