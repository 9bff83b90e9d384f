"""Weights that move from one network to another, by name."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from ..checks import several, shown


def copy_weights(network, source, names):
    """Copy arrays by name, see `Network.copy_weights`; if anything is refused, nothing has changed."""
    own = network.vectors.by_name
    given = source if isinstance(source, Mapping) else getattr(getattr(source, "vectors", None), "by_name", None)
    if given is None:
        raise ValueError(f"source is {shown(source)}; it must be a Network, or a mapping of names to arrays")
    patterns, common = several("names", names), [name for name in own if name in given]
    for index, pattern in enumerate(patterns):
        if not isinstance(pattern, str) or not any(fnmatchcase(name, pattern) for name in common):
            raise ValueError(f"names[{index}] is {shown(pattern)}, which matches nothing that both have; here are "
                             f"{', '.join(own)}, and there {', '.join(map(str, given))}")
    chosen = [name for name in common if any(fnmatchcase(name, pattern) for pattern in patterns)]
    arrays = {name: np.asarray(given[name]) for name in chosen}
    for name, array in arrays.items():
        if array.shape != own[name].shape:
            raise ValueError(f"{name} has shape {array.shape} there and {own[name].shape} here; give `names` without it, "
                             "such as ['encoder.*']")
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite; nothing was copied")
    for name, array in arrays.items():
        own[name][...] = array
    return chosen
