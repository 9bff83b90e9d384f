"""Blocks: several layers that are used as one. They have no rows; a network consists of the layers in them.

In a list of layers, and in a block, each place has parameters of its own, even where an object stands twice. `Shared` is one
set of parameters for all its calls.
"""

from ..checks import refuse_class, shown
from .base import Layer
from .joins import Add
from .node import Input, Node, Site, checked_nodes, is_single


def apply(layer, nodes, site):
    """Return the node of a layer, a block or a list of layers on nodes, as part of a call."""
    if isinstance(layer, Layer):
        return site.node(layer, checked_nodes(layer, nodes))
    if isinstance(layer, (list, tuple)):
        for each in layer:
            nodes = apply(each, nodes, site),
        return nodes[0]
    if isinstance(layer, Shared):
        return apply(layer.layer, nodes, site.inner(layer, shares=True))
    return layer.expand(nodes, site)


def listed_nodes(layers, inputs):
    """Return the nodes (input, output) of a list of layers and blocks. inputs: a node, or the shape of a sample."""
    x = inputs if isinstance(inputs, Node) else Input(inputs)
    return x, apply(layers, (x,), Site(layers))


def list_of_layers(where, given):
    """Return a list of layers and blocks as a list."""
    if not isinstance(given, (list, tuple)):
        raise ValueError(f"{where} is {shown(given)}; it must be a list of Layer")
    for index, each in enumerate(given):
        if not isinstance(each, (Layer, Block)):
            raise ValueError(f"{where}[{index}] is {shown(each)}; it must be a Layer")
    return list(given)


def checked_part(where, part):
    """Return a layer, a block or a list of them; a list as a tuple."""
    if isinstance(part, (list, tuple)):
        return tuple(checked_part(f"{where}[{index}]", each) for index, each in enumerate(part))
    refuse_class(where, part, (Layer, Block))
    if not isinstance(part, (Layer, Block)):
        raise ValueError(f"{where} is {shown(part)}; it must be a layer, such as Dense(64, 'relu'), or a list of layers")
    return part


class Block:
    """Base class of blocks: `expand` applies its layers."""

    def __call__(self, *nodes, name=None):
        """Apply the block to nodes; its layers are called `name.0`, `name.1`, …"""
        return self.expand(checked_one(self, nodes), Site(self, name))

    @property
    def draws(self):
        """Whether any of its layers draws random numbers in training."""
        return any(layer.draws for layer in layers_in(self))

    @property
    def mixes_samples(self):
        """Whether in training an output depends on the other samples of the batch."""
        return any(layer.mixes_samples for layer in layers_in(self))

    def expand(self, nodes, site):
        """Return the node of its output for a tuple of nodes."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it consists of; give it a method `expand`")

    def __eq__(self, other):
        return type(self) is type(other) and self.parts == other.parts

    def __hash__(self):
        return hash((type(self), self.parts))

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(listed(part) for part in self.parts)})"


def layers_in(part):
    """Return the layers of a part, a list."""
    if isinstance(part, Block):
        return layers_in(part.parts)
    return [layer for each in part for layer in layers_in(each)] if isinstance(part, tuple) else [part]


def listed(part):
    """Return the repr of a part, with a tuple as the list that it was."""
    return f"[{', '.join(map(listed, part))}]" if isinstance(part, tuple) else repr(part)


def checked_one(block, nodes):
    nodes = checked_nodes(Joining(block), nodes)
    if len(nodes) != 1:
        raise ValueError(f"{block!r} is called on {len(nodes)} nodes; it takes one")
    return nodes


class Joining:
    """A block in errors about the nodes it is called on."""

    joins = True

    def __init__(self, block):
        self.block = block

    def __repr__(self):
        return repr(self.block)


class Chain(Block):
    """Layers that each read the output of the one before, used as one in a graph.

    Parameters
    ----------
    *layers : layers, blocks or lists of them

    Examples
    --------
    >>> from fastnn import BatchNorm, Chain, Conv2D, Flatten, Input
    >>> x = Input((28, 28, 1))
    >>> Chain(Conv2D(8, 3), BatchNorm(), Flatten())(x, name="encoder").shape
    (5408,)
    """

    def __init__(self, *layers):
        self.parts = checked_part("Chain(layers)", layers[0] if len(layers) == 1 else layers)
        self.parts = self.parts if isinstance(self.parts, tuple) else (self.parts,)
        if not self.parts:
            raise ValueError("Chain() is empty; give at least one layer")

    def expand(self, nodes, site):
        return apply(self.parts, nodes, site)


class Residual(Block):
    """A block with a shortcut around it: block(x) + x (He et al. 2015).

    The output of the block must have the shape of x, unless a `shortcut` gives x the shape of the output. It can stand in a
    list of layers, and be called on a node.

    Parameters
    ----------
    *block : layers, or one list of them
    shortcut : layer or list of layers, optional
        Applied to x before the sum, such as `Conv2D(32, 1, stride=2)`.

    Examples
    --------
    >>> from fastnn import Dense, Network, Residual
    >>> net = Network([Dense(8, "relu"), Residual(Dense(8, "relu"), Dense(8)), Dense(3, "softmax")], inputs=4)
    >>> list(net.parameters)[2:6]
    ['1.weight', '1.bias', '2.weight', '2.bias']
    """

    def __init__(self, *block, shortcut=()):
        self.block = checked_part("Residual(block)", block)
        self.shortcut = checked_part("Residual(shortcut=...)", shortcut)
        if not self.block or self.block == ((),):
            raise ValueError("Residual() is empty; give at least one layer")
        self.parts = self.block, self.shortcut

    def expand(self, nodes, site):
        x, = nodes
        h = apply(self.block, nodes, site)
        around = apply(self.shortcut, nodes, site)
        if around.shape != h.shape:
            repair = (f"let the block keep the shape, or give a shortcut that makes {h.shape} of {x.shape}"
                      if around is x else "give a shortcut whose output has the shape of the block's")
            raise ValueError(f"{self!r}: the block ends with {h!r} and the shortcut with {around!r}, which cannot be added; "
                             f"{repair}")
        return apply(Add(), (h, around), site)

    def __repr__(self):
        shortcut = f", shortcut={listed(self.shortcut)}" if self.shortcut != () else ""
        return f"Residual({', '.join(map(listed, self.block))}{shortcut})"


class Parallel(Block):
    """Branches that read the same tensor, and a join of their outputs.

    Parameters
    ----------
    join : layer that joins, such as Concatenate()
    *branches : layers, or lists of layers
        An empty list passes the tensor on as it is.

    Examples
    --------
    >>> from fastnn import Concatenate, Dense, Network, Parallel
    >>> net = Network([Parallel(Concatenate(), Dense(3, "tanh"), []), Dense(1)], inputs=2)
    >>> net.shapes
    [(2,), (3,), (5,), (1,)]
    """

    def __init__(self, join, *branches):
        if not isinstance(join, Layer) or not join.joins:
            raise ValueError(f"Parallel(join) is {shown(join)}; it comes first and must be a layer that joins, as in "
                             "Parallel(Concatenate(), Dense(8), Dense(8))")
        if not branches:
            raise ValueError("Parallel has no branches; give at least one layer or list of layers after the join")
        self.join, self.branches = join, checked_part("Parallel(branches)", branches)
        self.parts = self.join, *self.branches

    def expand(self, nodes, site):
        return apply(self.join, tuple(apply(branch, nodes, site) for branch in self.branches), site)


class Shared(Block):
    """One set of parameters for all calls.

    A layer object describes a layer; in a graph a second call of the same object is refused, because it could mean the same
    parameters or other ones. `Shared(layer)` means the same, and a new object other ones. Every call adds to the gradients,
    and a step updates the parameters once. Random layers draw for each call separately.

    Parameters
    ----------
    layer : layer, block or list of layers

    Examples
    --------
    >>> from fastnn import Concatenate, Dense, Input, Network, Shared
    >>> encoder = Shared([Dense(8, "relu"), Dense(4)])
    >>> x = Input(6)
    >>> both = Concatenate()(encoder(x[:3], name="encoder"), encoder(x[3:]))
    >>> list(Network(inputs=x, outputs=Dense(1)(both)).parameters)[:2]
    ['encoder.0.weight', 'encoder.0.bias']
    """

    def __init__(self, layer):
        self.layer = checked_part("Shared(layer)", layer)
        if isinstance(self.layer, Shared):
            raise ValueError("Shared(layer) is shared already; use it as it is")
        self.parts = self.layer,

    __eq__ = object.__eq__  # it is one set of parameters
    __hash__ = object.__hash__

    def __call__(self, *nodes, name=None, **options):
        if options and hasattr(self.layer, "placed"):  # such as the initial state of a recurrent layer
            return self.layer.placed(Site(self, name, shares=True, single=True), nodes, **options)
        if options:
            raise TypeError(f"{self!r} takes no {', '.join(options)}")
        joins = isinstance(self.layer, Layer) and self.layer.joins
        nodes = checked_nodes(self.layer, nodes) if joins else checked_one(self, nodes)
        return apply(self.layer, nodes, Site(self, name, shares=True, single=is_single(self.layer)))
