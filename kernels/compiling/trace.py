"""Straight-line arithmetic compiled by running it once: every operation on a `Traced` number appends an instruction.

Numba would compile each of these small functions, and each that it calls, as a unit of its own. Run with `Traced` arguments
they write LLVM's instructions straight into the kernel that uses them, in either dtype, for one number or for a vector of
them. A plain number takes the dtype of what it meets; a `Real` has a value for each.
"""

from collections import namedtuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

from ..processor.target import has_fma, vector_bytes

Real = namedtuple("Real", ["float32", "float64"])
DTYPE = {ir.FloatType(): "float32", ir.DoubleType(): "float64"}


def constant(type_, value):
    """`value` as a number of the type, or in every lane of it."""
    return ir.Constant(type_, [value] * type_.count if isinstance(type_, ir.VectorType) else value)


class Traced:
    """A number, or a vector of them, in code that is being written."""

    def __init__(self, builder, value):
        self.builder, self.value, self.type = builder, value, value.type

    @property
    def dtype(self):
        return DTYPE[getattr(self.type, "element", self.type)]

    def like(self, type_):
        """`type_`, with as many lanes as this has."""
        return ir.VectorType(type_, self.type.count) if isinstance(self.type, ir.VectorType) else type_

    def lift(self, number):
        """A plain number as one of this type."""
        if isinstance(number, Traced):
            return number
        return Traced(self.builder, constant(self.type, getattr(number, self.dtype) if isinstance(number, Real) else number))

    def values(self, *numbers):
        return [self.lift(number).value for number in numbers]

    def emit(self, instruction, *numbers):
        return Traced(self.builder, getattr(self.builder, instruction)(self.value, *self.values(*numbers)))

    def compare(self, sign, other):
        return Traced(self.builder, self.builder.fcmp_ordered(sign, *self.values(self, other)))

    def intrinsic(self, name, *numbers):
        """LLVM's function of that name, on this and others like it."""
        lanes = f"v{self.type.count}" if isinstance(self.type, ir.VectorType) else ""
        form = ir.FunctionType(self.type, [self.type] * (1 + len(numbers)))
        # llvmlite's declare_intrinsic refuses vector types: declare by name
        function = cgutils.get_or_insert_function(self.builder.module, form, f"llvm.{name}.{lanes}f{self.dtype[-2:]}")
        return Traced(self.builder, self.builder.call(function, self.values(self, *numbers)))

    def widened(self):
        """This in float64."""
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
        return self.lift(other) + self

    def __rsub__(self, other):
        return self.lift(other) - self

    def __rmul__(self, other):
        return self.lift(other) * self

    def __rtruediv__(self, other):
        return self.lift(other) / self

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
    """Make the function that follows what `public` is in compiled code: run with `Traced` arguments, it writes that code."""

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

        return body

    return bind


@intrinsic
def at_full_width(typingctx):
    """Have the loops of the kernel that begins with this use the widest vectors: on some processors LLVM prefers others."""

    def codegen(context, builder, signature, args):
        # llvmlite has no name for an attribute with a value, but writes out whatever is in the set
        set.add(builder.function.attributes, f'"prefer-vector-width"="{8 * vector_bytes()}"')
        return context.get_dummy_value()

    return types.void(), codegen


def select(condition, a, b):
    """a if the condition holds, else b; compiled code computes both and takes no branch."""
    if not isinstance(condition, Traced):
        return a if condition else b
    number = a if isinstance(a, Traced) else b
    return Traced(condition.builder, condition.builder.select(condition.value, *number.values(a, b)))


def fma(a, b, c):
    """a * b + c, rounded once where the processor can."""
    # where it cannot, llvm.fma is a call of libm: slow, and no loop around it vectorizes
    return a.intrinsic("fma", b, c) if isinstance(a, Traced) and has_fma() else a * b + c


def larger(a, b):
    """The larger of the two; a where b is nan."""
    return select(b > a, b, a)


for function in (select, fma, larger):
    traced(function)(function)
