"""An activation as an operation of its own: a = g(z), and backward dz = da g'(z) in place."""

from .dense import (
    ACTIVATION,
    ACTIVATION_BACKWARD,
    DZ,
    OUT_FEATURES,
    A,
    Z,
    activate,
    dense_backward_output,
)
from .jit import Kernel
from .table import BACKWARD_OUTPUT, FORWARD, make_row, phase_arguments, share


def build_forward(dtype):
    def activation_forward(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        begin, end = share(batch, part, parts, 1)
        activate(row, arena, begin, end - begin)

    return activation_forward


activation_forward = Kernel("activation_phase", build_forward, phase_arguments)


def activation_row(dtype, activation, parts, *, z, a, dz, features):
    """The row of an activation. dz: where da is and dz goes, None where nothing asks for it; all are offsets and sizes."""
    phases = {FORWARD: (activation_forward.address(dtype), parts)}
    operands = {Z: z, A: a, OUT_FEATURES: features, ACTIVATION: activation.forward.address(dtype)}
    if dz is not None:
        phases[BACKWARD_OUTPUT] = dense_backward_output.address(dtype), parts
        operands |= {DZ: dz, ACTIVATION_BACKWARD: activation.backward.address(dtype)}
    return make_row(phases, operands)
