"""The notes' computation graph: numbers that record how they were computed, and derivatives by the chain rule.

Every node of the graph is one number. The local derivatives with respect to its inputs are computed together with it.
`backward` then walks the graph from the result to the inputs. The derivative of the result J with respect to a node is a sum
over all nodes that use it:

    dJ/du = Σ_v dJ/dv · dv/du

The notes' example is J = 3(a + b c) at a = 5, b = 3, c = 2 (incorrectly 3a + 3b in the transcript):

>>> from fastnn.graph import notes_example, print_graph
>>> J = notes_example()
>>> print_graph(J)
node  formula  value  dJ/dnode
a                  5         3
b                  3         6
c                  2         9
u     b * c        6         3
v     a + u       11         3
J     3 * v       33         1

A whole network is such a graph too (`network_loss`), with the same derivatives as in the compiled kernels. `draw` draws
either.
"""

from .drawing import draw
from .network import derivatives, network_loss
from .notes import notes_example
from .table import describe, print_graph
from .value import Value, activate, activate_row, exp, log, relu, sigmoid, tanh, topological_order

__all__ = [
    "Value",
    "activate",
    "activate_row",
    "derivatives",
    "describe",
    "draw",
    "exp",
    "log",
    "network_loss",
    "notes_example",
    "print_graph",
    "relu",
    "sigmoid",
    "tanh",
    "topological_order",
]


def __dir__():
    return __all__
