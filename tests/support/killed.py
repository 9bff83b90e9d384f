"""Kill saving processes at random moments: python killed.py KIND FOLDER KILLS SEED.

After each kill the file is read: it must be a complete version, and not an older one than before. Then one more save must
leave no other file beside it. With each killed process, another one saves to the same file and is not killed.
"""

import os
import random
import signal
import sys
import time
import warnings

import numpy as np

from fastnn import Adam, Dense, Network

ROWS = 700  # of a weight, so that a save takes long enough to be hit: some 200 kB


def network():
    return Network([Dense(64, "tanh"), Dense(1)], inputs=ROWS)


class Saver:
    """An object to save; `show(path)` returns the set of all numbers in a file: one version if it is complete."""

    def __init__(self, kind):
        self.kind, self.network = kind, network()
        if kind == "checkpoint":
            self.network.fit(np.ones((2, ROWS)), np.ones(2), optimizer=Adam(), epochs=1)
        if kind == "table":
            from fastnn.tables import Preprocessing, TableModel, Values
            from fastnn.tables.columns.kinds import Number

            columns = [Number(f"column {k}", 0.0, 1.0, 0.0, False) for k in range(ROWS)]
            self.model = TableModel(self.network, Preprocessing(columns), Values("y", 0.0, 1.0, 0.0, 1.0))

    def save(self, path, version):
        for view in self.network.parameters.values():
            view[...] = version
        if self.kind == "network":
            self.network.save(path)
        elif self.kind == "checkpoint":
            self.network.save_checkpoint(path)
        elif self.kind == "onnx":
            self.network.to_onnx(path)
        else:
            self.model.save(path)

    def version(self, path):
        if self.kind == "onnx":
            from fastnn import onnx

            loaded = onnx.load(path)
        elif self.kind == "table":
            from fastnn.tables import TableModel

            loaded = TableModel.load(path).network
        else:
            loaded = Network.load(path) if self.kind == "network" else Network.load_checkpoint(path)
        [version] = {float(number) for view in loaded.parameters.values() for number in np.unique(view)}
        return version


def in_child(work):
    warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads about: the child only saves
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return child


def main(kind, folder, kills, seed):
    rng, saver, path = random.Random(int(seed)), Saver(kind), os.path.join(folder, "model")
    saver.save(path, 0)
    start = time.perf_counter()
    for _ in range(3):
        saver.save(path, 0)
    duration, version, strays = (time.perf_counter() - start) / 3, 0, 0
    for kill in range(int(kills)):
        first = version + 1

        def save_for_ever(first=first):
            for number in range(first, first + 10**6):
                saver.save(path, number)

        def save_twice(first=first):
            for _ in range(2):
                saver.save(path, first)

        killed, other = in_child(save_for_ever), in_child(save_twice) if kill % 2 else None
        time.sleep(rng.uniform(0, 3 * duration))
        os.kill(killed, signal.SIGKILL)
        os.waitpid(killed, 0)
        assert other is None or os.waitpid(other, 0)[1] == 0, "a save failed because another was at work"
        found = saver.version(path)
        assert found >= version or other is not None, f"version {found} after {version}"
        version = max(version, int(found)) + 1
        strays += len(os.listdir(folder)) > 1
        saver.save(path, version)
        assert os.listdir(folder) == ["model"], os.listdir(folder)
        assert saver.version(path) == version
    print(f"{kills} kills of saving a {kind}: a whole file each time; {strays} left a temporary file, which the next save "
          f"took away; seed {seed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
