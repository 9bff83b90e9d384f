"""Compiling ahead: every kernel at once, for an image or a server that should not compile on its first request."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..checks import float_dtype, several
from ..kernels.compiling.jit import ANY
from ..kernels.compiling.parallel_compile import compile_in_parallel, every_kernel


def warmup(dtypes: str | Iterable[str] = "float32") -> float:
    """Compile every kernel that is not on disk yet, and return the seconds it took.

    Without it kernels compile when a network first needs them. Up to three processes compile at once, one a core, or as many
    as the environment variable FASTNN_COMPILERS says. Kernels are kept in the user's cache directory, or where the
    environment variable FASTNN_CACHE_DIR points.

    Parameters
    ----------
    dtypes : str or iterable of str
        "float32", "float64" or both.

    Examples
    --------
    >>> import fastnn
    >>> seconds = fastnn.warmup("float64")
    """
    start = time.perf_counter()
    given = (dtypes,) if isinstance(dtypes, str) else several("dtypes", dtypes)
    for dtype in [float_dtype("dtypes", each) for each in given]:
        kernels = every_kernel()
        compile_in_parallel(dtype, tuple(kernel.name for kernel in kernels))
        for kernel in kernels:
            kernel.address(ANY if kernel.moves_addresses else dtype)
    return time.perf_counter() - start
