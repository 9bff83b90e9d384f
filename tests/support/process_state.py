"""New results and settings of a process: neither may change after an exception at any place."""

import hashlib
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from fastnn import LBFGS, Activation, BatchNorm, Dense, Dropout, Network, Population

X, Y = np.random.default_rng(0).normal(size=(80, 5)), np.arange(80) % 3


def network(seed=0, **options):
    return Network([Dense(9, "relu"), BatchNorm(), Dropout(0.1), Dense(7), Activation("tanh"), Dense(3, "softmax")],
                   inputs=5, seed=seed, **options)


def arrays(net):
    return [view.tobytes() for view in (*net.parameters.values(), *net.state.values())]


def first_weights():
    return arrays(network(7))


def results_digest():
    """Return a digest of new networks, fits, files, loaded files, copies and predictions."""
    sha = hashlib.sha256()

    def note(*nets):
        for net in nets:
            for each in arrays(net):
                sha.update(each)

    note(network(), network(5), network(dtype="float64"), Network.from_config(network().config(), seed=3))
    net = network(1)
    net.fit(X, Y, epochs=2, progress=False)
    sha.update(net.forward(X).tobytes())
    sha.update(repr(net.history["loss"]).encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        net.save(path)
        sha.update(path.read_bytes())
        note(net, Network.load(path))
        net.save_checkpoint(path)
        sha.update(path.read_bytes())
        loaded = Network.load_checkpoint(path)
    loaded.fit(X, Y, epochs=3, progress=False, resume=True)
    note(loaded, loaded.astype("float64"))
    population = Population([network(2), network(3)])
    population.fit(X, Y, epochs=2, progress=False)
    note(*population)
    smooth = Network([Dense(4, "tanh"), Dense(3, "softmax")], inputs=5)
    smooth.fit(X, Y, optimizer=LBFGS(max_iterations=2), progress=False)
    note(smooth)
    return sha.hexdigest()


def process_settings():
    """Return the settings of the process that must not change."""
    lock = global_compiler_lock._lock
    return {"threads of Numba": numba.get_num_threads(), "floating-point errors": np.geterr(),
            "warnings": list(warnings.filters), "shown by": warnings.showwarning,
            "environment": {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "compiler lock": lock._is_owned(), "traced by": sys.gettrace()}


if __name__ == "__main__":
    print(results_digest())
