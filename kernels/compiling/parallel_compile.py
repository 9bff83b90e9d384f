"""Compile missing kernels in several processes.

Numba compiles on one core, and a first fit needs about ten seconds of it. So other processes compile the kernels that this
process needs last and write them to the cache, where this process finds them. If they fail or cannot be started, this
process compiles the kernels that it does not find.
"""

import os
import subprocess
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from .cache import is_writable

MOST_COMPILERS = 3
# The kernels that training a dense network with Adam needs, in the order of use; other networks need a few more.
USUAL = (
    "count_beyond", "gather", "product", "relu_forward", "relu_backward", "dense_forward", "dense_backward_weight",
    "dense_backward_output", "transpose", "dense_backward_input", "accuracy_phase", "loss_phase",
    "softmax_cross_entropy_loss", "watch", "update_phase", "adam_update", "prepare_phase", "adam_coefficients", "shuffle",
    "train",
)


def compilers():
    """Return how many processes may compile at once: FASTNN_COMPILERS, by default one for each core, at most three."""
    given = os.environ.get("FASTNN_COMPILERS", "")
    if given.isdecimal():
        return int(given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_COMPILERS)


@cache
def compile_in_parallel(dtype, names=USUAL):
    """Compile some of the kernels of these names in other processes, once for each list of names."""
    helpers = compilers() - 1
    if helpers < 1 or not sys.executable or getattr(sys, "frozen", False) or not is_writable():
        return
    # import the package from where this process found it, not from the working directory
    root = Path(sys.modules[__name__.partition(".")[0]].__file__).parent.parent
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "FASTNN_COMPILERS": "1"}
    for number in range(helpers):
        program = f"from {__name__} import compile_share; compile_share{dtype, names, number, helpers, os.getpid()}"
        try:
            process = subprocess.Popen([sys.executable, "-P", "-c", program], env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError:
            return
        threading.Thread(target=process.wait, daemon=True).start()  # reap the process when it ends


def compile_share(dtype, names, number, helpers, parent):
    """Compile the share of process `number` of `helpers`, the last kernels first, as long as the parent process lives."""
    kernels = [kernel for kernel in every_kernel() if kernel.name in names]
    kernels.sort(key=lambda kernel: -names.index(kernel.name))
    kernels.sort(key=lambda kernel: bool(kernel.needs))  # by then the parent has compiled the kernels that these need
    for kernel in kernels[number::helpers]:
        if os.getppid() != parent:
            return
        kernel.address("any" if kernel.moves_addresses else dtype)


def every_kernel():
    """Return all kernels of the package."""
    kernels = import_module("..", __package__)
    for module in walk_packages(kernels.__path__, f"{kernels.__name__}."):
        import_module(module.name)
    return list(import_module(".jit", __package__).KERNELS.values())
