"""Several targets of one table, values and classes alike, learned by one network with the losses of all added up.

The outputs of the network are those of the targets, one after another; those of classes are logits.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ..plain import to_config


@dataclass(frozen=True)
class Several:
    """Targets that are predicted together.

    Attributes
    ----------
    parts : tuple of targets
    """

    parts: tuple
    kind, activation, has_classes = "several", "identity", False

    def __post_init__(self):
        names = [part.name for part in self.parts]
        if len(names) < 2 or len(set(names)) < len(names):
            raise ValueError(f"the targets are {', '.join(map(repr, names))}; they must be two or more different columns")

    @property
    def name(self):
        return ", ".join(str(part.name) for part in self.parts)

    @property
    def outputs(self):
        return sum(part.outputs for part in self.parts)

    @property
    def heads(self):
        return tuple(head for part in self.parts for head in part.heads)

    @property
    def places(self):
        """The outputs of each target, as slices."""
        ends = [*accumulate(part.outputs for part in self.parts)]
        return [slice(end - part.outputs, end) for end, part in zip(ends, self.parts, strict=True)]

    def column(self, table):
        """Return the columns of the targets in a table."""
        return table[[part.name for part in self.parts]]

    def encode(self, columns):
        """Return a list with the encoded column of each target."""
        return [part.encode(columns[part.name]) for part in self.parts]

    def learned(self, encoded):
        return [array for part, own in zip(self.parts, encoded, strict=True) for array in part.learned(own)]

    def by_part(self, outputs):
        """Return (part, its outputs) pairs, from outputs (rows, outputs); those of classes are probabilities then."""
        split = ((part, outputs[:, place]) for part, place in zip(self.parts, self.places, strict=True))
        return [(part, softmax(own) if part.activation == "softmax" else own) for part, own in split]

    def decode(self, outputs):
        """Return {name: predictions} from outputs (rows, outputs)."""
        return {part.name: part.decode(own) for part, own in self.by_part(outputs)}

    def columns(self, outputs):
        """Return {name: predictions} as the columns of a table, from outputs (rows, outputs)."""
        return {name: column for part, own in self.by_part(outputs) for name, column in part.columns(own).items()}

    def score(self, columns, outputs, weights=None):
        """Return {name: metrics} of outputs, for the columns of the targets."""
        return {part.name: part.score(columns[part.name], own, weights) for part, own in self.by_part(outputs)}

    def config(self):
        """Return plain data, for a file."""
        return {"kind": self.kind, "parts": [to_config(part) for part in self.parts]}

    def __str__(self):
        return "; ".join(f"{part.name}: {part}" for part in self.parts)


def softmax(logits):
    """Return probabilities (rows, classes), float64."""
    p = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)
