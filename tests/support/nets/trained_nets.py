"""Networks of every record, of odd sizes, large enough for several parts, and the SHA-256 of their weights after training.

As a program it divides their work into as many parts as possible, and prints the digests for each number of threads given:

    NUMBA_NUM_THREADS=8 python nets/trained_nets.py 2 8
"""

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import pytest
from many_parts import many_parts
from small_nets import LOSSES, OUTPUTS, inputs_and_targets

from fastnn import SGD, Dense, Network, activations, optimizers

DTYPES = ("float32", "float64")


def threading_layer():
    """Return Numba's threading layer, None if it has not been started."""
    try:
        return numba.threading_layer()
    except ValueError:
        return None


def digest(network):
    sha = hashlib.sha256()
    for view in network.parameters.values():
        sha.update(view.tobytes())
    return sha.hexdigest()


@cache
def data(samples, inputs, outputs, loss):
    return inputs_and_targets(samples, inputs, outputs, LOSSES[loss])


def trained(widths, names, loss, batch, dtype, optimizer="adam", threads=1):
    """Return the digest of a network after two epochs of two whole batches and an incomplete one."""
    layers = [Dense(*layer) for layer in zip(widths[1:], names, strict=True)]
    net = Network(layers, widths[0], loss=loss, dtype=dtype, seed=5)
    X, y = data(2 * batch + batch // 3 + 1, widths[0], widths[-1], loss)
    net.fit(X, y, epochs=2, batch_size=batch, optimizer=optimizer, threads=threads)
    return digest(net)


def cases():
    """Return the arguments of `trained`, by a name."""
    table = {}
    for dtype in DTYPES:
        # a wide layer over many samples: its products and its activation have several parts
        for name in activations:
            table[f"{name} {dtype}"] = (33, 499, 3), (name, "softmax"), "cross_entropy", 301, dtype
        # many parameters: the update has several parts, and with a small batch so have the products, by columns
        for optimizer in optimizers:
            table[f"{optimizer} {dtype}"] = (257, 499, 3), ("tanh", "softmax"), "cross_entropy", 37, dtype, optimizer
        for widths, batch in [((1031, 67, 1), 61), ((67, 1031, 10), 7), ((130, 257, 131), 255), ((3, 17, 65, 129, 1), 1021)]:
            names = ("relu",) * (len(widths) - 2) + ("identity",)
            table[f"{widths} {dtype}"] = widths, names, "squared_error", batch, dtype
    for i, (activation, loss) in enumerate(OUTPUTS):  # the loss is cut
        table[f"{activation}, {loss}"] = (33, 129), (activation,), loss, 1021, DTYPES[i % 2], SGD(0.01, momentum=0.9)
    return table


def digests(threads, at_once=1):
    """Return the digests of the networks by case; `at_once` Python threads train them at the same time."""
    with ThreadPoolExecutor(at_once) as pool:
        trainings = {name: pool.submit(trained, *case, threads=threads) for name, case in cases().items()}
        return {name: training.result() for name, training in trainings.items()}


if __name__ == "__main__":
    parts = many_parts.__wrapped__(pytest.MonkeyPatch())  # what the fixture does, for the whole process
    found = {f"{threads} threads": digests(int(threads)) for threads in sys.argv[1:]}
    found["four fits at once"] = digests(3, at_once=4)
    print(json.dumps({"layer": threading_layer(), "most parts": max(parts), "digests": found}))
