"""A process's first fit, interrupted while kernels compile or load: `python interrupted_compile.py SECONDS …`.

Each argument is the pause before the next SIGINT; without arguments none is sent. The cache of kernels is at
FASTNN_CACHE_DIR. The script prints whether the fit was interrupted, and the digests of two more fits: one in a child process
that it forks at once, one in the process itself after that.
"""

import faulthandler
import hashlib
import os
import sys
import threading
import time
from functools import partial

import numpy as np

from fastnn import Dense, Network

X, Y = np.random.default_rng(0).normal(size=(80, 5)), np.arange(80) % 3


def fit():
    net = Network([Dense(9, "relu"), Dense(3, "softmax")], inputs=5, seed=1)
    net.fit(X, Y, epochs=2, progress=False, threads=1)
    return hashlib.sha256(b"".join(each.tobytes() for each in (*net.parameters.values(), net.forward(X)))).hexdigest()


def send(pauses):
    for seconds in pauses:
        time.sleep(seconds)
        os.kill(os.getpid(), 2)


def interrupted_fit(pauses):
    """Return whether fit() was interrupted, after all signals have arrived."""
    sender, interrupted = threading.Thread(target=send, args=(pauses,)), False
    sender.start()
    rest = partial(time.sleep, 0.5)  # a busy machine may deliver a signal late
    for work in [fit] + [sender.join, rest] * (1 + len(pauses)):
        try:
            work()
        except KeyboardInterrupt:
            interrupted = interrupted or work is fit
    return interrupted


def fit_in_child():
    """Return the digest of a fit in a forked child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, fit().encode())
        os._exit(0)
    os.close(writing)
    found = os.read(reading, 64).decode()
    os.waitpid(child, 0)
    return found


if __name__ == "__main__":
    faulthandler.dump_traceback_later(1500, exit=True)
    print("interrupted" if interrupted_fit([float(each) for each in sys.argv[1:]]) else "not interrupted")
    print(fit_in_child())
    print(fit())
