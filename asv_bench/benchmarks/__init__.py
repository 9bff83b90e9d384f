"""Benchmarks of fastnn, all on one thread: the gain of several threads depends on the load by other programs."""

import os

THREADS = 1

for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM"):
    os.environ.setdefault(f"{library}_NUM_THREADS", str(THREADS))  # before NumPy is imported: its BLAS reads them then
