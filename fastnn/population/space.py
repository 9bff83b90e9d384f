"""Spaces of hyperparameters: all combinations, and random configurations."""

import itertools
import math
from collections.abc import Mapping

import numpy as np

from ..checks import shown, whole_number
from ..runtime.quiet import new_generator

SCALES = "linear", "log"


class Range:
    """Numbers from `low` to `high`, uniform or log-uniform; integers if both ends are."""

    def __init__(self, name, low, high, scale="linear"):
        if scale not in SCALES:
            raise ValueError(f"space[{name!r}] has scale {scale!r}; it must be 'linear' or 'log', as in (1e-4, 1e-1, 'log')"
                             "; a list, such as [8, 16, 32], is a set of choices")
        if not -math.inf < low < high < math.inf or (scale == "log" and low <= 0):
            above = "; both above zero" if scale == "log" else ""
            raise ValueError(f"space[{name!r}] is a range from {low} to {high}; the second must be larger "
                             f"than the first{above}")
        self.low, self.high, self.scale = low, high, scale
        self.whole = all(isinstance(bound, (int, np.integer)) for bound in (low, high))

    def rvs(self, random_state):
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.scale == "log":
            value = math.exp(random_state.uniform(math.log(low), math.log(high)))
        else:
            value = random_state.uniform(low, high)
        if self.whole:
            return min(max(round(value), self.low), self.high)
        return min(max(value, self.low), self.high)


class Choices:
    """One of several values, with equal probability."""

    def __init__(self, values):
        self.values = values

    def rvs(self, random_state):
        return self.values[random_state.integers(len(self.values))]


def parsed(space):
    """Return {name: Choices, Range or distribution} from a user's space."""
    if not isinstance(space, Mapping) or not space:
        raise ValueError(f"space is {shown(space)}; give a dict such as {{'width': [16, 64], 'learning_rate': "
                         "(1e-4, 1e-1, 'log')}")
    return {name: dimension(name, value) for name, value in space.items()}


def dimension(name, value):
    if hasattr(value, "rvs"):
        return value
    if isinstance(value, tuple):
        if len(value) not in (2, 3) or not all(is_number(bound) for bound in value[:2]):
            raise ValueError(f"space[{name!r}] is {value!r}; a tuple is a range, (low, high) or (low, high, 'log'): give a "
                             f"list of what to choose from, as in [{value!r}]")
        return Range(name, *value)
    if isinstance(value, (list, range)) or (isinstance(value, np.ndarray) and value.ndim):
        if len(value) == 0:
            raise ValueError(f"space[{name!r}] is empty; give at least one value")
        return Choices(value.tolist() if isinstance(value, np.ndarray) else list(value))
    return Choices([value])


def is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def configurations(space, samples, seed):
    """Return dicts with one value for each name: all combinations if samples is None, else that many at random."""
    space = parsed(space)
    if samples is not None:
        numbers = generator(seed)
        return [{name: plain(each.rvs(random_state=numbers)) for name, each in space.items()}
                for _ in range(whole_number("samples", samples))]
    for name, each in space.items():
        if not isinstance(each, Choices):
            raise ValueError(f"space[{name!r}] is not a list, so there is no end to the combinations; give samples=100, say")
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*(each.values for each in space.values()))]


def generator(seed):
    """Return the random generator of a seed; with None it differs each time."""
    return new_generator(None if seed is None else whole_number("seed", seed, least=0, most=math.inf))


def plain(value):
    """Convert NumPy scalars to Python numbers."""
    return value.item() if isinstance(value, np.generic) else value
