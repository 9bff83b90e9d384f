"""Many networks at once: a Population of mixed shapes compared with the same networks fitted one after the other."""

import time

import numpy as np

from fastnn import Adam, Dense, EarlyStopping, Network, Population
from fastnn.datasets import spiral

from . import THREADS

MEMBERS, EPOCHS = 64, 3


def networks():
    return [Network([*(Dense(8 << k % 4, "relu") for _ in range(1 + k % 2)), Dense(3, "softmax")], inputs=2, seed=k)
            for k in range(MEMBERS)]


class Populations:
    """The time of an epoch of a member, and the ratio of `fit` in a loop to it."""

    params = ("plain", "validated", "early stopping")
    param_names = ("options",)

    def setup(self, options):
        self.X, self.y = spiral(samples=1500)
        self.options = {"epochs": EPOCHS, "optimizer": Adam(1e-3), "threads": THREADS, "progress": False}
        if options != "plain":
            self.options["validation_data"] = self.X[::5], self.y[::5]
        self.stopping = [EarlyStopping(patience=100)] if options == "early stopping" else []
        self.population = Population(networks())
        self.together()

    def together(self):
        self.population.fit(self.X, self.y, callbacks=self.stopping, **self.options)

    def alone(self):
        for net in self.population:
            net.fit(self.X, self.y, callbacks=self.stopping, **self.options)

    def track_epoch(self, options):
        return seconds(self.together) / MEMBERS / EPOCHS

    def track_loop(self, options):
        return seconds(self.alone) / seconds(self.together)

    def peakmem_fit(self, options):
        self.together()

    track_epoch.unit, track_loop.unit = "seconds", "times"


def seconds(function, rounds=3):
    """Return the median time of some calls."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        took.append(time.perf_counter() - start)
    return float(np.median(took))
