"""The error about a function of a custom layer that raised an exception in compiled code."""

from ...kernels.layers.custom.attempt import FAILED, PHASE_NUMBER, SAMPLE, exception_in
from ...kernels.layers.custom.rows import FAILURE_OF_LAYER, NUMBERS_OF_PHASES

__all__ = ["FAILURE_OF_LAYER", "failure_of", "has_failed"]
PHASES = {number: phase for phase, number in NUMBERS_OF_PHASES.items()}


def has_failed(network):
    """Return whether a function of a layer has raised an exception, which may show as the NaN that it left."""
    return any(kernels.failure[FAILED] for layer in network.layers
               for kernels in getattr(type(layer), "kernels_by_form", {}).values())


def failure_of(network):
    """Return the error about the first failure in a layer of a network, and forget all failures."""
    found = None
    for index, layer in enumerate(network.layers):
        for kernels in getattr(type(layer), "kernels_by_form", {}).values():
            record = kernels.failure
            if record[FAILED] and found is None:
                cause = exception_in(record)
                phase = PHASES.get(int(record[PHASE_NUMBER]), "a function")
                what = "an exception" if cause is None else f"{type(cause).__name__}: {cause}"
                found = RuntimeError(f"{phase} of layer {network.graph.names[index]} ({layer!r}) raised {what} (sample "
                                     f"{int(record[SAMPLE])} of its batch); nothing of that step has changed. "
                                     f"Call {type(layer).__name__}.{phase} on arrays in Python to look for the cause")
                found.__cause__ = cause
            record[:] = 0
    return found or RuntimeError("a custom layer raised an exception")
