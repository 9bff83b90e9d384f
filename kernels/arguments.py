"""What kernels take that Python functions call alone: arrays of one dtype, and rows about memory that lies anywhere."""

import numpy as np

from ..checks import real_array
from ..threads import run
from .interpreter import run_kernel
from .objects import address


def real_arrays(**given):
    """A dtype and C-contiguous arrays of it: float32 if all that is given is, else float64."""
    dtype = "float32" if all(getattr(values, "dtype", None) == np.float32 for values in given.values()) else "float64"
    return dtype, *(as_kernels_take_it(name, values, dtype) for name, values in given.items())


def as_kernels_take_it(name, values, dtype):
    if type(values) is np.ndarray and values.dtype == dtype and values.flags.c_contiguous and values.flags.aligned:
        return values
    return real_array(name, values, dtype)


def check_alike(**arrays):
    """Refuse arrays that differ in shape."""
    (first, shape), *others = ((name, array.shape) for name, array in arrays.items())
    for name, other in others:
        if other != shape:
            raise ValueError(f"{name} has shape {other}; it must be that of {first}, {shape}")


def place(array):
    """Where an array lies, as an offset: the table's count numbers from where a network's memory begins, here from 0."""
    return 0 if array is None else address(array) // array.itemsize


def run_phase(row, phase, batch, parts, flops, gradients=0):
    """Run one phase of `row`, cut into `parts`. gradients: how many bytes behind a parameter its gradient lies."""
    row[phase + 1] = parts
    # parameters, gradients, arena, results, capacity and first, then batch, accumulate, phase and team
    run(run_kernel, np.array([address(row), 0, gradients, 0, 0, 0, 0, batch, 0, phase, 0]), parts, flops)
