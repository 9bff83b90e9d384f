"""The layers that operators on nodes stand for: x + y joins by `Add`, 2 * x scales by `Rescale`, x[2:5] takes a `Slice`.

Layers are looked up by name, because a layer that is called makes a node.
"""

import numpy as np

from ..checks import real_number, shown
from .registry import layers

OWN_LAYER = "make a layer of your own, see fastnn.CustomLayer"
MOST_FACTORS = 8  # of a power


def join(name, *nodes):
    """Return the node of nodes joined by the layer of this name."""
    return layers[name]()(*nodes)


def scale(node, factor, offset, negated=False):
    """Return the node of factor · node + offset, or of factor · node − offset if `negated`."""
    factor, offset = checked_factor(factor), checked_factor(offset)
    return layers["Rescale"](factor, -offset if negated else offset)(node)


def checked_factor(number):
    found = real_number(number)
    if found - found != 0:  # NaN or infinite
        raise ValueError(f"{shown(number)} cannot be combined with a node; use a number, or a node of the same graph")
    return found


def divide(node, number):
    """Return the node of node / number."""
    if real_number(number) == 0:
        raise ValueError("a node cannot be divided by 0")
    return scale(node, 1.0 / checked_factor(number), 0.0)


def power(node, exponent):
    """Return the node of node ** exponent, a product of the node with itself."""
    if isinstance(exponent, (int, np.integer)) and not isinstance(exponent, bool) and 1 <= exponent <= MOST_FACTORS:
        return node if exponent == 1 else join("Multiply", *[node] * exponent)
    raise ValueError(f"a node ** {shown(exponent)} is not there; it can be a whole number from 1 to {MOST_FACTORS}; for "
                     f"others {OWN_LAYER}")


def part(node, index):
    """Return the node of `node[index]`."""
    where = f"[{written(index)}] of {node!r}"
    axes = list(index) if isinstance(index, tuple) else [index]
    if sum(each is Ellipsis for each in axes) > 1 or len(axes) > len(node.shape) + (Ellipsis in axes):
        raise ValueError(f"{where} has more axes than a sample, whose first axis is number 0")
    if Ellipsis in axes:
        place = axes.index(Ellipsis)
        axes[place:place + 1] = [slice(None)] * (len(node.shape) - len(axes) + 1)
    elif len(axes) < len(node.shape):
        raise ValueError(f"{where} does not say of which axis; write [..., {written(index)}] for the last one")
    for each in axes:
        if not isinstance(each, slice):
            one = f"; write {each}:{each + 1} for one element" if isinstance(each, int) and each >= 0 else ""
            raise ValueError(f"{where} takes slices, such as node[2:5]{one}")
        if each.step not in (None, 1):
            raise ValueError(f"{where} has a step of {shown(each.step)}; take neighboring elements")
    for axis, each in enumerate(axes):
        if each != slice(None) and each != slice(None, None, 1):
            node = layers["Slice"](each.start or 0, each.stop, axis - len(axes))(node)
    return node


def written(index):
    """Return an index as it stands between brackets."""
    if isinstance(index, tuple):
        return ", ".join(map(written, index))
    if index is Ellipsis:
        return "..."
    if not isinstance(index, slice):
        return shown(index)
    return ":".join("" if part is None else shown(part) for part in (index.start, index.stop)) + (
        "" if index.step is None else f":{shown(index.step)}")
