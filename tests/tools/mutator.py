"""Mutants: copies of a source with one small fault, made in its syntax tree, to see whether the tests detect it.

The faults: the opposite operator, the boundary or the direction of a comparison, `and` for `or`, a negated condition, a
number plus or minus one or negated, True for False, min for max, the bounds of a range, the returned value; and a statement
with an effect is left out.

No mutants are made of docstrings and texts, annotations, decorators, imports, `__repr__`, and the texts of `raise` or
`warn`. Nor of code whose change has no visible effect, or always fails:

- a literal length of `view` or `carray`, of which only one element is read
- the index 0 of that element, because −1 is the same
- the grain of `share`, `at_full_width`, and whether a kernel is inlined or cached, which affect only the speed
- names for the numbers of a range, whose values do not matter
- that a factory returns its function, or a `Kernel`, without which nothing would run
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
    """One change of one file: its line and column, the text before and after, and the changed source."""

    path: str
    line: int
    column: int
    before: str
    after: str
    source: str

    def __str__(self):
        return f"{self.path}:{self.line}:{self.column}: {self.before} → {self.after}"


def mutants(path, source):
    """Return all mutants of a source, in file order."""
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
    """Return a node as one short line."""
    if isinstance(node, ast.Pass):
        return "(nothing)"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}…"


def places(parent):
    """Yield (put, node) for every node that may be replaced: put(other) replaces it."""
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
    """Return whether a node is not behavior: imports, texts, a function for printing, the text of a warning."""
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
    """Return the name of the function of a call; "" for other nodes."""
    return getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""


def of_one_element(subscript):
    """Return whether the indexed object is a `view` or `carray` of one element."""
    call = subscript.value
    return called(call) in ("view", "carray") and isinstance(call.args[-1], ast.Constant) and call.args[-1].value == 1


def last_argument_left_alone(call):
    """Return whether the last argument affects only the speed, or a length that is not used."""
    return called(call) == "share" or (called(call) in ("view", "carray") and isinstance(call.args[-1], ast.Constant))


def replacements(node):
    """Yield replacements of a node."""
    make = {ast.BinOp: of_operator, ast.BoolOp: of_operator, ast.AugAssign: of_addition, ast.Compare: of_comparison,
            ast.Constant: of_constant, ast.UnaryOp: of_sign, ast.If: of_condition, ast.While: of_condition,
            ast.IfExp: of_condition, ast.Call: of_call, ast.Return: of_return, ast.Expr: nothing, ast.Raise: nothing,
            ast.Assign: of_assignment, ast.Continue: nothing, ast.Break: nothing}.get(type(node))
    return make(node) if make else []


def like(node, **changes):
    """Return a copy of a node with other fields."""
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
    """Leave out a statement only if its name exists without it: an element, an attribute. Otherwise it would always fail."""
    return [ast.Pass()] if all(isinstance(each, ast.Subscript | ast.Attribute) for each in node.targets) else []
