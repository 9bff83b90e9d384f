"""Benchmarks of fastnn, one thread throughout: what several threads bring depends on what else the machine is doing."""

import os

THREADS = 1

for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM"):
    os.environ.setdefault(f"{library}_NUM_THREADS", str(THREADS))  # before NumPy is imported: its BLAS reads them then
