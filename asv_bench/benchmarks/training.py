"""Training and prediction with five networks of sizes that are common on CPUs, in float32 with Adam."""

import statistics
import timeit

import numpy as np

from fastnn import Adam, Dense, Network
from fastnn.cli.compare import Setting, measure, training_step

from . import THREADS

NETS = {  # name: sizes, batch
    "4-16-16-2 b8": ((4, 16, 16, 2), 8),
    "2-64-64-3 b32": ((2, 64, 64, 3), 32),
    "784-128-10 b64": ((784, 128, 10), 64),
    "784-128-64-10 b32": ((784, 128, 64, 10), 32),
    "784-512-512-10 b128": ((784, 512, 512, 10), 128),
}
STEPS, ROUNDS = 40, 5


class Net:
    """Return a network of NETS with data for STEPS steps, as arguments of `fit`."""

    def __init__(self, name):
        (inputs, *hidden, classes), self.batch = NETS[name]
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(STEPS * self.batch, inputs)).astype(np.float32)
        self.y = rng.integers(classes, size=len(self.X))
        self.network = Network([*(Dense(n, "relu") for n in hidden), Dense(classes, "softmax")], inputs=inputs)
        self.optimizer = Adam()

    def fit(self):
        self.network.fit(self.X, self.y, epochs=1, batch_size=self.batch, optimizer=self.optimizer, threads=THREADS,
                         progress=False)


class Training:
    """A step: batch, forward, backward, update."""

    params = tuple(NETS)
    param_names = ("net",)

    def setup(self, net):
        self.net = Net(net)
        self.net.fit()

    def track_step(self, net):
        return statistics.median(timeit.repeat(self.net.fit, number=1, repeat=ROUNDS)) / STEPS

    track_step.unit = "seconds"

    def peakmem_fit(self, net):
        self.net.fit()


class Prediction:
    """A prediction of one row, called from Python."""

    params = tuple(NETS)
    param_names = ("net",)

    def setup(self, net):
        self.net = Net(net)
        self.row = self.net.X[:1]
        self.net.network.forward(self.row)

    def time_one_row(self, net):
        self.net.network.forward(self.row)


class StepSpeedups:
    """A step of 784-128-10 at batch 64, compared with the same step in loops and in NumPy."""

    def setup_cache(self):
        return measure(training_step(Setting(threads=THREADS)))

    setup_cache.timeout = 300

    def track_speedup_over_loops(self, timing):
        return timing.over_loops

    def track_speedup_over_numpy(self, timing):
        return timing.over_numpy

    track_speedup_over_loops.unit = track_speedup_over_numpy.unit = "times"
