"""What a custom layer declares for samples of a shape, checked: the arrays of its functions, their names and shapes."""

import inspect
import math
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from ...checks import shown
from ...kernels.layers.custom.rows import BACKWARD, FORWARD, UPDATE, CustomKernels, Form, arguments_of, is_short

OUTPUT, OUTPUT_GRADIENT = "a", "da"
KEPT = "_declared"  # the attribute of a layer that keeps its declarations
TRAINING = "training"  # the name of an argument that says whether the layer behaves as in training


@dataclass(frozen=True)
class Declaration:
    """The arrays of a layer for samples of a shape.

    Attributes
    ----------
    layer : CustomLayer
    reads, parameters, state, memory : dict of str to tuple
        Names and shapes.
    output : tuple of int
    options : dict of str to number
        The fields of the layer that its functions take, and False for `TRAINING`, if they take that.
    has_training : bool
        Whether they take `TRAINING`.
    """

    layer: object
    reads: dict
    parameters: dict
    state: dict
    memory: dict
    output: tuple
    options: dict
    has_training: bool = False

    @property
    def shapes(self):
        """The shape of every array that functions can take, by name, without gradients."""
        return {**self.reads, **self.parameters, **self.state, **self.memory, OUTPUT: self.output}

    @property
    def gradients(self):
        """The name and the shape of every gradient that `backward` writes or adds to."""
        return {f"d{name}": shape for name, shape in (self.reads | self.parameters).items()}

    @cached_property
    def constants(self):
        """The operands of a row that are numbers of the layer or sizes of its arrays."""
        numbers = {f"v_{name}": value for name, value in self.options.items()}
        return numbers | {f"s_{name}_{axis}": size for name, shape in self.shapes.items() for axis, size in enumerate(shape)}

    @cached_property
    def form(self):
        def axes(arrays):
            return tuple((name, len(shape)) for name, shape in arrays.items())

        return Form(axes(self.reads), axes(self.parameters), axes(self.state), axes(self.memory), len(self.output),
                    tuple((name, kind_of_number(value)) for name, value in self.options.items()),
                    all(is_short(shape[-1]) for shape in self.shapes.values()),
                    len(self.output) == 1 and {*self.reads.values(), *self.memory.values()} == {self.output})

    @cached_property
    def kernels(self):
        """The kernels of the layer's functions for arrays of this form."""
        made = type(self.layer).kernels_by_form
        if self.form not in made:
            made[self.form] = CustomKernels(type(self.layer).__name__, functions_of(type(self.layer)), self.form)
        return made[self.form]


def kind_of_number(value):
    return "flag" if isinstance(value, (bool, np.bool_)) else "integer" if isinstance(value, (int, np.integer)) else "real"


def functions_of(cls):
    """Return the functions of a class of layers by phase."""
    found = {phase: getattr(cls, phase, None) for phase in (FORWARD, BACKWARD, UPDATE)}
    return {phase: function for phase, function in found.items() if function is not None}


def declare(layer, shape):
    """Return the Declaration of a layer for samples of a shape, or of a tuple of shapes if it joins.

    The layer keeps it: to lower a network happens in each fit and prediction.
    """
    made = vars(layer).setdefault(KEPT, {})
    if shape not in made:
        made[shape] = make_declaration(layer, shape)
    return made[shape]


def make_declaration(layer, shape):
    """Ask a layer for its arrays, and check them."""
    name, cls = type(layer).__name__, type(layer)
    shapes = shape if cls.joins else (shape,)
    reads = dict(zip(cls.reads, shapes, strict=True))
    parameters, state, memory = (named_shapes(f"{name}.{method}", getattr(layer, method)(shape))
                                 for method in ("parameter_shapes", "state_shapes", "memory_shapes"))
    check_names(name, [*reads, *parameters, *state, *memory])
    known = {*reads, *parameters, *state, *memory, OUTPUT}
    given = {field.name: checked_field(layer, field) for field in fields(layer) if field.name not in known}
    own_training = TRAINING not in known | {*given}  # otherwise it is an array or a number of the layer
    if own_training:
        given[TRAINING] = False
    gradients = {OUTPUT_GRADIENT, *(f"d{each}" for each in (*reads, *parameters))}
    allowed = {FORWARD: known | {*given}, BACKWARD: known | {*given} | gradients, UPDATE: known | {*given}}
    required = {FORWARD: [OUTPUT], BACKWARD: [f"d{each}" for each in (*reads, *parameters)], UPDATE: []}
    taken = {}
    for phase, function in functions_of(cls).items():
        arguments = arguments_of(function)
        for argument in arguments:
            if argument not in allowed[phase]:
                if isinstance(getattr(cls, argument, None), (int, float)):
                    raise ValueError(f"{name}.{argument} is no number of the layer, as it has no annotation; write "
                                     f"{argument}: {type(getattr(cls, argument)).__name__} = … in the class")
                raise ValueError(f"{name}.{phase} takes {argument!r}, which is none of its arrays and numbers: "
                                 f"{', '.join(sorted(allowed[phase]))}")
            if argument in given:
                taken[argument] = checked_number(f"{name}.{argument}", given[argument])
        for needed in required[phase]:
            if needed not in arguments:
                what = "does not write its output: let it take 'a'" if needed == OUTPUT else (
                    f"forgets the gradient of {needed[1:]!r}: let it take {needed!r} and "
                    f"{'write it' if needed[1:] in reads else 'add to it'}")
                raise ValueError(f"{name}.{phase} {what}")
    if state and UPDATE not in functions_of(cls):
        raise ValueError(f"{name} has the state {', '.join(state)} and no function update, which changes it")
    return Declaration(layer, reads, parameters, state, memory, layer.output_shape(shape), taken,
                       own_training and TRAINING in taken)


def checked_field(layer, field):
    """Return the value of a field, an argument of the layer, which must be a whole number if the class says `int`."""
    value = getattr(layer, field.name)
    if field.type in (int, "int") and isinstance(value, (float, np.floating)):
        raise ValueError(f"{type(layer).__name__}.{field.name} is {shown(value)}, and the class says int; give a whole "
                         "number")
    return value


def checked_number(where, value):
    """Return a number that compiled code is given."""
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        return value
    raise ValueError(f"{where} is {shown(value)}; functions can take numbers only: choose in Python what depends on it, or "
                     "make a number of it")


def named_shapes(where, given):
    """Return {name: shape} as a method of a layer gave it, checked."""
    if not isinstance(given, dict):
        raise ValueError(f"{where} gives {shown(given)}; it must give a dict of names and shapes, such as "
                         "{'weight': (4, 3)}")
    return {name: checked_shape(f"{where}: the shape of {shown(name)}", shape) for name, shape in given.items()}


def checked_shape(where, shape):
    """Return a shape of at least one axis as a tuple of int."""
    whole = isinstance(shape, (tuple, list)) and len(shape) > 0 and all(
        isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size > 0 for size in shape)
    if not whole or math.prod(map(int, shape)) >= 1 << 40:
        raise ValueError(f"{where} is {shown(shape)}; it must be a tuple of whole numbers above 0, such as (4,)")
    return tuple(map(int, shape))


def check_names(layer, names):
    """Refuse names that are no words, or that mean two arrays."""
    every = [OUTPUT, OUTPUT_GRADIENT, *names, *(f"d{name}" for name in names)]
    for name in names:
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
            raise ValueError(f"{layer} has an array called {shown(name)}; a name is a word of letters, digits and _")
        if every.count(name) > 1:
            raise ValueError(f"{layer} has two arrays called {name!r} (a and da are the output and its gradient, d and a "
                             "name the gradient of that array); give another name")


def checked_functions(cls):
    """Make the functions of a class of layers static, after a check of their signatures."""
    for phase in (FORWARD, BACKWARD, UPDATE):
        function = inspect.getattr_static(cls, phase, None)
        function = getattr(function, "py_func", getattr(function, "__func__", function))
        if function is None and phase == UPDATE:
            continue
        if not inspect.isfunction(function):
            raise ValueError(f"{cls.__name__} has no function {phase}; write it as a static method of arrays, such as "
                             f"{'def forward(a, x)' if phase == FORWARD else 'def backward(dx, da, x)'}")
        kinds = {parameter.kind for parameter in inspect.signature(function).parameters.values()}
        arguments = arguments_of(function)
        if arguments[:1] == ("self",):
            raise ValueError(f"{cls.__name__}.{phase} takes self; it must be a static method, which takes the arrays of one "
                             "sample and the layer's numbers by their names")
        if kinds - {inspect.Parameter.POSITIONAL_OR_KEYWORD} or function.__defaults__:
            raise ValueError(f"{cls.__name__}.{phase} must take plain arguments, without defaults, * and **")
        if "random" in function.__code__.co_names:
            raise ValueError(f"{cls.__name__}.{phase} draws random numbers, which no seed sets; let it read a node of them, "
                             "fastnn.GaussianNoise(1.0)(0.0 * x)")
        setattr(cls, phase, staticmethod(function))
