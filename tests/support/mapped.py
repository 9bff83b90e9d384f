"""Training from files larger than the allowed memory: `python mapped.py path megabytes`, the second being that limit.

The files are sparse, so they take no disk space. Prints the digest of the network.
"""

import resource
import sys
from pathlib import Path

import numpy as np
from trained_nets import digest

from fastnn import Adam, Dense, Network

SAMPLES, INPUTS = 300_000, 200  # 240 MB in float32


def network():
    return Network([Dense(8, "relu"), Dense(1)], inputs=INPUTS)


def data_taken():
    """Return the bytes of private, writable memory, which RLIMIT_DATA counts."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData")]
    return int(line.split()[1]) * 1024


def main(path, megabytes):
    X = np.memmap(path, np.float32, "w+", shape=(SAMPLES, INPUTS))
    X[::1000, ::10] = np.random.default_rng(0).normal(size=X[::1000, ::10].shape)
    X.flush()
    X = np.memmap(path, np.float32, "r", shape=(SAMPLES, INPUTS))
    y = np.zeros((SAMPLES, 1), np.float32)
    few = np.ones((256, INPUTS), np.float32)
    for work in ("fit", "evaluate"):  # whatever is taken at first use
        getattr(network(), work)(few, y[:256])
    network().predict(few)
    resource.setrlimit(resource.RLIMIT_DATA, (data_taken() + megabytes * 2**20,) * 2)
    try:
        np.ones(X.shape, np.float32)
    except MemoryError:
        net = network()
        net.fit(X, y, batch_size=4096, epochs=2, optimizer=Adam(), validation_data=(X[:1000], y[:1000]))
        net.evaluate(X, y)
        net.predict(X)
        print(digest(net))
    else:
        raise AssertionError("the limit limits nothing")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
