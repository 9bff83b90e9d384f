"""The kernels that must have a benchmark: those of every registered record, and of every kind of layer."""

from fastnn.kernels.activations import activations
from fastnn.kernels.compiling.jit import Kernel
from fastnn.kernels.optimizers import optimizers
from fastnn.layers import layers
from fastnn.naive.rungs import all_losses


def registered_kernels():
    """Return the names of the kernels of the registries' records, and of layers."""
    for layer in layers.values():
        yield from layer.functions
    for record in (*activations.values(), *all_losses().values()):
        yield from (value.name for value in vars(record).values() if isinstance(value, Kernel))
    for kind in optimizers.values():
        yield kind.kernel.name  # its coefficients, some numbers a step, are part of the update that is timed


def require_all(names):
    """Fail if a registered kernel is not among the names of benchmarks."""
    missing = sorted(set(registered_kernels()) - set(names))
    if missing:
        raise NotImplementedError(f"no benchmark for {', '.join(missing)}; add a case to fastnn.cli.compare.kernel_cases")
