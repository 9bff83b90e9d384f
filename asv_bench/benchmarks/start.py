"""From the start of a process to the end of the first epoch, with an empty kernel cache and with a filled one."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

FIRST_EPOCH = """
import numpy as np
from fastnn import Dense, Network
rng = np.random.default_rng(0)
X, y = rng.normal(size=(3000, 2)), rng.integers(3, size=3000)
net = Network([Dense(64, "relu"), Dense(64, "relu"), Dense(3, "softmax")], inputs=2)
net.fit(X, y, epochs=1, batch_size=32, optimizer="adam", progress=False)
"""


def seconds(cache):
    """Return the duration of a new process, with its kernel cache in the folder `cache`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", FIRST_EPOCH], env=os.environ | {"FASTNN_CACHE_DIR": cache}, check=True)
    return time.perf_counter() - start


class Start:
    """Both kinds of start, measured once: the warm ones use the cache that the cold one has filled."""

    def setup_cache(self):
        with tempfile.TemporaryDirectory() as cache:
            cold = seconds(cache)
            return {"cold": cold, "warm": statistics.median(seconds(cache) for _ in range(3))}

    setup_cache.timeout = 300

    def track_cold_start(self, start):
        return start["cold"]

    def track_warm_start(self, start):
        return start["warm"]

    track_cold_start.unit = track_warm_start.unit = "seconds"
