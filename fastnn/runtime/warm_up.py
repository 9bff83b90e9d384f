"""Compilation of every kernel in advance, for a container image or a server that must not compile on its first request."""

from __future__ import annotations

import time
from collections.abc import Iterable

from ..checks import float_dtype, several
from ..kernels.compiling.jit import ANY
from ..kernels.compiling.parallel_compile import compile_in_parallel, every_kernel


def warmup(dtypes: str | Iterable[str] = "float32") -> float:
    """Compile every kernel that is not on disk yet, and return the seconds it took.

    Otherwise kernels compile when a network first needs them. Up to three processes, one for each core, compile at the same
    time, or as many as the environment variable FASTNN_COMPILERS specifies. Kernels are cached in the user's cache
    directory, or in the directory of the environment variable FASTNN_CACHE_DIR.

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
