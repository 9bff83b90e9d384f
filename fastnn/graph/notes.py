"""The notes' own computation graph."""

from .value import Value


def notes_example() -> Value:
    """Build the notes' graph: u = b c, v = a + u, J = 3 v at a = 5, b = 3, c = 2.

    Examples
    --------
    >>> from fastnn.graph import notes_example, topological_order
    >>> J = notes_example()
    >>> J.backward()
    >>> {node.label: node.derivative for node in topological_order(J)}
    {'a': 3.0, 'b': 6.0, 'c': 9.0, 'u': 3.0, 'v': 3.0, 'J': 1.0}
    """
    a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
    u = (b * c).named("u")
    v = (a + u).named("v")
    return (3 * v).named("J")
