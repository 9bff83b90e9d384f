"""Every kernel, alone and compared with the same mathematics in pure Python loops and in NumPy.

The sizes are those of `fastnn compare`: a layer is 64×784×128, activations and losses are 512×128.
"""

from fastnn.cli.compare import Setting, kernel_cases, measure

from . import THREADS
from .coverage import require_all

CASES = kernel_cases()
require_all(CASES)
SETTING = Setting(threads=THREADS)


class Kernels:
    """Seconds of a call."""

    params = tuple(CASES)
    param_names = ("kernel",)

    def setup(self, kernel):
        self.run = CASES[kernel](SETTING).compiled
        self.run()  # compiles, or loads from the cache

    def time_compiled(self, kernel):
        self.run()


class Speedups:
    """Ratios to loops and to NumPy. All are measured once, in turn, for both ratios."""

    params = tuple(CASES)
    param_names = ("kernel",)

    def setup_cache(self):
        return {name: measure(build(SETTING)) for name, build in CASES.items()}

    setup_cache.timeout = 900  # compiling everything included

    def track_speedup_over_loops(self, timings, kernel):
        return timings[kernel].over_loops

    def track_speedup_over_numpy(self, timings, kernel):
        return timings[kernel].over_numpy

    track_speedup_over_loops.unit = track_speedup_over_numpy.unit = "times"
