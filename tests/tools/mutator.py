"""Mutants: copies of a source with one small thing wrong, made by its syntax tree, to see whether the tests notice.

What is changed: an operator for its opposite, the boundary and the sense of a comparison, `and` for `or`, a condition for
its negation, a number for the next or the one before or its negative, True for False, min for max, the bounds of a range,
the value that is returned; and a statement that has an effect is left out.

What is not: docstrings and texts, annotations, decorators, imports, `__repr__`, and what a `raise` or `warn` says. Nor what
cannot be told from outside, or fails whatever is tested:

- the length that `view` or `carray` claims where it is a number as it stands: one element of it is read
- the index of that one element, 0, as −1, which is the same
- the grain of `share`, `at_full_width`, and whether a kernel is inlined or kept on disk: they are matters of speed
- a run of names for the numbers of a range: which number is whose does not matter
- that a function returns the one which it has just made, or a `Kernel`: nothing would run without
"""

import ast
from dataclasses import dataclass

OPPOSITE = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is], ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
SAID = {"warn", "warn_once"}  # functions to which only what they say is given
SKIPPED_FUNCTIONS = {"__repr__"}
OF_SPEED = {"at_full_width"}  # functions
SPEED_ARGUMENTS = {"inline", "cached", "any_order", "parallel", "moves_addresses", "needs"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file: in which line and from which column, from what to what, and the source that comes of it."""

    path: str
    line: int
    column: int
    before: str
    after: str
    source: str

    def __str__(self):
        return f"{self.path}:{self.line}:{self.column}: {self.before} → {self.after}"


def mutants(path, source):
    """All mutants of a source, in the order of the file."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
            inner = {each.name for each in ast.walk(node) if isinstance(each, ast.FunctionDef)}
            node.body[-1].value.made_here = getattr(node.body[-1].value, "id", None) in inner
    made, seen = [], {ast.unparse(tree)}
    for put, node in places(tree):
        for other in replacements(node):
            ast.fix_missing_locations(ast.copy_location(other, node))
            before, after = (shown(each) for each in (node, other))
            put(other)
            text = ast.unparse(tree)
            put(node)
            if text not in seen:
                seen.add(text)
                made.append(Mutant(path, node.lineno, node.col_offset + 1, before, after, text + "\n"))
    return sorted(made, key=lambda mutant: mutant.line)


def shown(node):
    """A node in one short line."""
    if isinstance(node, ast.Pass):
        return "(nothing)"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}…"


def places(parent):
    """(put, node) of every node that may be replaced: put(other) sets another in its place."""
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or left_alone(node):
                continue
            node.alone = field == "slice" and of_one_element(parent)
            if field == "args" and last_argument_left_alone(parent) and node is value[-1]:
                continue
            if hasattr(node, "lineno"):
                yield putter(parent, field, index if isinstance(value, list) else None), node
            if not isinstance(node, ast.Raise):  # what it says
                yield from places(node)


def putter(parent, field, index):
    def put(other):
        if index is None:
            setattr(parent, field, other)
        else:
            getattr(parent, field)[index] = other

    return put


def left_alone(node):
    """What is no behavior: imports, texts, a function that only shows something, what a warning says."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.FunctionDef) and node.name in SKIPPED_FUNCTIONS:
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and called(node.value) == "range":
        return True
    if isinstance(node, ast.keyword):
        return node.arg in SPEED_ARGUMENTS
    return called(node.value if isinstance(node, ast.Expr) else node) in SAID | OF_SPEED


def called(node):
    """The name of the function that a call calls; of whatever else, none."""
    return getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""


def of_one_element(subscript):
    """Whether what is indexed is a `view` or `carray` of one element."""
    call = subscript.value
    return called(call) in ("view", "carray") and isinstance(call.args[-1], ast.Constant) and call.args[-1].value == 1


def last_argument_left_alone(call):
    """Whether the last argument is a matter of speed alone, or claims what nobody reads."""
    return called(call) == "share" or (called(call) in ("view", "carray") and isinstance(call.args[-1], ast.Constant))


def replacements(node):
    """What may stand in place of a node."""
    make = {ast.BinOp: of_operator, ast.BoolOp: of_operator, ast.AugAssign: of_addition, ast.Compare: of_comparison,
            ast.Constant: of_constant, ast.UnaryOp: of_sign, ast.If: of_condition, ast.While: of_condition,
            ast.IfExp: of_condition, ast.Call: of_call, ast.Return: of_return, ast.Expr: nothing, ast.Raise: nothing,
            ast.Assign: of_assignment, ast.Continue: nothing, ast.Break: nothing}.get(type(node))
    return make(node) if make else []


def like(node, **changes):
    """A copy of a node with other fields."""
    return type(node)(**{**dict(ast.iter_fields(node)), **changes})


def nothing(node):
    return [ast.Pass()]


def of_operator(node):
    other = OPPOSITE.get(type(node.op))
    return [like(node, op=other())] if other else []


def of_addition(node):
    return [*of_operator(node), ast.Assign([node.target], node.value), ast.Pass()]


def of_comparison(node):
    made = []
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS.get(type(operator), []):
            made.append(like(node, ops=[*node.ops[:index], other(), *node.ops[index + 1:]]))
    return made


def of_constant(node):
    if isinstance(node.value, bool):
        return [ast.Constant(not node.value)]
    if isinstance(node.value, int):
        return [ast.Constant(node.value + 1), *([] if node.alone else [ast.Constant(node.value - 1)])]
    if isinstance(node.value, float):
        changed = ast.Constant(1.0) if node.value == 0 else ast.UnaryOp(ast.USub(), ast.Constant(node.value))
        return [changed, ast.Constant(node.value * 1.01 if node.value else -1.0)]
    return []


def of_sign(node):
    return [node.operand]


def of_condition(node):
    test = node.test.operand if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not) else None
    return [like(node, test=test or ast.UnaryOp(ast.Not(), node.test))]


def of_call(node):
    name = getattr(node.func, "id", None)
    if name in NAMES and node.args:
        return [like(node, func=ast.Name(NAMES[name], ast.Load()))]
    if name != "range":
        return []
    begin, end, *step = node.args if len(node.args) > 1 else [ast.Constant(0), *node.args]
    one = ast.Constant(1)
    return [like(node, args=[ast.BinOp(begin, ast.Add(), one), end, *step]),
            like(node, args=[begin, ast.BinOp(end, ast.Sub(), one), *step])]


def of_return(node):
    if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
        return [ast.Pass()]
    if called(node.value) == "Kernel" or getattr(node.value, "made_here", False):
        return []
    return [ast.Return(ast.Constant(None))]


def of_assignment(node):
    """Left out where the name is there without it: an element, an attribute; elsewhere it would only fail to run."""
    return [ast.Pass()] if all(isinstance(each, ast.Subscript | ast.Attribute) for each in node.targets) else []
