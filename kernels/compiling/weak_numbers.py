"""Arithmetic of a user's function: whole numbers and new arrays take its arrays' dtype; sums may be added up in any order.

Numba widens what float32 and a whole number give to float64, `total / len(x)` for example, and all that is computed from it:
half as many lanes and conversions. NumPy 2 does not: a Python number takes the dtype of the other operand (NEP 50,
https://numpy.org/neps/nep-0050-scalar-promotion.html). Nor does the compiler use vectors for `total += x[i] * y[i]`, because
it must keep the order of the additions. Both are changed here, in Numba's intermediate representation. It makes a layer
normalization of one's own six times as fast.

- `np.zeros(n)`, `np.ones`, `np.empty`, `np.eye` and `np.identity` without a dtype make arrays of that dtype;
- a whole number is cast where a float meets it in arithmetic, comparisons, `min` and `max`, and where a variable holds whole
  numbers and floats in turn; a float that comes of whole numbers alone, such as `1 / len(x)`, is rounded once;
- what is added or subtracted in place, `total += …` or `total = total + …`, may be added in any order, and together with a
  product. No other operation is, so `(1.0 + x) - 1.0` and compensated sums stay what they are. The largest number of
  a loop, `top = max(top, x[i])`, is found by vectors too (`loop_extremes.py`), and is NaN if one of them is;
- what loops with exp and such functions leave beyond whole vectors is one vector with a mask (`loop_remainders.py`).

`np.float64(…)` stays float64, and so does an array for which it is asked.
"""

import operator
from copy import copy
from functools import cache

import numpy as np
from llvmlite import binding as llvm
from numba import config, types
from numba.core import compiler, errors, ir
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import build_definitions
from numba.core.postproc import PostProcessor
from numba.core.typed_passes import type_inference_stage
from numba.core.untyped_passes import LiteralUnroll, ReconstructSSA
from numba.extending import intrinsic

from ..processor.target import masks_are_free, vector_lanes
from .loop_extremes import EXTREMES, OF_NUMBERS, find_extremes
from .loop_remainders import split_loops

ROUNDS = 3  # a cast can show where another one is needed
COMPARED = operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne
CAST = operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, *COMPARED
IN_PLACE = {operator.add: "fadd", operator.sub: "fsub"}
FREE = "reassoc", "contract"
MAKERS = {np.zeros: 2, np.ones: 2, np.empty: 2, np.identity: 2, np.eye: 4}  # and the position of dtype, from 1


def in_place(instruction, product):
    """Return an intrinsic that adds or subtracts two numbers, or the product of two more, with freedom of order."""

    @intrinsic
    def total(typingctx, before, first, second):
        if not all(isinstance(each, types.Number) for each in (before, first, second)):
            return None  # whole numbers: while types are not yet known
        real = typingctx.unify_types(before, first, second)

        def codegen(context, builder, signature, args):
            added = builder.fmul(args[1], args[2], flags=["contract"]) if product else args[1]
            return getattr(builder, instruction)(args[0], added, flags=FREE)

        return real(real, real, real), codegen

    return total


TOTALS = {(fn, product): in_place(name, product) for fn, name in IN_PLACE.items() for product in (False, True)}


def is_phi(statement):
    return isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Expr) and statement.value.op == "phi"


def is_call(value):
    return isinstance(value, ir.Expr) and value.op == "call" and not value.kws and not value.vararg


def operation(value):
    """Return the function of two numbers that an expression is, such as `operator.add`; None if it is none."""
    op = value.op if isinstance(value, ir.Expr) else None
    return value.fn if op == "binop" else value.immutable_fn if op == "inplace_binop" else None


class Rewriting:
    """Changes of a function in Numba's intermediate representation, in which each variable is assigned once.

    real: the NumPy type of the arrays. types: those of the variables, by name.
    """

    def __init__(self, func_ir, real, types):
        self.blocks, self.real, self.types, self.changed = func_ir.blocks.values(), real, types, False
        self.statements = [each for block in self.blocks for each in block.find_insts(ir.Assign)]
        self.made = {each.target.name: each for each in self.statements}
        self.names = {each.value.name: each.target.unversioned_name for each in self.statements
                      if isinstance(each.value, ir.Var)}

    def type_of(self, variable):
        return self.types.get(variable.name)

    def is_float(self, *variables):
        return all(isinstance(self.type_of(each), types.Float) for each in variables)

    def holds_floats(self, variable):
        """Return whether a variable is a float or an array of them."""
        kind = self.type_of(variable)
        return isinstance(getattr(kind, "dtype", kind), types.Float)

    def is_whole(self, *variables):
        return all(isinstance(self.type_of(each), types.Integer) for each in variables)

    def replace(self, statement, *others):
        """Put other statements in the place of one."""
        block = next(each for each in self.blocks if statement in each.body)
        place = block.body.index(statement)
        block.body[place:place + 1] = others
        self.changed = True

    def call(self, target, function, *arguments):
        """Return the statements that call a function, or a type, of this module."""
        named = ir.Var(target.scope, f"{target.name}.function", target.loc)
        return [ir.Assign(ir.Global("function", function, target.loc), named, target.loc),
                ir.Assign(ir.Expr.call(named, arguments, (), target.loc), target, target.loc)]

    # Whole numbers.

    def cast_all(self):
        for statement in self.statements:
            if isinstance(statement.value, ir.Expr):
                self.cast_in(statement, statement.value, self.type_of(statement.target))

    def cast_in(self, statement, value, result):
        if value.op == "phi" and isinstance(result, types.Float):
            value.incoming_values = self.cast(value.incoming_values)
        elif operation(value):
            operands = [value.lhs, value.rhs]
            if operation(value) in CAST and any(map(self.holds_floats, operands)):
                value.lhs, value.rhs = self.cast(operands)
            else:
                self.round(statement, result, operands)
        elif self.makes_array(value):
            kind = ir.Var(statement.target.scope, f"{statement.target.name}.dtype", statement.loc)
            value.kws = (*value.kws, ("dtype", kind))
            self.replace(statement, ir.Assign(ir.Global("dtype", self.real, statement.loc), kind, statement.loc), statement)
        elif is_call(value):
            function = self.type_of(value.func)
            key = getattr(function, "typing_key", None)
            floats = any(map(self.holds_floats, value.args))
            if floats and (key in (min, max, *OF_NUMBERS.values()) or isinstance(key, np.ufunc)):
                value.args = self.cast(value.args)
            elif not isinstance(function, (types.NumberClass, types.Dispatcher)) or self.made_float(value.func):
                self.round(statement, result, value.args)

    def makes_array(self, value):
        """Return whether an expression makes an array without a given dtype, which is float64."""
        return (value.op == "call" and not value.vararg and "dtype" not in dict(value.kws)
                and len(value.args) < MAKERS.get(getattr(self.type_of(value.func), "typing_key", None), 0))

    def made_float(self, function):
        """Return whether a function is `float`; `np.float64`, of the same type to Numba, is meant."""
        made = self.made[function.name].value
        return isinstance(made, (ir.Global, ir.FreeVar)) and made.value is float

    def cast(self, variables):
        """Return variables with floats in the place of whole numbers; they are computed where those are."""
        return [self.cast_one(each) if isinstance(each, ir.Var) and self.is_whole(each) else each for each in variables]

    def cast_one(self, variable):
        made = ir.Var(variable.scope, f"{variable.name}.real", variable.loc)
        if made.name not in self.made:
            block = next(each for each in self.blocks if self.made[variable.name] in each.body)
            place = block.body.index(self.made[variable.name]) + 1
            while is_phi(block.body[place]):
                place += 1
            block.body[place:place] = added = self.call(made, self.real, variable)
            self.made[made.name], self.changed = added[-1], True
        return made

    def round(self, statement, result, arguments):
        """Cast what a statement computes, if it is float64 only because of whole numbers."""
        wide = any(getattr(kind, "dtype", kind) == types.float64 for kind in map(self.type_of, arguments))
        if result == types.float64 and not wide:
            target = statement.target
            before = ir.Var(target.scope, f"{target.name}.wide", target.loc)
            self.replace(statement, ir.Assign(statement.value, before, statement.loc),
                         *self.call(target, self.real, before))

    # Totals.

    def free_totals(self):
        """Let what is added or subtracted in place be added in any order."""
        for statement in self.statements:
            value, target = statement.value, statement.target
            name = self.names.get(target.name, target.unversioned_name)
            if is_call(value) and len(value.args) == 2 and self.is_float(*value.args):
                fn = getattr(self.type_of(value.func), "typing_key", None)
                if fn in EXTREMES and name in [each.unversioned_name for each in value.args]:
                    self.replace(statement, *self.call(statement.target, EXTREMES[fn], *value.args))
            elif operation(value) in IN_PLACE and self.is_float(value.lhs, value.rhs):
                if value.op == "inplace_binop" or value.lhs.unversioned_name == name:
                    self.free_total(statement, operation(value), value.lhs, value.rhs)

    def free_total(self, statement, fn, before, added):
        made = self.made[added.name].value
        product = operation(made) is operator.mul and self.is_float(made.lhs, made.rhs)
        arguments = (made.lhs, made.rhs) if product else (added, added)
        self.replace(statement, *self.call(statement.target, TOTALS[fn, product], before, *arguments))


def rewrite(state, real):
    """Change the function that is being compiled; if its types are not found, leave it, and let the compiler say why."""
    for block in state.func_ir.blocks.values():
        for each in block.find_insts(ir.Assign):
            if isinstance(each.value, ir.Const) and isinstance(each.value.value, np.floating):
                # Numba compiles expressions of arrays anew, from source, in which NumPy's numbers cannot stand
                each.value = ir.Global("constant", each.value.value, each.loc)
    state.func_ir = with_definitions(state.func_ir)
    for number in range(ROUNDS):
        try:
            found = type_inference_stage(state.typingctx, state.targetctx, state.func_ir, state.args, None, state.locals)
        except errors.NumbaError:
            return
        rewriting = Rewriting(state.func_ir, real, found.typemap)
        if real is not np.float64 and number < ROUNDS - 1:
            rewriting.cast_all()
        if not rewriting.changed:
            rewriting.free_totals()
            state.func_ir = with_definitions(state.func_ir)
            return
        state.func_ir = with_definitions(state.func_ir)


def with_definitions(func_ir):
    """Return the representation with what Numba knows of its variables."""
    made = ir.FunctionIR(func_ir.blocks, func_ir.is_generator, func_ir.func_id, func_ir.loc,
                         build_definitions(func_ir.blocks), func_ir.arg_count, func_ir.arg_names)
    PostProcessor(made).run()
    return made


def vector_by_vector(codegen):
    """Return Numba's generator of code with loops that compute one vector at a time, instead of up to four.

    Four at a time is faster in long loops. Short ones never get there, and compute what is left half a vector at a time.
    """
    made = copy(codegen)

    def builder(opt=config.OPT, loop_vectorize=config.LOOP_VECTORIZE, slp_vectorize=config.SLP_VECTORIZE):
        options = llvm.create_pipeline_tuning_options()
        options.speed_level, options.loop_vectorization, options.slp_vectorization = opt, loop_vectorize, slp_vectorize
        options.loop_interleaving = False
        return llvm.create_pass_builder(codegen._tm, options)

    made._pass_builder = builder
    return made


@cache
def weak_compiler(dtype, separate, short):
    """Return the class of compilers of a user's functions.

    separate: whether the arrays that a function is given are different memory, which LLVM must know to use vectors.
    short: whether its loops are.
    """
    real = np.dtype(dtype).type

    @register_pass(mutates_CFG=False, analysis_only=False)
    class WeakNumbers(FunctionPass):
        _name = f"fastnn_weak_numbers_{dtype}"

        def __init__(self):
            super().__init__()

        def run_pass(self, state):
            rewrite(state, real)
            return True

    @register_pass(mutates_CFG=True, analysis_only=False)
    class WeakLoops(FunctionPass):
        _name = f"fastnn_weak_loops_{dtype}"

        def __init__(self):
            super().__init__()

        def run_pass(self, state):
            find_extremes(state.func_ir)
            if masks_are_free():
                split_loops(state.func_ir, vector_lanes(dtype))
            state.func_ir = with_definitions(state.func_ir)
            return True

    class WeakCompiler(compiler.Compiler):
        def define_pipelines(self):
            state = self.state
            state.flags.noalias = separate
            if short:
                state.library = vector_by_vector(state.targetctx.codegen()).create_library(state.func_id.func_qualname)
            managers = super().define_pipelines()
            managers[0].add_pass_after(WeakNumbers, ReconstructSSA)
            managers[0].add_pass_after(WeakLoops, LiteralUnroll)
            managers[0].finalize()
            return managers

    return WeakCompiler
