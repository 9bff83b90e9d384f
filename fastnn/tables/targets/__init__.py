"""Kinds of targets beside values and classes, and the registry of all."""

from .. import plain
from ..classes import Classes
from ..target import Values
from .counts import Counts
from .ordered import Ordered
from .quantiles import Quantiles
from .several import Several

SINGLE = {kind.kind: kind for kind in (Values, Classes, Counts, Ordered, Quantiles)}
TARGETS = (*SINGLE.values(), Several)

__all__ = ["SINGLE", "TARGETS", "Counts", "Ordered", "Quantiles", "Several", "from_config"]


def from_config(config):
    """Return the target from the result of `to_config`."""
    if isinstance(config, dict) and config.get("kind") == "several":
        if config.keys() != {"kind", "parts"} or not isinstance(config["parts"], list):
            raise ValueError("a target of several columns must have a list of 'parts'")
        return Several(tuple(plain.from_config(SINGLE, part) for part in config["parts"]))
    return plain.from_config(SINGLE, config)
