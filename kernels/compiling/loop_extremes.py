"""The largest, or the smallest, number of a loop in a user's function, `top = max(top, x[i])`, found by vectors.

A vector instruction for the larger of two numbers has no regard to NaN. To make NaN of NaN takes three instructions, one
after another, at each step of the loop and each time the last vector is halved. So the loop notes in a variable of its own
whether there was a NaN, which costs nothing beside it, and the result becomes NaN after the loop. So does `min`.
"""

from llvmlite import ir as ir_of_llvm
from numba import types
from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic


def extreme(name, sign, flags):
    """Return an intrinsic that is the larger, or the smaller, of two numbers.

    flags: "nsz" if the sign of zero does not matter, which would take as long as all the rest; "nnan" if there is no NaN.
    """

    @intrinsic
    def found(typingctx, first, second):
        if not all(isinstance(each, types.Number) for each in (first, second)):
            return None
        kind = typingctx.unify_types(first, second)

        def codegen(context, builder, signature, args):
            if not isinstance(kind, types.Float):
                compare = builder.icmp_signed if kind.signed else builder.icmp_unsigned
                return builder.select(compare(sign, *args), *args)
            form = ir_of_llvm.FunctionType(args[0].type, [args[0].type] * 2)
            function = get_or_insert_function(builder.module, form, f"llvm.{name}.f{kind.bitwidth}")
            return builder.call(function, args, fastmath=flags)

        return kind(kind, kind), codegen

    return found


EXTREMES = {max: extreme("maximum", ">", ("nsz",)), min: extreme("minimum", "<", ("nsz",))}  # NaN if one of them is
OF_NUMBERS = {max: extreme("maximum", ">", ("nsz", "nnan")), min: extreme("minimum", "<", ("nsz", "nnan"))}


def is_nan(builder, kind, value):
    return builder.fcmp_unordered("uno", value, value) if isinstance(kind, types.Float) else ir_of_llvm.IntType(1)(0)


@intrinsic
def note_nan(typingctx, before, number):
    """Return 1 if a number is NaN, else what was noted before."""
    if not isinstance(number, types.Number):
        return None

    def codegen(context, builder, signature, args):
        return builder.select(is_nan(builder, number, args[1]), args[0].type(1), args[0])

    return types.int8(types.int8, number), codegen  # any wider, and fewer numbers fit into a vector


@intrinsic
def settled(typingctx, noted, number):
    """Return NaN if one was noted, else the number."""
    if not isinstance(number, types.Number):
        return None

    def codegen(context, builder, signature, args):
        if not isinstance(number, types.Float):
            return args[1]
        nan = ir_of_llvm.Constant(args[1].type, float("nan"))
        return builder.select(builder.icmp_signed("!=", args[0], args[0].type(0)), nan, args[1])

    return number(types.int8, number), codegen


def find_extremes(func_ir):
    """Change each `top = max(top, …)` in a loop that ends in one place and does nothing else with `top`."""
    blocks = func_ir.blocks
    graph = compute_cfg_from_blocks(blocks)
    loops = graph.loops()
    for loop in loops.values():
        innermost = not {*loops} & {*loop.body} - {loop.header}
        leaves = {label for label in loop.body for after, _ in graph.successors(label) if after not in loop.body}
        iterates = any(is_expression(each.value, "iternext") for each in blocks[loop.header].find_insts(ir.Assign))
        if innermost and iterates and leaves == {loop.header} and len(loop.entries) == 1:
            for label in sorted(loop.body):
                for statement in [*blocks[label].find_insts(ir.Assign)]:
                    change(blocks, loop, label, statement)


def is_expression(value, op):
    return isinstance(value, ir.Expr) and value.op == op


def change(blocks, loop, label, statement):
    """Change a statement, if it gives a name to the larger of what has that name and another number."""
    function = extreme_called(blocks, statement)
    if function is None:
        return
    top, arguments = statement.target, statement.value.args
    other = [each for each in arguments if each.name != top.name]
    uses = [each for within in loop.body for each in blocks[within].body if top.name in {v.name for v in each.list_vars()}]
    if len(other) != 1 or len(uses) != 1:
        return
    loc, scope = statement.loc, top.scope
    noted, zero = (scope.get_or_define(f"${top.name}.{name}", loc) for name in ("nan", "zero"))

    def called(target, function, *arguments):
        variable = scope.get_or_define(f"{noted.name}.{function.__name__}", loc)
        return [ir.Assign(ir.Global(function.__name__, function, loc), variable, loc),
                ir.Assign(ir.Expr.call(variable, arguments, (), loc), target, loc)]

    body = blocks[label].body
    place = body.index(statement)
    body[place:place + 1] = [*called(top, OF_NUMBERS[function], *arguments), *called(noted, note_nan, noted, *other)]
    before = blocks[next(iter(loop.entries))].body
    before[-1:-1] = [ir.Assign(ir.Const(0, loc), zero, loc), *called(noted, note_nan, zero, top)]
    header, after = blocks[loop.header], max(blocks) + 1
    end = header.terminator
    blocks[after] = ir.Block(header.scope, loc)
    blocks[after].body = [*called(top, settled, noted, top), ir.Jump(end.falsebr, loc)]
    header.body[-1] = ir.Branch(end.cond, end.truebr, after, end.loc)


def extreme_called(blocks, statement):
    """Return the function, `max` or `min`, that a statement calls with two numbers; None if it is none."""
    call = statement.value
    if not is_expression(call, "call") or call.kws or call.vararg or len(call.args) != 2:
        return None
    made = [each.value for block in blocks.values() for each in block.find_insts(ir.Assign)
            if each.target.name == call.func.name]
    found = len(made) == 1 and isinstance(made[0], ir.Global) and made[0].value
    return found if found in (max, min) else None
