"""Nodes: the tensors of a graph, before a network is made of it. A call of a layer on nodes gives a node.

    x = Input(4, name="table")
    h = Dense(64, "relu")(x, name="hidden")
    net = Network(inputs=x, outputs=Dense(3, "softmax")(h + Dense(64)(x)))

Nodes keep the layers that made them and what these read, nothing else. `fastnn.architecture.from_nodes` puts them in order.
"""

import re

import numpy as np

from ..checks import shown
from . import numpy_habits, operators
from .operators import OWN_LAYER
from .ragged import input_shape, is_ragged
from .ragged import output_shape as output_shape_of

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


def checked_name(name):
    """Return the name of a node, or None for an automatic one."""
    if name is None or (isinstance(name, str) and NAME.fullmatch(name)):
        return name
    raise ValueError(f"name is {shown(name)}; it must begin with a letter and have letters, digits, _ and - only, with dots "
                     "between words, such as 'encoder.first'")


class Site:
    """Where the layers of one call stand: they are named after the call and use its parameters.

    Attributes
    ----------
    called : object
        What the user called: a layer, a block of layers or a `Shared`.
    name : str or None
        The name of the call.
    shares : bool
        Whether all calls of the same object use one set of parameters.
    single : bool
        Whether the call makes one layer, which then has the name of the call.
    """

    def __init__(self, called, name=None, shares=False, single=False):
        self.called, self.name, self.shares, self.single = called, checked_name(name), shares, single
        self.made = 0  # layers so far

    def node(self, layer, reads):
        """Return the node of the next layer of the call."""
        number, self.made = self.made, self.made + 1
        name = self.name if self.single or self.name is None else f"{self.name}.{number}"
        return Node(layer, reads, output_shape(layer, reads), name, self, number)

    def inner(self, called, shares):
        """Return the site of a call within this one."""
        self.made += 1
        return Site(called, None if self.name is None else f"{self.name}.{self.made - 1}", shares, is_single(called))

    @property
    def owner(self):
        """What the parameters belong to: one call, or the object that shares them among its calls."""
        return self.called if self.shares else self


class Node:
    """A tensor of a graph: an input, or the output of a layer.

    Nodes are made by `Input` and by calls of layers. The operators +, -, * and / join nodes or scale them by numbers, and
    `node[2:5]` takes features, the last axis of a sample.

    Attributes
    ----------
    layer : Layer or None
        The layer whose output it is; None for an input.
    reads : tuple of Node
        What the layer reads.
    shape : tuple of int
        That of a sample.
    name : str or None
        As it was given.
    """

    __slots__ = "layer", "name", "number", "reads", "shape", "site"
    __iter__ = None

    def __init__(self, layer, reads, shape, name=None, site=None, number=0):
        self.layer, self.reads, self.shape, self.name = layer, reads, shape, name
        self.site, self.number = site, number

    @property
    def owner(self):
        """What its parameters belong to, as of a `Site`; a layer that is called by itself has no site."""
        return self if self.site is None else self.site.owner

    def __repr__(self):
        name, what = "" if self.name is None else f" {self.name!r}", "Input" if self.layer is None else repr(self.layer)
        return f"<{what}{name}, shape {self.shape}>"

    def __getitem__(self, index):
        return operators.part(self, index)

    def __add__(self, other):
        return operators.join("Add", self, other) if isinstance(other, Node) else operators.scale(self, 1.0, other)

    def __radd__(self, other):
        return operators.scale(self, 1.0, other)

    def __sub__(self, other):
        if isinstance(other, Node):
            return operators.join("Subtract", self, other)
        return operators.scale(self, 1.0, other, negated=True)

    def __rsub__(self, other):
        return operators.scale(self, -1.0, other)

    def __neg__(self):
        return operators.scale(self, -1.0, 0.0)

    def __mul__(self, other):
        return operators.join("Multiply", self, other) if isinstance(other, Node) else operators.scale(self, other, 0.0)

    def __rmul__(self, other):
        return operators.scale(self, other, 0.0)

    def __truediv__(self, other):
        if isinstance(other, Node):
            raise ValueError(f"a node cannot be divided by a node; multiply it, or {OWN_LAYER}")
        return operators.divide(self, other)

    def __rtruediv__(self, other):
        raise ValueError(f"{shown(other)} cannot be divided by a node; {OWN_LAYER}")

    def __pow__(self, other):
        return operators.power(self, other)

    def __rpow__(self, other):
        raise ValueError(f"{shown(other)} ** a node is not there; {OWN_LAYER}")

    def __matmul__(self, other):
        raise ValueError("a node @ … is not there; use Dense(…)(node) for a matrix of parameters, and Dot()(x, y) for the "
                         "product of two nodes")

    __rmatmul__ = __matmul__

    def __lt__(self, other):
        raise ValueError("nodes have no numbers yet that could be compared; Maximum()(x, y) is the larger of two nodes, "
                         "Activation('relu')(x) the larger of x and 0")

    __le__ = __gt__ = __ge__ = __lt__

    def __array_ufunc__(self, ufunc, method, *given, **options):
        return numpy_habits.of_ufunc(self, ufunc, method, given, options)

    def __array_function__(self, function, types, given, options):
        raise ValueError(numpy_habits.refusal(f"np.{function.__name__}", function.__name__))

    def __array__(self, dtype=None, copy=None):
        raise ValueError("a node has no numbers yet, so no array can be made of it; its values come from the network that "
                         "is made of it: net.layer_outputs(X)")

    def __float__(self):
        raise ValueError("a node is no number; for a function of math, write Activation(name)(x), after "
                         "fastnn.register_activation(name, value, derivative) if the package does not have it")

    def __getattr__(self, name):
        raise AttributeError(numpy_habits.missing_attribute(name), name=name, obj=self)

    def __abs__(self):
        raise ValueError(f"abs of a node is not there; {OWN_LAYER}, or an activation by fastnn.register_activation")


def Input(shape, name=None):
    """Return the node of an input of a graph.

    Parameters
    ----------
    shape : int or tuple of int
        The number of features of a sample, or its shape, such as (height, width, channels).
    name : str, optional

    Returns
    -------
    Node

    Examples
    --------
    >>> from fastnn import Dense, Input, Network
    >>> x = Input(4, name="table")
    >>> h = Dense(8, "relu")(x)
    >>> net = Network(inputs=x, outputs=Dense(3, "softmax")(h + Dense(8)(x)))
    >>> net.outputs
    3
    """
    return Node(None, (), input_shape(shape, "Input(shape=...)"), checked_name(name))


def call_layer(layer, given, name):
    """Return the node of a layer that is called on nodes."""
    reads, name = checked_nodes(layer, given), checked_name(name)
    return Node(layer, reads, output_shape(layer, reads), name)


def is_single(called):
    """Return whether a call makes one layer."""
    return not hasattr(called, "expand") and not isinstance(called, (list, tuple))


def checked_nodes(layer, given):
    """Return the nodes of a call, given as arguments or as one list, as a tuple."""
    nodes = tuple(given[0]) if len(given) == 1 and isinstance(given[0], (list, tuple)) else given
    for node in nodes:
        if isinstance(node, Node):
            continue
        if hasattr(node, "output_shape"):
            raise ValueError(f"{layer!r} is called on the layer {node!r}, which reads nothing yet: call that on a node "
                             f"first, as in {node!r}(x)")
        raise ValueError(f"{layer!r} is called on {shown(node)}; it takes nodes, which Input(shape) and calls of layers "
                         "give: numbers go to the network that is made of them")
    if not getattr(layer, "joins", False) and len(nodes) != 1:
        raise ValueError(f"{layer!r} is called on {len(nodes)} nodes; it takes one: join them first, as with Concatenate()")
    return nodes


def output_shape(layer, reads):
    """Return the shape of a layer's output for the nodes that it reads."""
    if not layer.joins:
        try:
            if len(reads) > 1:
                layer.check_further(tuple(node.shape for node in reads[1:]))
            return output_shape_of(layer, reads[0].shape)
        except ValueError as error:
            raise ValueError(f"{error} (it is called on {reads[0]!r})") from None
    try:
        shapes = tuple(node.shape for node in reads)
        if layer.works_over_time(shapes):
            return layer.output_shape(shapes)
        if not any(map(is_ragged, shapes)):
            return layer.output_shape(shapes)
        if not all(map(is_ragged, shapes)):
            raise ValueError(f"{layer!r} joins sequences with sequences, not with samples of one shape; make one row of "
                             "each sequence first, as with LastStep()")
        check_steps(layer, reads)
        return None, *layer.output_shape(tuple(shape[1:] for shape in shapes))
    except ValueError as error:
        raise ValueError(f"{error} (it is called on {', '.join(map(repr, reads))})") from None


def check_steps(layer, reads):
    """Refuse to join sequences that cannot have the same numbers of steps: of different inputs, or cut by other windows."""
    (origin, lengths), *others = map(steps_of, reads)
    for node, (other, others_lengths) in zip(reads[1:], others, strict=True):
        if other is not origin or not np.array_equal(lengths, others_lengths):
            what = (f"{reads[0]!r} and {node!r} are of different inputs" if other is not origin else
                    f"of {TRIED[0]} steps {reads[0]!r} has {lengths[0]} and {node!r} has {others_lengths[0]}")
            raise ValueError(f"{layer!r} joins sequences that may have different numbers of steps: {what}; join what layers "
                             "make of the same sequences, step by step")


def steps_of(node):
    """Return (the input that the steps of a node are of, the numbers of steps for the lengths TRIED)."""
    layers = []
    while node.layer is not None:
        layers.append((node.layer, node.reads[0].shape))  # where a layer reads several, the steps are those of the first
        node = node.reads[0]
    lengths = TRIED
    for layer, shape in reversed(layers):
        lengths = layer.steps_after(shape, lengths) if is_ragged(shape) and not layer.joins else lengths
    return node, lengths


TRIED = np.arange(1000, 1064)  # numbers of steps
