"""Optimizers: one class a file, holding the hyperparameters, the update on the flat vector and its formula.

An update is written as plain Python over the numbers of a flat vector. Run as it stands on lists it is the naive rung;
compiled it is the kernel. What depends on the step alone (a bias correction) is worked out once a step by `coefficients`.
"""

import math
from dataclasses import dataclass, field, fields

import numpy as np
from numba import types
from numba.np.unsafe.ndarray import to_fixed_tuple

from ..jit import Kernel, jit, pointer, view
from ..precision import compiled_scalar
from ..registry import Registry


@dataclass(eq=False)
class Optimizer:
    """Base of the optimizers. Its fields are the hyperparameters, which may be changed between and during fits.

    A subclass gives `name`, `formula`, `slots` (the names of its state vectors), and two static methods:
    `coefficients(step, *hyperparameters)`, at most 8 numbers worked out in float64 once a step (counted from 1), and
    `update(parameters, gradients, *slots, c)`, which changes parameters and slots in place.
    `vectorized(parameters, gradients, *slots, step)` says the same in NumPy and returns new parameters and slots.
    """

    name = ""
    formula = ""
    slots = ()

    def __setattr__(self, name, value):
        for each in fields(self):
            if each.name == name:
                value = each.metadata["check"](f"{type(self).__name__}({name}=...)", value)
        super().__setattr__(name, value)

    def hyperparameters(self):
        """Their values in order of declaration, as float64."""
        return np.array([getattr(self, field.name) for field in fields(self)], np.float64)


def number_between(default, low, high, says):
    def check(where, value):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low <= value < high:
            raise ValueError(f"{where} is {value!r}; it must be {says}")
        return float(value)

    return field(default=default, metadata={"check": check})


def positive(default):
    """A hyperparameter above zero."""
    return number_between(default, math.nextafter(0.0, 1.0), math.inf, "a positive, finite number")


def not_negative(default):
    """A hyperparameter of zero or more."""
    return number_between(default, 0.0, math.inf, "a finite number of zero or more")


def in_unit_interval(default):
    """A hyperparameter from 0 up to, but not including, 1."""
    return number_between(default, 0.0, 1.0, "a number from 0 up to, but not including, 1")


def flag(default):
    """A hyperparameter that is on or off."""

    def check(where, value):
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{where} is {value!r}; it must be True or False")
        return bool(value)

    return field(default=default, metadata={"check": check})


COEFFICIENTS = 8


def update_arguments(dtype):
    # parameters, gradients, state (slots one after the other), distance between slots, coefficients, how many parameters
    return pointer(dtype), pointer(dtype), pointer(dtype), types.intp, pointer(dtype), types.intp


def update_kernel(cls):
    """The update over a stretch of the flat vector."""

    def build(dtype):
        update = compiled_scalar(cls.update, dtype, f"{cls.name}_update")
        if len(cls.slots) == 0:

            def kernel(parameters, gradients, state, stride, c, size):
                update(view(parameters, 0, size), view(gradients, 0, size), view(c, 0, COEFFICIENTS))

        elif len(cls.slots) == 1:

            def kernel(parameters, gradients, state, stride, c, size):
                update(view(parameters, 0, size), view(gradients, 0, size), view(state, 0, size), view(c, 0, COEFFICIENTS))

        else:

            def kernel(parameters, gradients, state, stride, c, size):
                update(view(parameters, 0, size), view(gradients, 0, size), view(state, 0, size), view(state, stride, size),
                       view(c, 0, COEFFICIENTS))

        return kernel

    return Kernel(f"{cls.name}_update", build, update_arguments, cached=cls.__module__.startswith(__name__))


def coefficients_arguments(dtype):
    return pointer(dtype), types.CPointer(types.float64), types.intp  # coefficients, hyperparameters, step


def coefficients_kernel(cls):
    """The numbers that all updates of one step share."""

    def build(dtype):
        work_out = jit(cls.coefficients)
        count = len(fields(cls))

        def kernel(c, hyperparameters, step):
            numbers = work_out(step, *to_fixed_tuple(view(hyperparameters, 0, count), count))
            for i in range(len(numbers)):
                c[i] = numbers[i]

        return kernel

    return Kernel(f"{cls.name}_coefficients", build, coefficients_arguments, cached=cls.__module__.startswith(__name__))


optimizers = Registry("optimizer", type)


def compiled(cls):
    """Class decorator: make an optimizer a dataclass with kernels."""
    cls = dataclass(eq=False)(cls)
    cls.kernel, cls.coefficients_kernel = update_kernel(cls), coefficients_kernel(cls)
    return cls


def register(cls):
    """Class decorator: make an optimizer a dataclass with kernels, known by its name."""
    return optimizers.register(compiled(cls))


optimizers.discover(__name__, __path__)
