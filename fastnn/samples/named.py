"""What is given by name: samples for several inputs, or targets and weights for several outputs."""

from collections.abc import Mapping

import numpy as np

from ..checks import shown

MISSING_ENTRY = object()


def by_name(what, given, names, default=MISSING_ENTRY):
    """Return the entries of a dict, data frame or list in the order of `names`; default: for names that a dict lacks.

    A column of a data frame with one level is one feature; one of several levels has a feature for each of its columns.
    """
    kind = what.partition(" ")[0]
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        missing = [name for name in names if name not in given]
        if missing:
            raise ValueError(f"{kind} has no column {missing[0]!r}; a data frame must have the columns "
                             f"{', '.join(map(repr, names))}: or give a dict of arrays by these names")
        return [np.asarray(given[name]) for name in names]
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError(f"{kind} is a {type(given).__name__} with {shown(unknown[0])}, which is no "
                             f"{what.partition(' ')[2]} of this network; give a dict with {', '.join(map(repr, names))}")
        missing = [name for name in names if name not in given]
        if missing and default is MISSING_ENTRY:
            raise ValueError(f"{kind} has nothing for {missing[0]!r}; give a dict with {', '.join(map(repr, names))}")
        return [given.get(name, default) for name in names]
    if isinstance(given, (list, tuple)) and len(given) == len(names):
        return [*given]
    raise ValueError(f"{kind} is {shown(given)}; this network has the {what.partition(' ')[2]}s "
                     f"{', '.join(map(repr, names))}: give a dict by these names, or a list of {len(names)} in this order")


def named_error(where, error):
    """Return an error about X or y as one about a part of it, such as X['image']."""
    kind, _, rest = str(error).partition(" ")
    return ValueError(f"{where} {rest}" if kind == where[0] else f"{where}: {error}")
