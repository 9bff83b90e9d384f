"""Whether a user's function computes each element from those at the same place, so that samples may follow each other.

Such a function is called with many samples as one long array, which is a loop that fills vectors, instead of once for each
sample, which leaves a part of a vector each time. It consists of loops `for i in range(len(x))` whose index does nothing
but read and write arrays, and in which no number is carried from one iteration to the next.
"""

import builtins
import dis
import math
import types

import numpy as np
from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks, compute_live_map, compute_use_defs
from numba.core.compiler import run_frontend
from numba.core.errors import NumbaError

from ...compiling.loop_extremes import is_expression
from ...compiling.user_functions import names_in

KNOWN = abs, bool, float, int, len, max, min, range
RAISING = "RAISE_VARARGS", "LOAD_ASSERTION_ERROR"


def is_by_element(function, arrays):
    """Return whether a function computes each element by itself; arrays are the names of its arguments that are arrays."""
    if raises(function, set()):
        return False
    try:
        blocks = run_frontend(function).blocks
    except (NumbaError, NotImplementedError):
        return False  # the compiler will say why
    statements = [each for block in blocks.values() for each in block.body]
    made = {}
    for each in statements:
        if isinstance(each, ir.Assign):
            made.setdefault(each.target.name, []).append(each.value)
    indices = indices_of(made)
    return all(allowed(each, made, {*arrays}, indices) for each in statements) and loops_are_free(blocks)


def raises(function, seen):
    """Return whether a function, or one that it calls, may raise an exception of its own or cannot be looked into."""
    if function in seen:
        return False
    seen.add(function)
    if function.__closure__:
        return True
    read = [function.__globals__[name] for name in names_in(function.__code__) if name in function.__globals__]
    return (any(each.opname in RAISING for each in dis.get_instructions(function))
            or any(raises(each, seen) if isinstance(each, types.FunctionType) else not is_plain(each) for each in read))


def is_plain(value):
    """Return whether what a function reads from its module is a number, or one of the modules and functions of numbers."""
    return value is math or value is np or isinstance(value, (bool, int, float, np.generic, np.ufunc)) or (
        isinstance(value, types.BuiltinFunctionType) and value.__module__ in ("math", "builtins"))


def value_of(made, variable):
    """Return what a variable is, through names that are given once; None if it has several values."""
    values = made.get(variable.name, [])
    while len(values) == 1 and isinstance(values[0], ir.Var):
        values = made.get(values[0].name, [])
    return values[0] if len(values) == 1 else None


def is_call_of(value, made, function):
    named = value_of(made, value.func) if is_expression(value, "call") else None
    return isinstance(named, ir.Global) and named.value is function and len(value.args) == 1 and not value.kws


def indices_of(made):
    """Return the names of variables that are nothing but an index of a loop over `range(len(…))`."""
    found = set()
    for _ in range(3):  # an index has a name of the interpreter's, then one of the user's
        for name, values in made.items():
            if all((isinstance(each, ir.Var) and each.name in found) or is_index(each, made) for each in values):
                found.add(name)
    return found


def is_index(value, made):
    """Return whether a value is the next number of an iterator over `range(len(…))`."""
    pair = value_of(made, value.value) if is_expression(value, "pair_first") else None
    iterator = value_of(made, pair.value) if is_expression(pair, "iternext") else None
    ranged = value_of(made, iterator.value) if is_expression(iterator, "getiter") else None
    return is_call_of(ranged, made, range) and is_call_of(value_of(made, ranged.args[0]), made, len)


def allowed(statement, made, arrays, indices):
    """Return whether a statement uses arrays, indices and lengths only as a loop over elements does."""
    if isinstance(statement, ir.SetItem):
        written = statement.target.name in arrays and statement.index.name in indices
        return written and statement.value.name not in arrays | indices
    if isinstance(statement, (ir.Jump, ir.Branch, ir.Return)):
        return True
    if not isinstance(statement, ir.Assign):
        return isinstance(statement, ir.Del)
    value = statement.value
    if isinstance(value, ir.Arg) or (is_expression(value, "getitem") and value.value.name in arrays):
        return isinstance(value, ir.Arg) or value.index.name in indices
    if is_call_of(value, made, len):
        return value.args[0].name in arrays
    if is_call_of(value, made, range) or is_index(value, made):
        return True
    if isinstance(value, ir.Var) and value.name in indices:
        return statement.target.name in indices
    lengths = {name for name, values in made.items() if any(is_call_of(each, made, len) for each in values)}
    variables = [value] if isinstance(value, ir.Var) else value.list_vars() if isinstance(value, ir.Expr) else []
    read = {each.name for each in variables}
    if is_expression(value, "call"):
        named = value_of(made, value.func)
        if isinstance(named, ir.Global) and getattr(builtins, named.name, None) is named.value and named.value not in KNOWN:
            return False
    return not read & (arrays | indices | lengths) and statement.target.name not in arrays | indices


def loops_are_free(blocks):
    """Return whether loops stand beside each other, end in one place, and carry nothing from one iteration to the next."""
    graph, uses = compute_cfg_from_blocks(blocks), compute_use_defs(blocks)
    live = compute_live_map(graph, blocks, uses.usemap, uses.defmap)
    loops = graph.loops()
    for loop in loops.values():
        assigned = {each.target.name for label in loop.body for each in blocks[label].find_insts(ir.Assign)}
        leaving = {label for label in loop.body for after, _ in graph.successors(label) if after not in loop.body}
        within = {*loops} & {*loop.body} - {loop.header}
        carried = assigned & {*live[loop.header]}
        if within or leaving != {loop.header} or carried or not any(
                is_expression(each.value, "iternext") for each in blocks[loop.header].find_insts(ir.Assign)):
            return False
    return bool(loops)
