"""A first fit of a process that SIGINT strikes while kernels compile or load: `python struck_compile.py SECONDS …`.

Each number is how long after the last to send the next SIGINT; without any none is sent. The kernels come from where
FASTNN_CACHE_DIR points. It prints whether the fit was struck, and a digest of what the process then comes to, of what a
child comes to that it is forked into at once, and of what it comes to after the child.
"""

import faulthandler
import hashlib
import os
import sys
import threading
import time

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


def struck_fit(pauses):
    """Whether fit() was struck; every signal has come when this returns."""
    sender, struck = threading.Thread(target=send, args=(pauses,)), False
    sender.start()
    for work in [fit] + [sender.join] * (1 + len(pauses)):
        try:
            work()
        except KeyboardInterrupt:
            struck = struck or work is fit
    return struck


def fit_in_child():
    """The digest that a forked child comes to."""
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
    print("struck" if struck_fit([float(each) for each in sys.argv[1:]]) else "not struck")
    print(fit_in_child())
    print(fit())
