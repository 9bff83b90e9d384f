"""Arguments of kernels that Python calls alone: arrays of one dtype, and rows whose operands lie anywhere in memory."""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.interpreter import ONE_PHASE, one_phase_kernel
from ..kernels.interpreter.table import PHASES
from ..runtime.threads import launch
from ..samples.arrays import real_array


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
    """Where an array lies, as an offset in numbers: the memory of these calls begins at address 0."""
    return 0 if array is None else address(array) // array.itemsize


def run_phase(row, phase, batch, parts, flops, gradients=0):
    """Run one phase of `row`, cut into `parts`. gradients: how many bytes behind a parameter its gradient lies."""
    row[phase]["parts"] = parts
    run_once(row, phase, parts, flops, gradients=gradients, batch=batch)


def run_once(row, phase, parts=1, flops=0, **call):
    """Run one phase of `row`. call: fields of the call, 0 for the others."""
    frame = ONE_PHASE.new(row=address(row), phase=PHASES.index(phase))
    for name, value in call.items():
        frame["call"][name] = value
    launch(one_phase_kernel, frame, parts, flops)
