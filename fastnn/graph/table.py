"""A computation graph as a table of text."""

from .value import Value, a_node, topological_order


def names(nodes: list[Value]) -> dict[Value, str]:
    """Return a name for each node of a graph: its label, or n1, n2, …."""
    unnamed = (node for node in nodes if not node.label)
    numbered = {node: f"n{number}" for number, node in enumerate(unnamed, start=1)}
    return {node: node.label or numbered[node] for node in nodes}


def formula_of(node: Value, name: dict[Value, str]) -> str:
    """Return the formula of a node with the names of its inputs; "" for an input of the graph."""
    return node.formula.format(*(name[source] for source, _ in node.inputs))


def describe(root: Value) -> str:
    """Return a table of the graph with a row for each node: name, formula, value, derivative of `root` with respect to it.

    Calls `root.backward()` first.

    Examples
    --------
    >>> x = Value(2.0, "x")
    >>> print(describe((x * x - 1).named("y")))
    node  formula  value  dy/dnode
    x                  2         4
    n1    x * x        4         1
    y     n1 - 1       3         1
    """
    a_node("root", root).backward()
    nodes = topological_order(root)
    name = names(nodes)
    rows = [("node", "formula", "value", f"d{name[root]}/dnode")]
    rows += [(name[node], formula_of(node, name), f"{node.value:.6g}", f"{node.derivative:.6g}") for node in nodes]
    label, formula, value, derivative = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(f"{r[0]:<{label}}  {r[1]:<{formula}}  {r[2]:>{value}}  {r[3]:>{derivative}}" for r in rows)


def print_graph(root: Value) -> None:
    """Print `describe(root)`."""
    print(describe(root))
