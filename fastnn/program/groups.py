"""Groups of parameters with a learning rate and a weight decay of their own, chosen by patterns of names."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from ..checks import number_in_range, shown
from .frozen import without_frozen

LARGEST_FACTOR = 1e6


class Group(NamedTuple):
    """Parameters, by their names with the number of the layer, whose steps differ.

    Attributes
    ----------
    factor : float
        Of the optimizer's learning rate.
    decay : float or None
        The weight decay; None for that of the optimizer.
    names : tuple of str
    """

    factor: float
    decay: float | None
    names: tuple


def groups_of(network, factors, decays):
    """Return the Groups for {pattern: factor of the learning rate} and {pattern: weight decay}, either may be None."""
    numbered = [*network.vectors.parameters.numbered]
    public = {name: network.graph.named(name) for name in numbered}
    factor_of = chosen("learning_rate_factors", factors, public, 0.0, LARGEST_FACTOR)
    decay_of = chosen("weight_decays", decays, public, 0.0, 1e6)
    found = {}
    for name in numbered:
        own = factor_of.get(name, 1.0), decay_of.get(name)
        if own != (1.0, None):
            found.setdefault(own, []).append(name)
    return tuple(Group(factor, decay, tuple(names)) for (factor, decay), names in found.items())


def chosen(where, given, public, least, most):
    """Return {name: number} of the parameters that patterns match; public: {name: public name}."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is {shown(given)}; it must be a dict of patterns of names, such as {{'encoder.*': 0.1}}")
    found, by = {}, {}
    for pattern, number in given.items():
        number = number_in_range(f"{where}[{shown(pattern)}]", number, least, most)
        names = [name for name in public if isinstance(pattern, str) and fnmatchcase(public[name], pattern)]
        if not names:
            raise ValueError(f"{where} has {shown(pattern)}, which matches no parameter; the names are "
                             f"{', '.join(public.values())}: give patterns such as 'encoder.*'")
        for name in names:
            if name in found:
                raise ValueError(f"{where}: {public[name]!r} matches {by[name]!r} and {pattern!r}; give each parameter one")
            found[name], by[name] = number, pattern
    return found


def check_decay(groups, optimizer):
    """Refuse a weight decay for an optimizer that has none."""
    if any(group.decay is not None for group in groups) and "weight_decay" not in optimizer.hyperparameter_names():
        raise ValueError(f"weight_decays is given, and {optimizer!r} has no weight decay; use another, such as AdamW()")


def matrices_by_group(matrices, groups, ranges):
    """Return (matrices of parameters without a group, [(group, its matrices)]) of the matrices that are updated.

    ranges: {name: (start, size)} of all parameters, in memory order.
    """
    def matrices_of(names):
        return without_frozen(matrices, [place for name, place in ranges.items() if name not in names])

    grouped = {name for group in groups for name in group.names}
    return matrices_of(ranges.keys() - grouped), [(group, matrices_of(group.names)) for group in groups]
