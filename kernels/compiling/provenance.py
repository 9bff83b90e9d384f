"""What a kernel is made of, as far as the fingerprint of the package's sources does not say it.

A kernel is a function of the package, with values that it was given when it was made: records, other functions, numbers.
Those that come with the package are covered by the fingerprint. What a user's module gives is not, whoever made the kernel
of it: an edit there would not be seen, so such a kernel is not kept on disk. It compiles once in each process.
"""

import hashlib
import types

import numba
import numpy as np
from llvmlite import ir

PACKAGE = __name__.removesuffix(".compiling.provenance")
VERSIONED = "builtins", "abc", "math", "typing", "numpy", "numba", "llvmlite"  # their versions are in the fingerprint
PLAIN = int, float, complex, str, bytes, bool, type(None), type(Ellipsis), np.generic, np.dtype
WRAPPED = "py_func", "_defn", "__wrapped__", "__func__"  # where dispatchers, intrinsics and methods have their function


class FromElsewhere(Exception):
    """Something that does not come with the package, or of which that is not known."""


def is_of_package(thing):
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and (module == PACKAGE or module.startswith(f"{PACKAGE}."))


def is_versioned(thing):
    return str(getattr(thing, "__module__", None)).partition(".")[0] in VERSIONED


def made_of(function):
    """A digest of what the package's function was given; None if something of it is from elsewhere."""
    digest, seen = hashlib.sha256(), {}
    try:
        visit(function, digest, seen)
    except FromElsewhere:
        return None
    return digest.hexdigest()[:12]


def visit(thing, digest, seen):
    """Add to the digest what this is, and what it holds; `seen` keeps what has been visited, by its id."""
    if isinstance(thing, PLAIN):
        say(digest, type(thing), repr(thing))
    elif id(thing) not in seen:
        seen[id(thing)] = thing
        for part in parts(thing, digest):
            visit(part, digest, seen)


def say(digest, kind, *words):
    digest.update(repr((kind.__module__, kind.__qualname__, *words)).encode())


def parts(thing, digest):
    """What it holds, having added to the digest what it is."""
    say(digest, type(thing))
    if isinstance(thing, (tuple, list)):
        return thing
    if isinstance(thing, (set, frozenset)):
        return sorted(thing, key=repr)
    if isinstance(thing, dict):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, types.FunctionType):
        return parts_of_function(thing, digest)
    for name in WRAPPED:
        if isinstance(getattr(thing, name, None), types.FunctionType):
            return [getattr(thing, name)]
    if isinstance(thing, type | types.BuiltinFunctionType) and (is_of_package(thing) or is_versioned(thing)):
        say(digest, type(thing), thing.__module__, thing.__qualname__)
        return thing.__bases__ if is_of_package(thing) else ()
    if isinstance(thing, (numba.types.Type, ir.Type)):
        say(digest, type(thing), str(thing))
        return ()
    if is_of_package(type(thing)) and hasattr(thing, "__dict__"):
        # another kernel is called by its symbol
        return [thing.name] if type(thing).__name__ == "Kernel" else [vars(thing)]
    raise FromElsewhere(thing)


def parts_of_function(function, digest):
    say(digest, type(function), function.__module__, function.__qualname__, function.__code__.co_firstlineno)
    if is_versioned(function):
        return ()
    if not is_of_package(function):
        raise FromElsewhere(function)
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:  # one is empty
        raise FromElsewhere(function) from None
    return [*cells, function.__defaults__, function.__kwdefaults__]
