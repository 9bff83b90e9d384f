"""Compiling in several processes: when kernels are missing on disk, others compile some of them at the same time.

Numba compiles on one core, and a first fit needs some ten seconds of it. So other processes begin with the kernels that this
one comes to last, and leave them in the cache, where this one finds them. If they cannot be started, or fail, nothing is
lost: this process compiles what it does not find.
"""

import os
import subprocess
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from .cache import can_be_written

MOST_COMPILERS = 3
# What a net of dense layers needs to be trained by Adam, in the order in which it asks; other nets need a few more.
USUAL = (
    "count_beyond", "gather", "product", "relu_forward", "relu_backward", "dense_forward", "dense_backward_weight",
    "dense_backward_output", "transpose", "dense_backward_input", "accuracy_phase", "loss_phase",
    "softmax_cross_entropy_loss", "watch", "update_phase", "adam_update", "prepare_phase", "adam_coefficients", "shuffle",
    "train",
)


def compilers():
    """How many processes may compile at once: FASTNN_COMPILERS, else one a core, at most three."""
    given = os.environ.get("FASTNN_COMPILERS", "")
    if given.isdecimal():
        return int(given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_COMPILERS)


@cache
def compile_in_parallel(dtype, names=USUAL):
    """Have other processes compile some of the kernels of these names, which this one needs next; once for the same ones."""
    helpers = compilers() - 1
    if helpers < 1 or not sys.executable or getattr(sys, "frozen", False) or not can_be_written():
        return
    # the package from where it was found here, whatever the working folder holds
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
        threading.Thread(target=process.wait, daemon=True).start()  # so that it is no zombie when it has ended


def compile_share(dtype, names, number, helpers, parent):
    """What process `number` of `helpers` does: compile its share of the kernels, the last first, while the parent lives."""
    kernels = [kernel for kernel in every_kernel() if kernel.name in names]
    kernels.sort(key=lambda kernel: -names.index(kernel.name))
    kernels.sort(key=lambda kernel: bool(kernel.needs))  # what these need the parent has compiled by then
    for kernel in kernels[number::helpers]:
        if os.getppid() != parent:
            return
        kernel.address("any" if kernel.moves_addresses else dtype)


def every_kernel():
    """All kernels that come with the package."""
    kernels = import_module("..", __package__)
    for module in walk_packages(kernels.__path__, f"{kernels.__name__}."):
        import_module(module.name)
    return import_module(".jit", __package__).KERNELS
