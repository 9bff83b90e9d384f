"""Repeat work: `python cycles.py count` prints the memory after the first cycles and at the end, as JSON."""

import gc
import json
import sys
import tracemalloc
from pathlib import Path

import numpy as np

from fastnn import LBFGS, SGD, Adam, BatchNorm, Callback, Dense, DivergenceError, Dropout, Network

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(300, 9)).astype(np.float32), rng.normal(size=(300, 2)).astype(np.float32)


class Raise(Callback):
    def on_train_batch_end(self, batch, logs):
        raise OSError("from a callback")


def network():
    return Network([Dense(17, "tanh"), BatchNorm(), Dropout(0.1), Dense(2)], inputs=9)


# kinds of work, of sizes that change from cycle to cycle: each cycle has one of the fits and one of the errors
FITS = [
    lambda net, size: net.fit(X[:64], Y[:64], batch_size=16, optimizer=Adam(1e-4), validation_data=(X[:size], Y[:size])),
    lambda net, size: net.fit(X[:64], Y[:64], batch_size=1 + size % 64),
    lambda net, size: net.fit(X[:64], Y[:64], batch_size=16, resume=net.history is not None and net.fits.last.samples == 64
                              and net.fits.last.batch_size == 16 and net.fits.last.shuffle),
    lambda net, size: net.fit(X[:64], Y[:64], batch_size=16, optimizer=Adam(1e-4, epsilon=1e-12)),
    lambda net, size: Network([Dense(5, "tanh"), Dense(2)], inputs=9).fit(X[:20], Y[:20], optimizer=LBFGS(max_iterations=1)),
    lambda net, size: net.loss_and_gradients(X[:size], Y[:size]),
    lambda net, size: net.evaluate(X[:size], Y[:size], threads=2),
]
ERRORS = [
    (ValueError, lambda net, size: net.fit(X, Y[:5])),
    (ValueError, lambda net, size: net.predict(X[:, :5])),
    (ValueError, lambda net, size: net.predict(np.full((size, 9), np.nan))),
    (DivergenceError, lambda net, size: net.fit(X[:64], Y[:64] * np.float32(1e30), optimizer=SGD(0.1))),
    (OSError, lambda net, size: net.fit(X[:64], Y[:64], callbacks=[Raise()])),
]


def cycle(number, net):
    """A fit, a prediction and an error, on the same network or on a new one."""
    net, size = net if number % 2 else network(), 1 + number * 7 % 300
    FITS[number // 2 % len(FITS)](net, size)
    net.predict(X[:size], threads=1 + number % 3)
    error, work = ERRORS[number // 2 % len(ERRORS)]
    try:
        work(net, size)
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def memory():
    """Return the bytes of the process (0 if unknown), those of Python and NumPy, and the number of objects."""
    gc.collect()
    status = Path("/proc/self/statm")
    resident = int(status.read_text().split()[1]) * 4096 if status.exists() else 0
    return {"resident": resident, "traced": tracemalloc.get_traced_memory()[0], "objects": len(gc.get_objects())}


def main(count):
    net, seen = network(), []
    warm = max(350, count // 5)  # by then every kind has met every size, and there is what is made once for all
    tracemalloc.start()
    for number in range(count):
        cycle(number, net)
        if number + 1 in (warm, count):
            seen.append(memory())
    print(json.dumps(seen))


if __name__ == "__main__":
    main(int(sys.argv[1]))
