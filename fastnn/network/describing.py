"""The summary of a network, as text and as HTML."""

import numpy as np

from ..formats import html
from ..layers import seen_by, shown_shape


def summary_rows(network):
    """Return the rows of the summary, the header first, and the line of totals."""
    rows, parameters, state = [("layer", "output shape", "parameters")], network.vectors.parameters, network.vectors.state
    for index, layer in enumerate(network.layers):
        count = sum(int(np.prod(shape)) for shape in layer.parameter_shapes(seen_by(layer, network.shapes[index])).values())
        rows.append((f"{index}  {layer!r}", f"(batch, {shown_shape(network.shapes[index + 1])})", f"{count:,}"))
    total = f"{parameters.size:,} parameters, {parameters.flat.nbytes:,} bytes of {network.dtype}; loss {network.loss}"
    if state.views:
        total += f"; {state.size:,} numbers of state"
    return rows, total


def summary_text(network):
    """Return the summary as a text table."""
    rows, total = summary_rows(network)
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    lines = [f"{a:<{widths[0]}}   {b:<{widths[1]}}   {c:>{widths[2]}}" for a, b, c in rows]
    rule = "─" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def summary_html(network):
    """Return the summary as an HTML table."""
    (head, *rows), total = summary_rows(network)
    return html.table(head, rows, total)
