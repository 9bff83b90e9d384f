"""Compilation: the `jit` decorator, and `Kernel`, a function that is compiled and cached by itself and called by its
address.

A `Kernel` is a C function. The table of a network holds the addresses of its kernels, so a new network compiles nothing, and
a new kernel does not recompile the others. A kernel compiles on first use.
"""

import ctypes
from functools import partial

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.ccallback import CFunc
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from ...checks import DTYPES
from ..processor.undisturbed import undisturbed
from .cache import KernelCache
from .objects import address
from .parallel_compile import USUAL, compile_in_parallel
from .provenance import name_suffix, objects_digest

# No fastmath: a row must give the same bits in the vectorized body of a loop and in its scalar remainder.
OPTIONS = {"error_model": "numpy"}
REAL = {"float32": types.float32, "float64": types.float64}
DTYPE_NAMES = {np.dtype(name): name for name in DTYPES}  # faster than the attribute `name` of a dtype
KERNELS = {}  # all kernels of the package, by name
ANY = "any"  # in place of a dtype, for kernels that handle addresses only


class Dispatcher(CPUDispatcher):
    """A function that Numba compiles when it is first called with new types; signals do not interrupt the compilation."""

    def compile(self, sig):
        return undisturbed(super().compile, sig)

    def _compile_for_args(self, *arguments, **keywords):
        return undisturbed(partial(super()._compile_for_args, *arguments, **keywords))


def jit(function=None, *, inline=False, cached=False, any_order=False, compiler=Compiler):
    """Compile with Numba; every function of the package is compiled with this decorator.

    inline: always inline into callers. cached: keep on disk, for functions called from Python; other functions are cached as
    part of their callers.
    any_order: allow additions in any order, for a sum that need not have the same bits.
    compiler: the class of Numba's compilers to use.

    It compiles even if NUMBA_DISABLE_JIT is set, because intrinsics do not run as Python: users who set it to debug their
    own functions can still call the package.
    """
    if function is None:
        return lambda f: jit(f, inline=inline, cached=cached, any_order=any_order, compiler=compiler)
    set_unique_name(function)
    dispatcher = Dispatcher(function, targetoptions={
        "nopython": True, "forceinline": inline, "fastmath": {"reassoc"} if any_order else False, **OPTIONS},
        pipeline_class=compiler)
    if cached and (given := objects_digest(function)) is not None:
        dispatcher._cache = KernelCache(function.__name__, given)
    return dispatcher


def set_unique_name(function):
    """Give a lambda, or a function defined in another function, a name that is unique in every process.

    Numba distinguishes functions of one name and one signature by a counter that runs as they are compiled. Kernels from the
    cache were compiled in different processes, each with its own counter, so one number could mean two functions.
    """
    if "<" in function.__qualname__:
        function.__qualname__ += f" {name_suffix(function)}"


def pointer(dtype):
    return types.CPointer(REAL[dtype])


class Kernel:
    """A C function for each dtype, compiled or loaded from the cache when its address is first requested.

    build: dtype name -> the Python function to compile.
    arguments: dtype name -> its Numba argument types.
    returns: the Numba type of the result, by default none.
    needs: kernels that it calls by symbol (`calls`); they are compiled before it.
    cached: whether to keep it on disk. Kernels that contain anything from outside the package are never kept, unless
    their objects are `given`, a digest of them.
    moves_addresses: True for a kernel that handles addresses only; its dtype is ANY.
    """

    def __init__(self, name, build, arguments, *, needs=(), cached=True, moves_addresses=False, returns=types.void,
                 given=None):
        self.name, self.build, self.arguments, self.returns = name, build, arguments, returns
        self.needs, self.cached, self.moves_addresses, self.given = needs, cached, moves_addresses, given
        self.compiled, self.addresses, self.entries = {}, {}, {}
        if cached:
            KERNELS[name] = self

    def __repr__(self):
        return f"<Kernel {self.name}>"

    def symbol(self, dtype):
        return f"fastnn_{self.name}_{dtype}"

    def ready(self, dtype):
        """Return the compiled function for `dtype`.

        It is compiled once, however many threads request it: compiling again would free the code of the first, whose address
        is already in tables. The lock is Numba's own, because a compiler that holds it may request a kernel.
        """
        if dtype not in self.compiled:
            for kernel in self.needs:  # one at a time: after Ctrl-C a process waits for at most one to be compiled
                kernel.ready(dtype)
            undisturbed(self.make_ready, dtype)
        return self.compiled[dtype]

    def make_ready(self, dtype):
        with global_compiler_lock:
            if dtype not in self.compiled:
                unit = self.compile(dtype)
                self.addresses[dtype], self.compiled[dtype] = unit.address, unit

    def compile(self, dtype):
        """Compile this kernel or load it from the cache."""
        function = self.build(dtype)
        # unique: two kernels of one factory must not share a symbol after they are loaded from the cache
        function.__qualname__ = function.__name__ = f"{self.name}_{dtype}"
        unit = CFunc(function, (self.arguments(dtype), self.returns), {},
                     {"nopython": True, **OPTIONS})
        given = objects_digest(function) if self.cached else self.given
        if given is not None:
            unit._cache = KernelCache(f"{self.name}_{dtype}", given)
            if self.name in USUAL and not unit._cache.contains(unit._sig):
                compile_in_parallel(dtype)
        unit.compile()
        binding.add_symbol(self.symbol(dtype), unit.address)
        return unit

    def address(self, dtype):
        """Return the address of the compiled function. A table needs hundreds of them."""
        return self.addresses.get(dtype) or self.ready(dtype).address

    def __call__(self, dtype, *arguments):
        """Call the kernel from Python; arrays are passed by address."""
        self.entry(dtype)(*[address(a) if isinstance(a, np.ndarray) else a for a in arguments])

    def entry(self, dtype):
        """Return a ctypes function of addresses and integers. It releases the GIL during the call."""
        if dtype not in self.entries:
            words = [ctypes.c_ssize_t] * len(self.arguments(dtype))  # pointers and integers are passed in the same way
            self.entries[dtype] = ctypes.CFUNCTYPE(None, *words)(self.address(dtype))
        return self.entries[dtype]


@intrinsic
def offset(typingctx, base, elements):
    """Return the pointer `elements` elements after `base`."""

    def codegen(context, builder, signature, args):
        return builder.gep(args[0], [args[1]])

    return base(base, types.intp), codegen


def typed_pointer(numba_type):
    """Return an intrinsic that converts an address to a pointer to `numba_type`."""

    @intrinsic
    def typed(typingctx, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(numba_type)(types.intp), codegen

    return typed


@intrinsic
def given(typingctx, pointer):
    """Return whether a pointer is not null."""

    def codegen(context, builder, signature, args):
        return builder.icmp_unsigned("!=", args[0], args[0].type(None))

    return types.boolean(pointer), codegen


@intrinsic
def as_floats(typingctx, pointer):
    """Return the same pointer as a pointer to float64."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float64)(pointer), codegen


@intrinsic
def view(typingctx, base, start, shape):
    """Return the C-contiguous array of `shape` that begins `start` elements after the pointer `base`.

    This is an intrinsic because a function would be compiled again for each type of pointer and of shape.
    """
    sizes = tuple(shape) if isinstance(shape, types.BaseTuple) else (shape,)
    array = types.Array(base.dtype, len(sizes), "C")

    def codegen(context, builder, signature, args):
        lengths = cgutils.unpack_tuple(builder, args[2]) if isinstance(shape, types.BaseTuple) else [args[2]]
        lengths = [context.cast(builder, n, given, types.intp) for n, given in zip(lengths, sizes, strict=True)]
        item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
        strides = [item]
        for n in reversed(lengths[1:]):
            strides.insert(0, builder.mul(n, strides[0]))
        made = make_array(array)(context, builder)
        data = builder.bitcast(builder.gep(args[0], [args[1]]), context.get_data_type(array.dtype).as_pointer())
        populate_array(made, data=data, shape=lengths, strides=strides, itemsize=item, meminfo=None)
        return made._getvalue()

    return array(base, types.intp, shape), codegen


integers, floats = typed_pointer(types.int64), typed_pointer(types.float64)


@jit(inline=True)
def integer(place, column):
    """Return the integer `column` words after an address."""
    return view(integers(place), column, 1)[0]


@intrinsic
def address_of(typingctx, array):
    """Return the address of an array as a signed integer: Numba converts a mixture of signed and unsigned ones to float."""

    def codegen(context, builder, signature, args):
        data = make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, context.get_value_type(types.intp))

    return types.intp(array), codegen


@intrinsic
def call_at(typingctx, address, arguments):
    """Call the C function at `address` with a tuple of pointers, floats and integers."""
    if not isinstance(arguments, types.BaseTuple):
        return None

    def codegen(context, builder, signature, args):
        values = cgutils.unpack_tuple(builder, args[1])
        function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(builder.inttoptr(args[0], function.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(types.intp, arguments), codegen


def calls(kernel):
    """Return an intrinsic that calls `kernel` by its symbol; the caller must list the kernel in its `needs`."""

    @intrinsic
    def call_kernel(typingctx, dtype_like, arguments):
        dtype = dtype_like.dtype.name

        def codegen(context, builder, signature, args):
            kernel.ready(dtype)
            values = cgutils.unpack_tuple(builder, args[1])
            function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            builder.call(cgutils.get_or_insert_function(builder.module, function, kernel.symbol(dtype)), values)
            return context.get_dummy_value()

        return types.void(dtype_like, arguments), codegen

    return call_kernel
