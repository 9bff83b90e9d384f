"""The summary of a network, as text and as HTML."""

import math
from collections import Counter

from ..formats import html
from ..layers import is_features, shown_shape


def summary_rows(network):
    """Return the rows of the summary, the header first, and the line of totals."""
    graph, parameters, state = network.graph, network.vectors.parameters, network.vectors.state
    rows, counted = [("layer", *(() if graph.is_chain else ("reads",)), "output shape", "parameters")], set()
    called = tensor_names(graph)
    for number, shape in enumerate(() if graph.is_chain else network.shapes[:network.wiring.inputs]):
        rows.append((f"{called[number]}  Input", "–", in_batch(shape), "0"))
    for number, (index, layer, reads, _) in enumerate(network.wiring.steps, network.wiring.inputs):
        shapes = layer.parameter_shapes(graph.taken[index])
        count = "as above" if index in counted and shapes else f"{sum(map(math.prod, shapes.values())):,}"
        counted.add(index)
        reading = () if graph.is_chain else (", ".join(called[tensor] for tensor in reads),)
        rows.append((f"{called[number]}  {layer!r}", *reading, in_batch(network.shapes[number]), count))
    total = f"{parameters.size:,} parameters, {parameters.flat.nbytes:,} bytes of {network.dtype}; loss {network.loss}"
    total += ", mean over sequences" * (network.mean == "sequences")
    if not graph.is_chain:
        ends = zip(graph.outputs, network.wiring.outputs, strict=True)
        said = [(name, called[tensor]) for name, tensor in ends]
        if any(name != layer for name, layer in said):
            total += "; " + ", ".join(f"{name} is {layer}" for name, layer in said)
        elif len(said) > 1:
            total += "; outputs " + ", ".join(name for name, _ in said)
    if state.views:
        total += f"; {state.size:,} numbers of state"
    return rows, total


def in_batch(shape):
    return f"(batch, {shown_shape(shape)})"


def tensor_names(graph):
    """Return the name of each tensor: that of the input or layer; at later calls of a shared layer, with their number."""
    names, calls = [*graph.inputs], Counter()
    for step in graph.wiring.steps:
        calls[step.index] += 1
        name = graph.names[step.index]
        names.append(name if calls[step.index] == 1 else f"{name} (call {calls[step.index]})")
    return names


def represented(network):
    """Return the repr of a network."""
    graph, options = network.graph, f"loss={network.loss!r}, dtype={network.dtype!r}"
    options += ", mean='sequences'" * (network.mean == "sequences")
    if graph.is_chain:
        inputs = network.inputs if is_features(network.shapes[0]) else network.shapes[0]
        return f"Network([{', '.join(map(repr, network.layers))}], inputs={inputs}, {options})"
    ends = f"inputs={network.input_shapes}, outputs={network.output_shapes}"
    return f"<Network of {len(network.layers)} layers, {ends}, {options}>"


class Text(str):
    """Text that a notebook and Python's prompt show as it is printed."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


def summary_text(network):
    """Return the summary as a text table."""
    rows, total = summary_rows(network)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["   ".join(f"{cell:{'<>'[k == len(row) - 1]}{widths[k]}}" for k, cell in enumerate(row)) for row in rows]
    rule = "─" * len(lines[0])
    return Text("\n".join([lines[0], rule, *lines[1:], rule, total]))


def summary_html(network):
    """Return the summary as an HTML table."""
    (head, *rows), total = summary_rows(network)
    return html.table(head, rows, total)
