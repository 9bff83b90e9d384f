"""A digest of a user's function and of all that it reads, so that what is compiled from it can be cached.

Two functions with one digest have the same machine code: the same bytecode and constants, and the same values of the names
that they read from their module or closure, which Numba takes as constants. Functions among these values are followed. A
function that reads anything else, such as an object or another module of the user, has no digest and is not cached.
"""

import dis
import hashlib
import types

import numpy as np
from numba.core.dispatcher import Dispatcher

from .provenance import PLAIN, VERSIONED, is_of_package, is_versioned

MOST_BYTES = 1 << 20  # of an array that is digested


class Unknown(Exception):
    """Raised for a value whose effect on the machine code is not known."""


def user_digest(*functions):
    """Return a digest of functions and of what they read, or None if something is not known."""
    digest, seen = hashlib.sha256(), {}
    try:
        for function in functions:
            visit(function, digest, seen)
    except Unknown:
        return None
    return digest.hexdigest()[:16]


def visit(thing, digest, seen):
    """Add a value to the digest; `seen` holds the objects visited so far, by id, and their numbers."""
    if isinstance(thing, PLAIN):
        note(digest, type(thing), repr(thing))
    elif id(thing) in seen:
        note(digest, "seen", seen[id(thing)][1])
    else:
        seen[id(thing)] = thing, len(seen)
        visit_object(thing, digest, seen)


def visit_object(thing, digest, seen):
    if isinstance(thing, (tuple, list, frozenset)):
        note(digest, type(thing), len(thing))
        for part in sorted(thing, key=repr) if isinstance(thing, frozenset) else thing:
            visit(part, digest, seen)
    elif type(thing) is np.ndarray and thing.dtype.kind in "biufc" and thing.nbytes <= MOST_BYTES:
        note(digest, "array", thing.dtype.str, thing.shape, thing.flags.c_contiguous, thing.tobytes())
    elif isinstance(thing, types.CodeType):
        visit_code(thing, digest, seen)
    elif isinstance(thing, Dispatcher):
        note(digest, "compiled", sorted(thing.targetoptions.items(), key=repr))
        visit(thing.py_func, digest, seen)
    elif isinstance(thing, types.ModuleType):
        if thing.__name__.partition(".")[0] not in VERSIONED:
            raise Unknown(thing)
        note(digest, "module", thing.__name__)
    elif isinstance(thing, types.FunctionType) and not is_of_package(thing) and not is_versioned(thing):
        visit_function(thing, digest, seen)
    elif (is_of_package(thing) or is_versioned(thing)) and hasattr(thing, "__qualname__"):
        note(digest, "named", thing.__module__, thing.__qualname__)
    elif isinstance(thing, np.ufunc) and getattr(np, thing.__name__, None) is thing:
        note(digest, "ufunc", thing.__name__)
    else:
        raise Unknown(thing)


def visit_function(function, digest, seen):
    visit(function.__code__, digest, seen)
    for name in sorted(names_in(function.__code__)):
        if name in function.__globals__:
            note(digest, "global", name)
            visit(function.__globals__[name], digest, seen)
    try:
        cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    except ValueError:  # a cell of the closure is empty
        raise Unknown(function) from None
    visit(cells, digest, seen)
    visit(function.__defaults__ or (), digest, seen)
    visit(tuple(sorted((function.__kwdefaults__ or {}).items())), digest, seen)


def visit_code(code, digest, seen):
    note(digest, "code", code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags,
         code.co_argcount, code.co_kwonlyargcount, getattr(code, "co_exceptiontable", b""))
    visit(code.co_consts, digest, seen)


def names_in(code):
    """Return the names that a code object, and those of the functions within it, read from their module.

    An attribute of such a name is none: `def tanh(x): return math.tanh(x)` does not read itself.
    """
    names = {each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return names


def note(digest, *words):
    digest.update(repr(words).encode() + b"\n")
