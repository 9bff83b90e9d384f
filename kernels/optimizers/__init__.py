"""Optimizers: one class a file, holding the hyperparameters, the formula and the update of the flat parameter vector.

An update is plain Python over the elements of a vector. Called on lists it is the naive version; compiled it is the kernel.
Numbers that depend only on the step (a bias correction) are computed once a step by `coefficients`.
"""

import copy
import functools
import math
from dataclasses import dataclass, fields

import numpy as np
from numba import types
from numba.np.unsafe.ndarray import to_fixed_tuple

from ...checks.hyperparameters import limit, not_negative
from ...checks.other_arguments import takes_others
from ..compiling.jit import Kernel, jit, pointer, view
from ..compiling.registry import Registry
from ..elementwise.precision import compiled_scalar

checked_rate = not_negative().metadata["check"]


@dataclass(eq=False, repr=False)
class Optimizer:
    """Base class of the optimizers. Its fields are the hyperparameters, which may be changed between and during fits.

    A subclass defines `name`, `formula`, `slots` (the names of its state vectors), and two static methods:
    `coefficients(step, *hyperparameters)`, which returns at most 8 numbers, computed in float64 once a step (from 1), and
    `update(parameters, gradients, *slots, c)`, which changes parameters and slots in place.
    `vectorized(parameters, gradients, *slots, step)` is the same in NumPy and returns new parameters and slots.
    The first hyperparameter is `learning_rate`, which may be a schedule: a function of the number of the step, from 1.

    Parameters
    ----------
    clip_value : float, optional
        Before the update, each element of the gradient is limited to [−clip_value, clip_value].
    clip_norm : float, optional
        Then the gradient is scaled down if its norm, the root of the sum of all its squares, exceeds this.
        If neither was set before, a change takes effect with the next fit.
    """

    clip_value: float | None = limit()
    clip_norm: float | None = limit()

    name = ""
    formula = ""
    slots = ()

    def __setattr__(self, name, value):
        if (check := self.checks().get(name)) is not None:
            value = check(f"{type(self).__name__}({name}=...)", value)
        super().__setattr__(name, value)

    def __repr__(self):
        shown = [*self.hyperparameter_names(), *(name for name in ("clip_value", "clip_norm") if getattr(self, name))]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    @classmethod
    @functools.cache
    def checks(cls):
        """Return the checks of the fields by name."""
        return {field.name: field.metadata["check"] for field in fields(cls)}

    @classmethod
    @functools.cache
    def hyperparameter_names(cls):
        """Return the names of the hyperparameters, in order of declaration."""
        return tuple(field.name for field in fields(cls) if "limit" not in field.metadata)

    def hyperparameters(self, step=1):
        """Return their values in the given step, in order of declaration, as float64."""
        optimizer = self.at(step)
        return np.array([getattr(optimizer, name) for name in self.hyperparameter_names()], np.float64)

    @classmethod
    @functools.cache
    def bounded(cls):
        """Return the smallest and largest hyperparameters with which an update is known not to overflow, (2, count).

        They are not known for optimizers from outside this package.
        """
        if not cls.__module__.startswith(__name__):
            return np.full((2, len(cls.hyperparameter_names())), [[math.inf], [-math.inf]])
        return np.transpose([field.metadata["bounded"] for field in fields(cls) if "limit" not in field.metadata])

    @property
    def clips(self):
        """Return whether it limits the gradient."""
        return self.clip_value is not None or self.clip_norm is not None

    def limits(self):
        """Return [clip_value, clip_norm] as float64, infinite for no limit."""
        return np.array([math.inf if bound is None else bound for bound in (self.clip_value, self.clip_norm)])

    def at(self, step):
        """Return the optimizer as it is in one step: with a schedule, a copy with the learning rate of that step."""
        if not callable(self.learning_rate):
            return self
        optimizer = copy.copy(self)
        vars(optimizer)["learning_rate"] = self.rate(step)  # without the check, because a schedule may go down to 0
        return optimizer

    def rate(self, step):
        """Return the learning rate in the given step, counted from 1."""
        if not callable(self.learning_rate):
            return self.learning_rate
        return checked_rate(f"what {type(self).__name__}(learning_rate=...) gives at step {step}", self.learning_rate(step))


COEFFICIENTS = 8


def update_arguments(dtype):
    # parameters, gradients, state (one slot after the other), distance between slots, coefficients, number of parameters
    return pointer(dtype), pointer(dtype), pointer(dtype), types.intp, pointer(dtype), types.intp


def update_kernel(cls):
    """Return the kernel that updates a part of the flat vector."""

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
    """Return the kernel that computes the coefficients of a step."""

    def build(dtype):
        coefficients = jit(cls.coefficients)
        count = len(cls.hyperparameter_names())

        def kernel(c, hyperparameters, step):
            numbers = coefficients(step, *to_fixed_tuple(view(hyperparameters, 0, count), count))
            for i in range(len(numbers)):
                c[i] = numbers[i]

        return kernel

    return Kernel(f"{cls.name}_coefficients", build, coefficients_arguments, cached=cls.__module__.startswith(__name__))


optimizers = Registry("optimizer", type)


def compiled(cls):
    """Class decorator: make an optimizer a dataclass with kernels."""
    cls = dataclass(eq=False, repr=False)(cls)
    cls.__init__ = takes_others("optimizer")(cls.__init__)
    cls.kernel, cls.coefficients_kernel = update_kernel(cls), coefficients_kernel(cls)
    return cls


def register(cls):
    """Class decorator: make an optimizer a dataclass with kernels, and register it by its name."""
    return optimizers.register(compiled(cls))


optimizers.discover(__name__, __path__)
