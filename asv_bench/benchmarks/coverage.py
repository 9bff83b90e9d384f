"""What must have a benchmark: every kernel of every registered record, and every kind of layer."""

from fastnn.kernels.activations import activations
from fastnn.kernels.compiling.jit import Kernel
from fastnn.kernels.optimizers import optimizers
from fastnn.layers import layers
from fastnn.naive.rungs import all_losses

# layers are not timed by themselves but by their kernels, which must be named here
KERNELS_OF_LAYERS = {
    "Dense": ["linear_forward", "linear_backward"],
    "Activation": [],  # the kernels of the records, which count by themselves
    "BatchNorm": ["batch_norm_forward", "batch_norm_backward", "batch_norm_predict"],
    "Dropout": ["dropout_forward", "dropout_backward"],
    "LayerNorm": ["layer_norm_forward", "layer_norm_backward"],
}


def registered_kernels():
    """The names of the kernels that the records of the registries hold, and of those that layers run."""
    for name in layers:
        if name not in KERNELS_OF_LAYERS:
            raise NotImplementedError(f"layer {name} has no benchmark; name its kernels in {__name__}.KERNELS_OF_LAYERS")
        yield from KERNELS_OF_LAYERS[name]
    for record in (*activations.values(), *all_losses().values()):
        yield from (value.name for value in vars(record).values() if isinstance(value, Kernel))
    for kind in optimizers.values():
        yield kind.kernel.name  # its coefficients, some numbers a step, are part of the update that is timed


def require_all(names):
    """Fail if a registered kernel is not among the names of benchmarks."""
    missing = sorted(set(registered_kernels()) - set(names))
    if missing:
        raise NotImplementedError(f"no benchmark for {', '.join(missing)}; add a case to fastnn.cli.compare.kernel_cases")
