"""Arguments of single kernels called from Python: arrays of one dtype, and rows whose operands are anywhere in memory."""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.interpreter import ONE_PHASE, one_phase_kernel
from ..kernels.interpreter.table import PHASES
from ..runtime.threads import launch
from ..samples.arrays import real_array


def real_arrays(**given):
    """Return a dtype and C-contiguous arrays of it: float32 if all arguments are, else float64."""
    dtype = "float32" if all(getattr(values, "dtype", None) == np.float32 for values in given.values()) else "float64"
    return dtype, *(kernel_array(name, values, dtype) for name, values in given.items())


def kernel_array(name, values, dtype):
    if type(values) is np.ndarray and values.dtype == dtype and values.flags.c_contiguous and values.flags.aligned:
        return values
    return real_array(name, values, dtype)


def check_alike(**arrays):
    """Raise an error if arrays differ in shape."""
    (first, shape), *others = ((name, array.shape) for name, array in arrays.items())
    for name, other in others:
        if other != shape:
            raise ValueError(f"{name} has shape {other}; it must be that of {first}, {shape}")


def place(array):
    """Return the position of an array as an offset in elements from address 0, where the memory of these calls begins."""
    return 0 if array is None else address(array) // array.itemsize


def run_phase(row, phase, batch, flops=0, gradients=0):
    """Run one phase of `row` in its number of parts. gradients: distance in bytes from a parameter to its gradient."""
    run_once(row, phase, int(row[phase]["parts"]), flops, gradients=gradients, batch=batch)


def cut_phase(row, phase, batch, parts, flops, gradients=0):
    """Run one phase of `row` in `parts` parts: of a kernel that does its part of the work, not the whole."""
    row[phase]["parts"] = parts
    run_phase(row, phase, batch, flops, gradients)


def run_once(row, phase, parts=1, flops=0, **call):
    """Run one phase of `row`. call: fields of the call; the others are 0."""
    frame = ONE_PHASE.new(row=address(row), phase=PHASES.index(phase))
    for name, value in call.items():
        frame["call"][name] = value
    launch(one_phase_kernel, frame, parts, flops)
