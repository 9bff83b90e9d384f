"""An activation as a separate operation: a = g(z), and backward dz = da g'(z) in place."""

from ..compiling.jit import Kernel, call_at, jit, offset
from ..compiling.share import share
from ..interpreter.table import Kind

ACTIVATION = Kind("activation", "z", "a", "dz", "positions", "out_features", "activation", "activation_backward")


@jit(inline=True)
def activate(row, call, begin, end):
    """a = g(z) for the rows begin to end; z, a (rows, out_features)."""
    start = begin * row.out_features
    a, z = offset(call.arena, row.a + start), offset(call.arena, row.z + start)
    call_at(row.activation, (a, z, end - begin, row.out_features))


@jit(inline=True)
def activate_backward(row, call, begin, end):
    """dz = da g'(z), in place, for the rows begin to end; dz, z, a (rows, out_features)."""
    # forward: a = g(z)
    start = begin * row.out_features
    dz, z, a = offset(call.arena, row.dz + start), offset(call.arena, row.z + start), offset(call.arena, row.a + start)
    call_at(row.activation_backward, (dz, z, a, end - begin, row.out_features))


def build_forward(dtype):
    def activation_forward(row, call, part, parts):
        begin, end = share(call.batch * row.positions, part, parts, 1)
        activate(row, call, begin, end)

    return activation_forward


def build_backward(dtype):
    def activation_backward(row, call, part, parts):
        begin, end = share(call.batch * row.positions, part, parts, 1)
        activate_backward(row, call, begin, end)

    return activation_backward


activation_forward = Kernel("activation_phase", build_forward, ACTIVATION.arguments)
activation_backward = Kernel("activation_backward_phase", build_backward, ACTIVATION.arguments)


def activation_row(dtype, activation, parts, *, z, a, dz, features, positions=1):
    """Return the row of an activation, of samples (positions, features). All arguments are offsets and sizes.

    dz: holds da, then dz; None if no gradient is needed.
    """
    phases = {"forward": (activation_forward.address(dtype), parts)}
    if dz is not None:
        phases["backward_first"] = activation_backward.address(dtype), parts
    return ACTIVATION.row(phases, z=z, a=a, dz=dz or 0, positions=positions, out_features=features,
                          activation=activation.forward.address(dtype),
                          activation_backward=0 if dz is None else activation.backward.address(dtype))
