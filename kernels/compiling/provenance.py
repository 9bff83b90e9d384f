"""Which objects a kernel is made from, to decide whether it can be cached.

A kernel is a function of the package together with values given when it was made: records, other functions, numbers. The
fingerprint of the package's sources covers the objects of the package. It does not cover objects of a user's module: an edit
there would go unnoticed, so a kernel that contains one is not cached and compiles once in each process.
"""

import functools
import hashlib
import os
import types

import numba
import numpy as np
from llvmlite import ir

PACKAGE = __name__.removesuffix(".compiling.provenance")
VERSIONED = "builtins", "abc", "math", "typing", "numpy", "numba", "llvmlite"  # the fingerprint contains their versions
PLAIN = int, float, complex, str, bytes, bool, type(None), type(Ellipsis), np.generic, np.dtype
WRAPPED = "py_func", "_defn", "__wrapped__", "__func__"  # attributes of dispatchers, intrinsics and methods: their function


class NotInPackage(Exception):
    """Raised for an object that is not, or not known to be, of the package."""


def is_of_package(thing):
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and (module == PACKAGE or module.startswith(f"{PACKAGE}."))


def is_versioned(thing):
    return str(getattr(thing, "__module__", None)).partition(".")[0] in VERSIONED


def objects_digest(function):
    """Return a digest of the objects that the package's function was made from, or None if one is not of the package."""
    digest, seen = hashlib.sha256(), {}
    try:
        visit(function, digest, seen)
    except NotInPackage:
        return None
    return digest.hexdigest()[:12]


def name_suffix(function):
    """Return digits that no other function has, in any process, unless it has the same code and the same objects."""
    return objects_digest(function) or os.urandom(6).hex()


def visit(thing, digest, seen):
    """Add an object and its parts to the digest; `seen` holds the objects visited so far, by id, and their numbers."""
    if isinstance(thing, PLAIN):
        update(digest, type(thing), repr(thing))
    elif id(thing) in seen:
        update(digest, type(thing), seen[id(thing)][1])
    else:
        seen[id(thing)] = thing, len(seen)
        for part in parts(thing, digest):
            visit(part, digest, seen)


def update(digest, kind, *words):
    digest.update(repr((kind.__module__, kind.__qualname__, *words)).encode())


def parts(thing, digest):
    """Add an object to the digest and return its parts."""
    update(digest, type(thing))
    if isinstance(thing, (tuple, list)):
        return thing
    if isinstance(thing, (set, frozenset)):
        return sorted(thing, key=repr)
    if isinstance(thing, dict):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, types.FunctionType):
        return parts_of_function(thing, digest)
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    for name in WRAPPED:
        if isinstance(getattr(thing, name, None), types.FunctionType):
            return [getattr(thing, name)]
    if isinstance(thing, type | types.BuiltinFunctionType) and (is_of_package(thing) or is_versioned(thing)):
        update(digest, type(thing), thing.__module__, thing.__qualname__)
        return thing.__bases__ if is_of_package(thing) else ()
    if isinstance(thing, (numba.types.Type, ir.Type)):
        update(digest, type(thing), str(thing))
        return ()
    if is_of_package(type(thing)) and hasattr(thing, "__dict__"):
        # kernels call each other by symbol
        return [thing.name] if type(thing).__name__ == "Kernel" else [vars(thing)]
    raise NotInPackage(thing)


def parts_of_function(function, digest):
    update(digest, type(function), function.__module__, function.__qualname__, code_parts(function.__code__))
    if is_versioned(function):
        return ()
    if not is_of_package(function):
        raise NotInPackage(function)
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:  # a cell of the closure is empty
        raise NotInPackage(function) from None
    return [*cells, function.__defaults__, function.__kwdefaults__]


def code_parts(code):
    """Return what distinguishes a code object from others, such as those of two lambdas in one line."""
    constants = [code_parts(each) if isinstance(each, types.CodeType) else
                 sorted(map(repr, each)) if isinstance(each, frozenset) else repr(each) for each in code.co_consts]
    return code.co_firstlineno, code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants
