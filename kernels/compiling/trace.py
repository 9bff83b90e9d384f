"""Straight-line arithmetic compiled by tracing: each operation on a `Traced` number appends an instruction.

Numba would compile each of these small functions, and each function that it calls, separately. Called with `Traced`
arguments they emit LLVM instructions directly into the kernel that uses them, in either dtype, for one number or for a
vector. A plain number takes the dtype of the other operand; a `Real` has a value for each dtype.
"""

from collections import namedtuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

from ..processor.target import has_fma, vector_bytes

Real = namedtuple("Real", ["float32", "float64"])
DTYPE = {ir.FloatType(): "float32", ir.DoubleType(): "float64"}


def constant(type_, value):
    """Return `value` as a constant of the type; for a vector type, in every lane."""
    return ir.Constant(type_, [value] * type_.count if isinstance(type_, ir.VectorType) else value)


class Traced:
    """A number, or a vector of numbers, in code that is being emitted."""

    def __init__(self, builder, value):
        self.builder, self.value, self.type = builder, value, value.type

    @property
    def dtype(self):
        return DTYPE[getattr(self.type, "element", self.type)]

    def like(self, type_):
        """Return `type_` with the number of lanes of this value."""
        return ir.VectorType(type_, self.type.count) if isinstance(self.type, ir.VectorType) else type_

    def convert(self, number):
        """Convert a plain number to the type of this value."""
        if isinstance(number, Traced):
            return number
        return Traced(self.builder, constant(self.type, getattr(number, self.dtype) if isinstance(number, Real) else number))

    def values(self, *numbers):
        return [self.convert(number).value for number in numbers]

    def emit(self, instruction, *numbers):
        return Traced(self.builder, getattr(self.builder, instruction)(self.value, *self.values(*numbers)))

    def compare(self, sign, other):
        return Traced(self.builder, self.builder.fcmp_ordered(sign, *self.values(self, other)))

    def intrinsic(self, name, *numbers):
        """Call the LLVM intrinsic of that name with this value and others of its type."""
        lanes = f"v{self.type.count}" if isinstance(self.type, ir.VectorType) else ""
        form = ir.FunctionType(self.type, [self.type] * (1 + len(numbers)))
        # llvmlite's declare_intrinsic refuses vector types, so declare by name
        function = cgutils.get_or_insert_function(self.builder.module, form, f"llvm.{name}.{lanes}f{self.dtype[-2:]}")
        return Traced(self.builder, self.builder.call(function, self.values(self, *numbers)))

    def widened(self):
        """Convert to float64."""
        if self.dtype == "float64":
            return self
        return Traced(self.builder, self.builder.fpext(self.value, self.like(ir.DoubleType())))

    def __add__(self, other):
        return self.emit("fadd", other)

    def __sub__(self, other):
        return self.emit("fsub", other)

    def __mul__(self, other):
        return self.emit("fmul", other)

    def __truediv__(self, other):
        return self.emit("fdiv", other)

    def __radd__(self, other):
        return self.convert(other) + self

    def __rsub__(self, other):
        return self.convert(other) - self

    def __rmul__(self, other):
        return self.convert(other) * self

    def __rtruediv__(self, other):
        return self.convert(other) / self

    def __neg__(self):
        return self.emit("fneg")

    def __abs__(self):
        return self.intrinsic("fabs")

    def __lt__(self, other):
        return self.compare("<", other)

    def __gt__(self, other):
        return self.compare(">", other)

    def __eq__(self, other):
        return self.compare("==", other)

    __hash__ = None


def traced(public):
    """Make the following function the compiled form of `public`: called with `Traced` arguments, it emits the code."""

    def bind(body):
        @infer_global(public)
        class Template(AbstractTemplate):
            def generic(self, arguments, keywords):
                real = next((each for each in arguments if each != types.boolean), None)
                real = types.float64 if isinstance(real, types.Integer) else real
                if keywords or not isinstance(real, types.Float):
                    return None
                return signature(real, *(each if each == types.boolean else real for each in arguments))

        @lower_builtin(public, types.VarArg(types.Any))
        def lower(context, builder, signature, arguments):
            return body(*(Traced(builder, each) for each in arguments)).value

        bind_arrays(public)
        return body

    return bind


def bind_arrays(public):
    """Let compiled code call a function of a number with an array, in layers that a user wrote with NumPy."""

    def of_each(x):
        made = np.empty(x.shape, x.dtype)
        for index in np.ndindex(x.shape):
            made[index] = public(x[index])
        return made

    def of_each_in_order(x):
        made = np.empty(x.shape, x.dtype)
        source, target = x.reshape(x.size), made.reshape(x.size)
        for i in range(x.size):
            target[i] = public(source[i])
        return made

    for function in (of_each, of_each_in_order):
        function.__qualname__ = f"{public.__name__}_{function.__name__}"  # unique, because cached code is linked by it

    @infer_global(public)
    class Template(AbstractTemplate):
        def generic(self, arguments, keywords):
            if keywords or len(arguments) != 1 or not isinstance(arguments[0], types.Array):
                return None
            array, = arguments
            made = isinstance(array.dtype, types.Float) and types.Array(array.dtype, array.ndim, "C")
            return signature(made, array) if made else None

    @lower_builtin(public, types.Array)
    def lower(context, builder, signature, arguments):
        function = of_each_in_order if signature.args[0].layout == "C" else of_each
        return context.compile_internal(builder, function, signature, arguments)


@intrinsic
def at_full_width(typingctx):
    """Compile the loops of the calling kernel with the widest vectors; on some processors LLVM prefers narrower ones."""

    def codegen(context, builder, signature, args):
        # llvmlite has no attributes with a value, but writes out any string in the set
        set.add(builder.function.attributes, f'"prefer-vector-width"="{8 * vector_bytes()}"')
        return context.get_dummy_value()

    return types.void(), codegen


def select(condition, a, b):
    """Return a if the condition holds, else b; compiled code computes both, without a branch."""
    if not isinstance(condition, Traced):
        return a if condition else b
    number = a if isinstance(a, Traced) else b
    return Traced(condition.builder, condition.builder.select(condition.value, *number.values(a, b)))


def fma(a, b, c):
    """Return a * b + c, rounded once if the processor has fused multiply-add."""
    # without the instruction, llvm.fma is a call of libm, which is slow and prevents vectorization
    return a.intrinsic("fma", b, c) if isinstance(a, Traced) and has_fma() else a * b + c


def larger(a, b):
    """Return the larger of the two; a if b is nan."""
    return select(b > a, b, a)


for function in (select, fma, larger):
    traced(function)(function)
