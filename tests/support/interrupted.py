"""Fits that another process interrupts with SIGINT at random moments: `python interrupted.py trials seed [case …]`.

Each trial measures the time from the signal to KeyboardInterrupt, resumes the fit with `resume=True`, and compares the
network with one that was not interrupted. The script prints a report as JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from patience import PATIENCE
from trained_nets import digest

from fastnn import SGD, Adam, BatchNorm, Callback, Dense, Dropout, EarlyStopping, ModelCheckpoint, Network

SENDER = """
import os, sys, time
for line in sys.stdin:
    time.sleep(float(line))
    sent = time.monotonic()
    os.kill(os.getppid(), 2)
    print(sent, flush=True)
"""


class Slow(Callback):
    """Computations in Python in each hook."""

    def work(self, *_):
        sum(i * i for i in range(20_000))

    on_epoch_begin = on_epoch_end = work


class Watch(Callback):
    every_batches = 7

    def on_train_batch_end(self, batch, logs):
        self.seen = logs["loss"]


class Case:
    """A fit: sizes of layers, batch size, number of samples, optimizer, callbacks, validation samples."""

    def __init__(self, sizes, batch, samples, optimizer, callbacks=(), validation=0, layers=()):
        self.sizes, self.batch, self.optimizer, self.callbacks, self.layers = sizes, batch, optimizer, callbacks, layers
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(samples, sizes[0])).astype(np.float32)
        self.y = rng.integers(sizes[-1], size=samples)
        rows = np.arange(validation) % samples
        self.validation = (self.X[rows], self.y[rows]) if validation else None
        self.epochs, self.seconds, self.expected = 1, 0.0, None

    def network(self):
        hidden = [layer for size in self.sizes[1:-1] for layer in (Dense(size, "relu"), *self.layers)]
        return Network([*hidden, Dense(self.sizes[-1], "softmax")], inputs=self.sizes[0], seed=1)

    def fit(self, net, folder, **options):
        callbacks = [make(folder) for make in self.callbacks]
        net.fit(self.X, self.y, epochs=self.epochs, batch_size=self.batch, validation_data=self.validation,
                callbacks=callbacks, optimizer=None if options else self.optimizer(), **options)

    def prepare(self, folder, seconds):
        """Choose the number of epochs that takes the given seconds, and compute the expected results."""
        self.fit(self.network(), folder)
        while self.seconds < seconds:
            self.epochs = max(self.epochs + 1, min(4 * self.epochs, int(self.epochs * seconds / max(self.seconds, 1e-3))))
            net, start = self.network(), time.monotonic()
            self.fit(net, folder)
            self.seconds = time.monotonic() - start
        self.expected = digest(net), net.history["loss"]


def checkpoint(folder):
    return ModelCheckpoint(Path(folder) / "run.safetensors", full=True)


CASES = {
    "tiny": Case((4, 16, 16, 2), 8, 2000, Adam),
    "small, callbacks": Case((2, 64, 64, 3), 32, 3000, Adam, [lambda folder: Slow(), lambda folder: Watch()]),
    "checkpoints": Case((9, 65, 3), 16, 500, Adam, [checkpoint]),
    "large checkpoints": Case((784, 256, 10), 64, 640, Adam, [checkpoint]),
    "layers, momentum": Case((20, 65, 33, 4), 32, 2000, lambda: SGD(0.01, momentum=0.9), layers=(BatchNorm(), Dropout(0.2))),
    "unbounded": Case((20, 65, 4), 32, 2000, lambda: Adam(epsilon=1e-12)),  # unbounded hyperparameters
    "wide": Case((784, 128, 10), 64, 6400, Adam),
    "large": Case((784, 512, 512, 10), 128, 2560, Adam),
    "validation": Case((20, 65, 4), 32, 200, Adam, [lambda folder: EarlyStopping(patience=10**6)], validation=300_000),
}


class Interrupter:
    """A process that sends SIGINT to this one."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, start_new_session=True)

    def after(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()

    def sent(self):
        return float(self.process.stdout.readline())


def latency(interrupter, work, delay):
    """Return the seconds from the signal to KeyboardInterrupt out of work(), or None if work() ended before."""
    finished = False
    try:
        interrupter.after(delay)
        work()
        finished = True
        time.sleep(PATIENCE)  # for the signal
    except KeyboardInterrupt:
        caught = time.monotonic()
    sent = interrupter.sent()
    return None if finished else caught - sent


def trial(case, interrupter, delay):
    """Return the latency and a list of errors found afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        net = case.network()
        seconds = latency(interrupter, lambda: case.fit(net, folder), delay)
        if seconds is None or net.history is None:  # the signal came after the end or before the beginning
            return None, []
        wrong = [] if np.isfinite(net.forward(case.X[:5])).all() else ["outputs"]
        strays = [name for name in os.listdir(folder) if name != "run.safetensors"]
        wrong += [f"left behind: {strays}"] if strays else []
        if (Path(folder) / "run.safetensors").exists():
            Network.load_checkpoint(Path(folder) / "run.safetensors")
        case.fit(net, folder, resume=True)
        return seconds, wrong + [name for name, got, expected in zip(("bits", "history"), (digest(net), net.history["loss"]),
                                                                     case.expected, strict=True) if got != expected]


def bulk(seed, interrupter, trials):
    """Return the latencies of long calls of predict and evaluate."""
    net = Network([Dense(256, "tanh"), Dense(10, "softmax")], inputs=100, seed=seed)
    X = np.random.default_rng(seed).normal(size=(300_000, 100)).astype(np.float32)
    y, found = np.zeros(len(X), int), {}
    for name, work in (("predict", lambda: net.predict(X)), ("evaluate", lambda: net.evaluate(X, y))):
        start = time.monotonic()
        work()
        whole = time.monotonic() - start
        delays = np.random.default_rng(seed).uniform(0, 0.9 * whole, trials)
        found[name] = [seconds for delay in delays if (seconds := latency(interrupter, work, delay)) is not None]
    return found


def main(trials, seed, *names):
    """Run `trials` trials of the cases with these names; by default of all cases, and of `bulk`."""
    rng, interrupter, report = np.random.default_rng(seed), Interrupter(), {}
    with contextlib.closing(interrupter.process.stdin):
        for name in names or CASES:
            case = CASES[name]
            with tempfile.TemporaryDirectory() as folder:
                case.prepare(folder, 0.3)
            report[name] = {"latencies": [], "wrong": []}
            while len(report[name]["latencies"]) < -(-trials // len(names or CASES)):
                seconds, wrong = trial(case, interrupter, rng.uniform(0, 0.9 * case.seconds))
                if seconds is not None:
                    report[name]["latencies"].append(seconds)
                    report[name]["wrong"] += wrong
        for name, latencies in ({} if names else bulk(seed, interrupter, max(3, trials // 20))).items():
            report[name] = {"latencies": latencies, "wrong": []}
    print(json.dumps(report))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
