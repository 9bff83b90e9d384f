"""The foreign operators that are taken: a function each, by domain and name, and the attributes that it goes by.

A function names in its keywords the attributes that it heeds, with the value that each has where the opset has none such.
Of the others, those that change nothing in prediction are listed where it is registered, and the rest must be at their
defaults: none is passed over that would change a number. Whether a default is spelled out makes no difference.
"""

import inspect
from dataclasses import dataclass

import numpy as np

from ..checks import shown
from .chain import Signal, UnknownForm
from .library import library

ML = "ai.onnx.ml"  # the domain of the operators that scikit-learn's models are made of


@dataclass(frozen=True, eq=False)
class Tail:
    """What is made of a network's output and is no part of the network: labels, thresholds, dicts of probabilities."""

    signal: Signal


@dataclass(frozen=True, eq=False)
class Aside:
    """What an operator gives beside its first output, such as a mask or a mean; nothing may come of it."""

    node: str


@dataclass(frozen=True)
class Operator:
    """A function of (walk, node, operands…, attributes by keyword), and the attributes that it may leave alone."""

    function: object
    without_effect: frozenset
    all_outputs: bool

    def __call__(self, walk, node, operands):
        return self.function(walk, node, *operands, **self.attributes(walk, node))

    def attributes(self, walk, node):
        """The attributes that the function heeds, by name; an UnknownForm if another one matters."""
        parameters = inspect.signature(self.function).parameters.values()
        if any(each.kind is each.VAR_KEYWORD for each in parameters):  # it runs the operator itself
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

    all_outputs: whether what it returns is each of the outputs, not the first alone.
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
