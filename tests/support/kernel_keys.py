"""The kernel cache for mutants: the key of a kernel is its contents, not a fingerprint of all sources.

So a mutant compiles only the kernels that its change affects. The contents of a kernel are found by walking from its
function to everything that its code names: functions, constants, classes, closures. Another kernel, which it calls by
symbol, counts as a name only. Modules in which functions are registered instead of named count as a whole.

`install` replaces the cache's own paths. It is only for the copies of the tree in which mutants run.
"""

import functools
import hashlib
import math
import sys
import types
from pathlib import Path

import numba
import numpy as np

ROOT = "fastnn"
EVERYWHERE = "jit", "trace", "vector", "target", "precision", "constants"  # what every kernel is taken to be made of
WHOLE = "elementwise.elementary"  # whose functions are compiled from others that they do not name
# the contents of functions called by a dispatcher, from Python or a user's code
OF_DISPATCHERS = "interpreter", "table", "team", "watch", "embedded", "embedded_calls", "model"
PLAIN = int, float, complex, str, bytes, bool, type(None), type(Ellipsis), np.generic, np.dtype, np.ndarray


class Walk:
    """Digest of the contents of an object, each object once; `whole` are the modules that count as a whole."""

    def __init__(self):
        self.digest, self.seen, self.kept, self.whole = hashlib.sha256(), set(), [], set()

    def say(self, *words):
        self.digest.update(repr(words).encode())

    def visit(self, thing):
        if isinstance(thing, PLAIN):
            self.say(type(thing).__name__, thing.tobytes() if isinstance(thing, np.ndarray) else repr(thing))
            return
        if id(thing) in self.seen:
            self.say("again")
            return
        self.seen.add(id(thing))
        self.kept.append(thing)  # so that its id stays its own
        self.say(type(thing).__qualname__)
        for way, kinds in ((self.items, (tuple, list, set, frozenset)), (self.mapping, dict), (self.code, types.CodeType),
                           (self.function, types.FunctionType), (self.class_, type), (self.module, types.ModuleType)):
            if isinstance(thing, kinds):
                way(thing)
                return
        self.other(thing)

    def items(self, things):
        for thing in sorted(things, key=repr) if isinstance(things, set | frozenset) else things:
            self.visit(thing)

    def mapping(self, mapping):
        for key, value in mapping.items():
            self.visit(key)
            self.visit(value)

    def code(self, code):
        self.say(code.co_code, code.co_names, code.co_varnames)
        self.visit(code.co_consts)

    def function(self, function):
        if function.__module__ == f"{ROOT}.kernels.{WHOLE}":
            self.whole.add(WHOLE)
            return
        if not (function.__module__ or "").startswith(ROOT):
            self.say(function.__module__, function.__qualname__)
            return
        self.visit(function.__code__)
        self.visit(function.__defaults__)
        self.visit(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            self.visit(cell.cell_contents)
        self.names(function.__code__, function.__globals__)

    def names(self, code, scope):
        """Return what a code object, and those in it, reads from its module, or as an attribute of a module."""
        for name in code.co_names:
            if name in scope:
                self.say(name)
                self.visit(scope[name])
        modules = [scope[name] for name in code.co_names if isinstance(scope.get(name), types.ModuleType)]
        for module in modules:
            for name in code.co_names:
                self.attribute(module, name)
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                self.names(inner, scope)

    def attribute(self, module, name):
        if module in (math, np) and hasattr(module, name):
            self.whole.add(WHOLE)  # our functions may stand for it
        elif module.__name__.startswith(ROOT) and name in vars(module):
            self.visit(vars(module)[name])

    def class_(self, cls):
        self.say(cls.__module__, cls.__qualname__)
        if cls.__module__.startswith(ROOT):
            self.visit(cls.__bases__)
            for name, value in vars(cls).items():
                if name not in ("__dict__", "__weakref__", "__doc__"):
                    self.say(name)
                    self.visit(value)

    def module(self, module):
        self.say(module.__name__)

    def other(self, thing):
        if type(thing).__name__ == "Kernel":
            self.say(thing.name)
            return
        for wrapped in ("py_func", "_defn", "__wrapped__", "__func__", "func", "fget"):
            inner = getattr(thing, wrapped, None)
            if isinstance(inner, types.FunctionType):
                self.visit(inner)
                return
        if type(thing).__module__.startswith(ROOT):
            self.visit(type(thing))
            self.mapping(vars(thing) if hasattr(thing, "__dict__") else {})
        elif isinstance(thing, numba.types.Type):
            self.say(str(thing))


@functools.cache
def source(name):
    *folders, module = name.split(".")
    return Path(sys.modules[f"{ROOT}.kernels"].__file__).parent.joinpath(*folders, f"{module}.py").read_bytes()


def key_of(function, extra=()):
    """Return the key of a compiled function: 16 digits."""
    walk = Walk()
    walk.visit(function)
    for name in (*EVERYWHERE, *sorted(walk.whole), *extra):
        walk.say(source(name))
    return walk.digest.hexdigest()[:16]


def install():
    """Use such keys for the kernels of the imported package, in one folder for all mutants."""
    from fastnn.kernels.compiling import cache, jit

    named, compile_kernel, path = {}, jit.Kernel.compile, cache.KernelCache.path

    def compile_with_key(kernel, dtype):
        build = kernel.build

        def build_and_walk(dtype):
            function = build(dtype)
            named[f"{kernel.name}_{dtype}"] = key_of(function)
            return function

        kernel.build = build_and_walk
        try:
            return compile_kernel(kernel, dtype)
        finally:
            kernel.build = build

    def path_of(self, signature):
        key = named.get(self.name) or key_of(None, extra=OF_DISPATCHERS)
        plain = path(self, signature)
        return plain.with_name(f"{key}-{plain.name}")

    cache.fingerprint = functools.cache(lambda: "mutants")
    cache.cache_directory.cache_clear()
    jit.Kernel.compile, cache.KernelCache.path = compile_with_key, path_of
