"""Whether more threads are ever slower: random networks, each trained on one thread and on several, in turn.

`python asv_bench/scaling.py` prints, by the work of a step, the ratio of the time on several threads to that on one, and the
worst networks.
"""

import argparse
import itertools
import statistics
import sys
import time

import numpy as np
from peers.nets import Net  # the folder beside this file

from fastnn import Dense, Network, optimizers
from fastnn.program import TrainingProgram
from fastnn.samples.data import check_data

ROUND = 3e-3  # seconds of training at a time
ROUNDS = 15
BOUNDS = (0, 2, 8, 16, 32, 64, np.inf)  # million operations a step


def random_net(rng):
    """Return one to three hidden layers of 2 to 1024 units and a batch of 1 to 512, log-uniform."""

    def between(low, high, size=None):
        return (2 ** rng.uniform(np.log2(low), np.log2(high + 1), size)).astype(int)

    hidden = between(2, 1024, rng.integers(1, 4))
    sizes = [*between(2, 1024, 1), *hidden, *between(2, 64, 1)]
    return Net(tuple(map(int, sizes)), int(between(1, 512, 1)[0]), str(rng.choice(["adam", "sgd"])))


class Training:
    """One network on so many threads, timed a round at a time."""

    def __init__(self, net, threads):
        steps = max(8, min(200, int(ROUND / (net.flops / 1e11 + 3e-6))))
        X, y = net.data(net.batch * steps)
        layers = [*(Dense(size, "relu") for size in net.sizes[1:-1]), Dense(net.sizes[-1], "softmax")]
        self.network, self.optimizer = Network(layers, inputs=net.sizes[0]), optimizers[net.optimizer]()
        self.program = TrainingProgram(self.network, check_data(self.network, X, y), net.batch, threads,
                                       self.network.fits.optimizer_state(self.optimizer), order=np.arange(len(X)))
        self.steps, self.seconds = steps, []

    def round(self):
        self.program.run_batches(0, self.steps)  # threads that have slept wake
        start = time.perf_counter()
        self.program.run_batches(0, self.steps)
        self.seconds.append((time.perf_counter() - start) / self.steps)


def ratio(net, threads):
    """Return the ratio of the time of a step on so many threads to that on one; medians of rounds in turn."""
    trainings = [Training(net, 1), Training(net, threads)]
    for _ in range(ROUNDS):
        for training in trainings:
            training.round()
    one, several = (statistics.median(training.seconds[1:]) for training in trainings)
    return several / one


def main(argv=None):
    parser = argparse.ArgumentParser(prog="scaling.py", description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=int, default=200, help="how many (default %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)
    nets = [random_net(rng) for _ in range(options.nets)]
    ratios = {net: ratio(net, options.threads) for net in nets}
    print(f"time on {options.threads} threads by time on one")
    print("| operations a step | nets | lowest | median | highest | over 1.05 |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for low, high in itertools.pairwise(BOUNDS):
        found = [r for net, r in ratios.items() if low <= net.flops / 1e6 < high]
        if found:
            print(f"| {low} to {high} million | {len(found)} | {min(found):.2f} | {statistics.median(found):.2f} | "
                  f"{max(found):.2f} | {sum(r > 1.05 for r in found)} |")
    worst = sorted(ratios, key=ratios.get)[-5:]
    print("\nhighest: " + ", ".join(f"{net} {net.optimizer} {ratios[net]:.2f}" for net in reversed(worst)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
