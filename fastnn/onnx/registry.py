"""The registry of supported foreign operators: a function for each, by domain and name, and the attributes that it uses.

The keyword arguments of a function are the attributes that it uses, with defaults for opsets that lack them. Other
attributes that do not affect predictions are listed where the function is registered. All remaining attributes must have
their default values, explicitly or not, so that no attribute that changes the result is ignored.
"""

import inspect
from dataclasses import dataclass

import numpy as np

from ..checks import shown
from .chain import Signal, UnknownForm
from .library import library

ML = "ai.onnx.ml"  # the domain of scikit-learn's operators


@dataclass(frozen=True, eq=False)
class Tail:
    """A function of the network's output that is not part of the network: labels, thresholds, dicts of probabilities."""

    signal: Signal


@dataclass(frozen=True, eq=False)
class AdditionalOutput:
    """An additional output of an operator, such as a mask or a mean; nothing may use it."""

    node: str


@dataclass(frozen=True, eq=False)
class StepsFirst:
    """Series with the steps before the samples, as recurrent operators take them; `signal` has the samples first."""

    signal: Signal

    def transposed(self, walk, node, perm):
        if perm != [1, 0, 2]:
            raise UnknownForm(f"it moves the axis of samples: perm is {perm}")
        return self.signal


@dataclass(frozen=True)
class Operator:
    """A function of (walk, node, operands…, attributes by keyword), and the attributes that it may ignore."""

    function: object
    without_effect: frozenset
    all_outputs: bool

    def __call__(self, walk, node, operands):
        return self.function(walk, node, *operands, **self.attributes(walk, node))

    def attributes(self, walk, node):
        """Return the attributes that the function uses, by name; raise UnknownForm if another one matters."""
        parameters = inspect.signature(self.function).parameters.values()
        if any(each.kind is each.VAR_KEYWORD for each in parameters):  # the function evaluates the operator itself
            return {}
        heeded = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
        value = library().helper.get_attribute_value
        given = {each.name: value(each) for each in node.attribute}
        defaults = {name: value(each.default_value) for name, each in walk.schema(node).attributes.items()
                    if each.default_value.name}
        for name in given.keys() - heeded - self.without_effect:
            if name not in defaults or given[name] != defaults[name]:
                raise UnknownForm(f"its attribute {name} is {shown(given[name])}")
        return {name: each for name, each in (defaults | given).items() if name in heeded}


operators = {}


def operator(*names, domain="", without_effect=(), all_outputs=False):
    """Register a function for the operators of these names.

    all_outputs: whether it returns all outputs, not only the first.
    """
    def register(function):
        made = Operator(function, frozenset(without_effect), all_outputs)
        operators.update({(domain, name): made for name in names})
        return function
    return register


def constant(value, what):
    if not isinstance(value, np.ndarray):
        raise UnknownForm(f"its {what} is not a constant")
    return value


def signal(value):
    if not isinstance(value, Signal):
        raise UnknownForm("it takes no value that comes from the input")
    return value


def shortest_float(epsilon):
    """Return a constant of a file as a Python float: 1e-5 instead of the nearest float32, 9.99999975e-06."""
    return float(str(epsilon)) if epsilon.dtype == np.float32 else float(epsilon)
