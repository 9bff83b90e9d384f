"""A network in words: its summary, as text and for notebooks."""

import numpy as np

from . import html


class Describing:
    """The part of `Network` that tells what it is."""

    def summary(self) -> str:
        """A printable table: layer, output shape, parameters; then their sum, and how many numbers of state there are."""
        rows, total = self._summary()
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [f"{a:<{widths[0]}}   {b:<{widths[1]}}   {c:>{widths[2]}}" for a, b, c in rows]
        rule = "─" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:], rule, total])

    def _summary(self):
        """The rows of the summary, its head first, and the line of totals."""
        rows = [("layer", "output shape", "parameters")]
        for index, layer in enumerate(self.layers):
            count = sum(int(np.prod(shape)) for shape in layer.parameter_shapes(self.widths[index]).values())
            rows.append((f"{index}  {layer!r}", f"(batch, {self.widths[index + 1]})", f"{count:,}"))
        size = self.vectors.parameters.flat.nbytes
        total = f"{self.vectors.parameters.size:,} parameters, {size:,} bytes of {self.dtype}; loss {self.loss}"
        if self.state:
            total += f"; {self.vectors.state.flat.size:,} numbers of state"
        return rows, total

    def _repr_html_(self):
        (head, *rows), total = self._summary()
        return html.table(head, rows, total)
