"""Training with recurrent layers: a step of 12-64, batch 32, over 29 steps or sequences of 7 to 29, in float32 with Adam."""

import statistics
import timeit

import numpy as np

from fastnn import GRU, LSTM, Adam, Dense, Network, Sequences, SimpleRNN

from . import THREADS

LAYERS = {"SimpleRNN": SimpleRNN, "GRU": GRU, "LSTM": LSTM}
BATCH, STEPS, ROUNDS = 32, 20, 5


class Recurrence:
    """A step: batch, forward, backward, update."""

    params = (tuple(LAYERS), ("29 steps", "7 to 29 steps"))
    param_names = ("layer", "lengths")

    def setup(self, layer, lengths):
        rng, count = np.random.default_rng(0), BATCH * STEPS
        sizes = rng.integers(7, 30, count) if " to " in lengths else np.full(count, 29)
        values = rng.normal(size=(sizes.sum(), 12)).astype(np.float32)
        self.X, self.y, self.optimizer = Sequences.of_lengths(values, sizes), rng.integers(9, size=count), Adam()
        self.network = Network([LAYERS[layer](64), Dense(9, "softmax")], inputs=(None, 12))
        self.fit()

    def fit(self):
        self.network.fit(self.X, self.y, epochs=1, batch_size=BATCH, optimizer=self.optimizer, threads=THREADS,
                         progress=False)

    def track_step(self, layer, lengths):
        return statistics.median(timeit.repeat(self.fit, number=1, repeat=ROUNDS)) / STEPS

    track_step.unit = "seconds"
