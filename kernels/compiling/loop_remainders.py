"""Loops of a user's function in two: over whole vectors, and over what is left, which is one vector with a mask.

LLVM computes what a loop leaves beyond its last whole vector half a vector at a time, and the rest number by number, so 10
numbers take as long as three vectors of 16. But a loop that has fewer iterations than a vector has lanes is computed at
once, with masked loads and stores. So each innermost loop that calls functions such as exp is made two,

    for i in range(n):              for i in range(n rounded down to whole vectors):
        …                               …
                                    for i in range(n rounded down to whole vectors, n):
                                        …

before Numba gives each value of a variable its own name, so a sum runs on from the first loop to the second. Loops of
arithmetic alone stay one: a few numbers by themselves take less time than a mask and adding up a vector.
"""

from copy import copy

from numba import types
from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks
from numba.extending import intrinsic

from .loop_extremes import OF_NUMBERS, is_expression, note_nan

CHEAP = {abs, bool, float, int, len, max, min, note_nan, *OF_NUMBERS.values()}


def ends(lanes):
    """Return intrinsics that give, for a loop from `start` to `stop`, where its last whole vector ends, and where it ends.

    The second is computed from the first, so that LLVM sees that fewer than `lanes` iterations are left.
    """

    @intrinsic
    def end_of_vectors(typingctx, start, stop):
        def codegen(context, builder, signature, args):
            return builder.add(args[0], builder.and_(count(builder, *args), args[0].type(-lanes)))

        return types.intp(types.intp, types.intp), codegen

    @intrinsic
    def end_of_loop(typingctx, start, stop, middle):
        def codegen(context, builder, signature, args):
            return builder.add(args[2], builder.and_(count(builder, *args[:2]), args[0].type(lanes - 1)))

        return types.intp(types.intp, types.intp, types.intp), codegen

    return end_of_vectors, end_of_loop


def count(builder, start, stop):
    """Emit the number of iterations."""
    found = builder.sub(stop, start)
    return builder.select(builder.icmp_signed(">", found, found.type(0)), found, found.type(0))


ENDS = {lanes: ends(lanes) for lanes in (2, 4, 8, 16)}  # Numba must know them before it compiles


def split_loops(func_ir, lanes):
    """Make two of each innermost loop that calls functions, for vectors of that many lanes."""
    blocks, loops = func_ir.blocks, compute_cfg_from_blocks(func_ir.blocks).loops()
    named = {each.target.name: each.value for block in blocks.values() for each in block.find_insts(ir.Assign)}
    for loop in loops.values():
        innermost = not {*loops} & {*loop.body} - {loop.header}
        if innermost and any(calls(blocks[label], named) for label in loop.body):
            split(blocks, loop, lanes)


def calls(block, named):
    """Return whether a block calls a function that takes longer than a step of arithmetic."""
    called = [named.get(each.value.func.name) for each in block.find_insts(ir.Assign) if is_expression(each.value, "call")]
    return any(not isinstance(each, (ir.Global, ir.FreeVar)) or each.value not in CHEAP for each in called)


def split(blocks, loop, lanes):
    """Make two of a loop, if it is over a range in steps of 1 that is entered in one place."""
    header = blocks[loop.header]
    step = next((each for each in header.find_insts(ir.Assign) if is_expression(each.value, "iternext")), None)
    if step is None or len(loop.entries) != 1 or not isinstance(header.terminator, ir.Branch):
        return
    before = blocks[next(iter(loop.entries))]
    ranged = range_of({each.target.name: each for each in before.find_insts(ir.Assign)}, step.value.value)
    if ranged is None:
        return
    call, scope, loc = ranged.value, ranged.target.scope, ranged.loc

    def assigned(name, value):
        variable = scope.get_or_define(f"{ranged.target.name}.{name}", loc)
        return variable, ir.Assign(value, variable, loc)

    zero, make_zero = assigned("zero", ir.Const(0, loc))
    start, stop = call.args if len(call.args) == 2 else (zero, call.args[0])
    (of_middle, find_of_middle), (of_end, find_of_end) = (assigned(each.__name__, ir.Global(each.__name__, each, loc))
                                                          for each in ENDS[lanes])
    middle, find_middle = assigned("middle", ir.Expr.call(of_middle, (start, stop), (), loc))
    end, find_end = assigned("end", ir.Expr.call(of_end, (start, stop, middle), (), loc))
    rest, make_rest = assigned("rest", ir.Expr.call(call.func, (middle, end), (), loc))
    iterator, make_iterator = assigned("iterator", ir.Expr.getiter(rest, loc))
    place = before.body.index(ranged)
    before.body[place:place + 1] = [make_zero, find_of_middle, find_of_end, find_middle, find_end,
                                    ir.Assign(ir.Expr.call(call.func, (start, middle), (), loc), ranged.target, loc)]

    first = max(blocks) + 1
    labels = {label: first + number for number, label in enumerate(sorted(loop.body))}
    for label, other in labels.items():
        blocks[other] = copied(blocks[label], labels)
    between = max(blocks) + 1
    blocks[between] = ir.Block(header.scope, loc)
    blocks[between].body = [make_rest, make_iterator, ir.Assign(iterator, step.value.value, loc),
                            ir.Jump(labels[loop.header], loc)]
    header.body[-1] = mapped(header.terminator, {header.terminator.falsebr: between})


def range_of(made, iterator):
    """Return the statement that calls `range` for an iterator, with one or two numbers, not all constants; or None."""
    statement = made.get(iterator.name)
    while statement is not None and not is_expression(statement.value, "call"):
        value = statement.value.value if is_expression(statement.value, "getiter") else statement.value
        statement = made.get(value.name) if isinstance(value, ir.Var) else None
    if statement is None or statement.value.kws or statement.value.vararg or len(statement.value.args) not in (1, 2):
        return None
    function = made.get(statement.value.func.name)
    known = all(each.name in made and isinstance(made[each.name].value, ir.Const) for each in statement.value.args)
    is_range = function is not None and isinstance(function.value, ir.Global) and function.value.value is range
    return statement if is_range and not known else None


def copied(block, labels):
    """Return a copy of a block of a loop, which jumps to the copies of the others."""
    made = ir.Block(block.scope, block.loc)
    made.body = [mapped(each, labels) for each in block.body]
    return made


def mapped(statement, labels):
    """Return a copy of a statement; jumps go to the labels that take the place of theirs."""
    made = copy(statement)
    if isinstance(made, ir.Jump):
        made.target = labels.get(made.target, made.target)
    elif isinstance(made, ir.Branch):
        made.truebr, made.falsebr = (labels.get(each, each) for each in (made.truebr, made.falsebr))
    elif isinstance(made, ir.Assign) and isinstance(made.value, ir.Expr):
        made.value = copy(made.value)
        made.value._kws = dict(made.value._kws)
    return made
