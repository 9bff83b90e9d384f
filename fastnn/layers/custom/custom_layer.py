"""The base class of layers whose functions a user writes, and their registration."""

import math
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps

import numpy as np
from numba.core.errors import NumbaError

from ...checks import shown
from ...kernels.compiling.objects import address
from ...kernels.layers.custom.rows import adopt_state_row, custom_rows, update_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, layers
from .declaration import KEPT, TRAINING, checked_functions, checked_shape, declare
from .trial import try_once

LEAST_BLOCK, BLOCKS = 16, 8  # samples of a block whose gradients add up; about how many blocks a batch has


class CustomLayer(Layer):
    """Base class of layers of your own: plain Python functions of the arrays of one sample, compiled into the network.

    A subclass is registered with `fastnn.register_layer`. Its annotated attributes are the arguments of its constructor. It
    has two static methods, which get what their arguments name:

    forward(a, x, …)
        Writes every element of the output `a` for the input `x`. It may also take parameters, state, memory, the
        numbers among the layer's attributes, and `training`: True in `fit`, and False in prediction and evaluation.
    backward(dx, dweight, da, x, …)
        Writes every element of `dx`, the gradient of the input, and adds to the gradient of each parameter, `dweight`,
        given the gradient `da` of the output. It may take all that `forward` takes.

    Methods say the rest; those that are not defined have the defaults in parentheses:

    output_shape(shape)
        The shape of the output for a sample of this shape (the same shape).
    parameter_shapes(shape), state_shapes(shape), memory_shapes(shape)
        Dicts of names and shapes (none). Memory is kept from `forward` to `backward`, for each sample.
    initial_values(shape, generator)
        Initial parameters by name, arrays or numbers drawn from a NumPy generator (those with several axes Glorot uniform,
        others 0).
    initial_state()
        The initial state by name, numbers (0).
    update(…)
        A third static method that changes the state, which is saved with the network and only changes in training. After
        the step's gradients it is called for each sample of the batch in order.

    Attributes
    ----------
    reads : tuple of str
        The names of the inputs, ("x",) by default. A layer with several joins nodes of a graph; the methods get a tuple of
        shapes then.

    Examples
    --------
    >>> import fastnn
    >>> @fastnn.register_layer
    ... class Scale(fastnn.CustomLayer):
    ...     power: float = 1.0
    ...
    ...     def parameter_shapes(self, shape):
    ...         return {"scale": shape}
    ...
    ...     def initial_values(self, shape, generator):
    ...         return {"scale": 1.0}
    ...
    ...     @staticmethod
    ...     def forward(a, x, scale, power):
    ...         for i in range(len(x)):
    ...             a[i] = power * scale[i] * x[i]
    ...
    ...     @staticmethod
    ...     def backward(dx, dscale, da, x, scale, power):
    ...         for i in range(len(x)):
    ...             dx[i] = power * scale[i] * da[i]
    ...             dscale[i] += power * x[i] * da[i]
    >>> fastnn.check_layer(Scale(2.0), 3).passed
    True
    >>> net = fastnn.Network([fastnn.Dense(4, "tanh"), Scale(0.5), fastnn.Dense(1)], inputs=3)
    """

    reads = "x",
    least = 2  # of those that join: how many nodes

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != KEPT}

    def memory_shapes(self, shape):
        """Return the shapes of the arrays kept from forward to backward by name, for a sample."""
        return {}

    def initial_values(self, shape, generator):
        """Return initial parameters by name; the others have the default values."""
        return {}

    def initial_parameters(self, shape, generator, activation):
        shapes, values = self.parameter_shapes(shape), self.initial_values(shape, generator)
        for name, value in values.items():
            if name not in shapes:
                raise ValueError(f"{type(self).__name__}.initial_values gives {shown(name)}, which is no parameter; they "
                                 f"are {', '.join(shapes) or 'none'}")
            if np.shape(value) not in ((), tuple(shapes[name])):
                raise ValueError(f"{type(self).__name__}.initial_values gives {name} the shape {np.shape(value)}; it must "
                                 f"be {tuple(shapes[name])}, or one number")
        return {name: values[name] if name in values else glorot_uniform(shape, generator) for name, shape in shapes.items()}

    def check_functions(self, shape):
        try_once(declare(self, shape))

    def multiply_adds(self, shape):
        declaration = declare(self, shape)
        return sum(map(math.prod, (declaration.shapes | declaration.gradients).values()))

    def __call__(self, *nodes, name=None):
        check_registered(self)
        return super().__call__(*nodes, name=name)

    def lower(self, program, index, x, activation):
        xs = [program.in_arena(each) for each in (x if self.joins else [x])]
        declaration = declare(self, tuple(each.shape for each in xs) if self.joins else xs[0].shape)
        kernels, dtype, training = declaration.kernels, program.dtype, program.training
        a, block = program.tensor(declaration.output), max(LEAST_BLOCK, -(-program.batch // BLOCKS))
        operands = {"o_a": a.offset, "o_da": a.gradient or 0, "u_failure": address(kernels.failure), "u_block": block,
                    "u_sums": 0, "u_start": 0, "u_size": 0, "u_next": 0}
        for name, read in zip(self.reads, xs, strict=True):
            unread = training and read.gradient is None  # nobody asks for it, and the function writes it all the same
            operands[f"o_{name}"] = read.offset
            operands[f"o_d{name}"] = program.arena.take(program.batch * read.features) if unread else read.gradient or 0
        for name, shape in declaration.memory.items():
            operands[f"o_{name}"] = program.arena.take(program.batch * math.prod(shape))
        places = [program.offsets[f"{index}.{name}"] for name in declaration.parameters]
        operands |= {f"o_{name}": place for name, place in zip(declaration.parameters, places, strict=True)}
        operands |= {f"o_{name}": address(program.state[f"{index}.{name}"]) for name in declaration.state}
        operands |= declaration.constants
        if declaration.has_training:
            operands[f"v_{TRAINING}"] = program.as_in_training
        if places:
            size = places[-1] + math.prod([*declaration.parameters.values()][-1]) - places[0]
            operands["u_start"], operands["u_size"] = places[0], size
            if training:
                operands["u_sums"] = program.arena.take(-(-program.batch // block) * size)
            program.emit_update(start=places[0], rows=1, columns=size, parts=1)
        work = program.batch * (sum(read.features for read in xs) + a.features + operands["u_size"])
        try:
            # without parameters, and if nobody asks for a gradient of what it reads, it has nothing to do going back
            goes_back = training and (bool(places) or any(read.gradient is not None for read in xs))
            for row in custom_rows(kernels, dtype, program.parts(work, NUMBERS_PER_PART), goes_back, operands):
                program.emit(row)
            if declaration.state and program.keeps_state:
                self.emit_state(program, index, declaration, kernels, operands)
        except NumbaError as error:
            raise ValueError(not_compiled(self, error)) from error
        return a

    def emit_state(self, program, index, declaration, kernels, operands):
        """Emit the rows that work out the next state, and take it over at the end of the step."""
        if sum(step.index == index for step in program.network.wiring.steps) > 1:
            raise ValueError(f"{self!r} has state that learns and is shared by several calls; make a layer for each")
        size = sum(map(math.prod, declaration.state.values()))
        operands["u_next"] = program.arena.take(size)
        program.emit(update_row(kernels, program.dtype, operands))
        program.emit_last(adopt_state_row(program.dtype, next=operands["u_next"], size=size,
                                        state=operands[f"o_{next(iter(declaration.state))}"]))


def glorot_uniform(shape, generator):
    """Return initial values: of arrays with several axes random ones (Glorot and Bengio 2010), of others 0."""
    if len(shape) < 2:
        return 0.0
    limit = math.sqrt(6 / (math.prod(shape[:-1]) + shape[-1]))
    return generator.uniform(-limit, limit, size=shape)


def not_compiled(layer, error):
    """Return the message about functions that Numba does not compile."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "<intrinsic attempt>" not in line]
    telling = [line for line in lines if any(word in line for word in TELLING)]
    place = next((line for line in lines if line.startswith("File ")), "")
    return (f"a function of {type(layer).__name__} cannot be compiled: {' '.join(telling[:2]) or lines[0]} {place} "
            "Functions take arrays and numbers, and compute with loops, math and what Numba knows of NumPy; they call other "
            "such functions only")


TELLING = ("Cannot ", "cannot ", "Untyped global", "Unknown attribute", "Undecided", "No implementation", "Unsupported",
           "it returns a value", "Use of unsupported", "NameError", "not defined", "unsupported")


def check_registered(layer):
    """Refuse a layer of a class that is not registered, so that its networks could not be loaded."""
    if layers.get(type(layer).__name__) is not type(layer):
        raise ValueError(f"{type(layer).__name__} is not registered, or another class of that name was registered since; "
                         "put @fastnn.register_layer above the class")


def register_layer(cls):
    """Register a layer of your own, a subclass of `fastnn.CustomLayer`, so that networks with it can be saved and loaded.

    A class decorator. The class becomes a frozen dataclass, whose annotated attributes are the arguments of its constructor.
    Registering a class under the same name again replaces it, as when a notebook cell runs twice. Before a file with the
    layer is loaded, the class must be registered.

    Parameters
    ----------
    cls : type

    Returns
    -------
    type
        The class.

    Examples
    --------
    >>> import fastnn
    >>> @fastnn.register_layer
    ... class Square(fastnn.CustomLayer):
    ...     def forward(a, x):
    ...         for i in range(len(x)):
    ...             a[i] = x[i] * x[i]
    ...
    ...     def backward(dx, da, x):
    ...         for i in range(len(x)):
    ...             dx[i] = 2.0 * x[i] * da[i]
    >>> fastnn.Network([Square(), fastnn.Dense(1)], inputs=3).layers[0]
    Square()
    """
    if not isinstance(cls, type) or not issubclass(cls, CustomLayer) or cls is CustomLayer:
        raise ValueError(f"register_layer is given {shown(cls)}; it takes a subclass of fastnn.CustomLayer")
    before = layers.get(cls.__name__)
    if before is not None and not issubclass(before, CustomLayer):
        raise ValueError(f"fastnn has a layer called {cls.__name__}; give yours another name")
    checked_functions(cls)
    if "works_over_time" in cls.__dict__:
        raise ValueError(f"{cls.__name__} has works_over_time; a layer of your own works on the steps of sequences, one at "
                         "a time: leave it out, or give the network sequences of one length, inputs=(steps, features)")
    reads = (cls.reads,) if isinstance(cls.reads, str) else tuple(cls.reads)
    if not reads or len({*reads}) < len(reads):
        raise ValueError(f"{cls.__name__}.reads is {shown(cls.reads)}; it must be the names of its inputs, such as "
                         "('x', 'y')")
    cls.reads, cls.joins, cls.kernels_by_form = reads, len(reads) > 1, {}
    if "output_shape" not in cls.__dict__ or not hasattr(cls.output_shape, "__wrapped__"):
        cls.output_shape = checked_output(cls.output_shape)
    if not is_dataclass(cls) or "__dataclass_params__" not in cls.__dict__:
        cls = dataclass(frozen=True)(cls)
        cls.__init__ = checked_arguments(cls, cls.__init__)
    layers.records[cls.__name__] = cls
    return cls


def checked_arguments(cls, init):
    """Return the constructor with an error that says where its arguments come from."""

    @wraps(init)
    def checked(self, *arguments, **named):
        try:
            init(self, *arguments, **named)
        except TypeError as error:
            own = ", ".join(field.name for field in fields(cls)) or "none"
            raise TypeError(f"{error}; the arguments of {cls.__name__} are its annotated attributes, such as "
                            f"rate: float = 1.0, and here {own}") from None

    return checked


def checked_output(output_shape):
    """Return the method `output_shape` with a check of what it takes and gives."""

    @wraps(output_shape)
    def checked(self, shape):
        name = type(self).__name__
        if self.joins and len(shape) != len(self.reads):
            raise ValueError(f"{self!r} joins {len(self.reads)} tensors, {', '.join(self.reads)}, and here "
                             f"{'there is 1' if len(shape) == 1 else f'there are {len(shape)}'}")
        if self.joins and output_shape is Layer.output_shape:
            return checked_shape(f"{name}.output_shape", shape[0])
        return checked_shape(f"what {name}.output_shape gives for {shape}", output_shape(self, shape))

    return checked
