"""A training step through layers of one's own, beside layers of the package with the same arithmetic.

    python own_layers.py [--rounds N] [--widths N …]

Eight layers of a kind in a row, batch 64, one thread, float32. The figures are processor time of the
layers alone, forward and backward: that of a network without them is subtracted. Each network has a turn in every round.
Functions of one number belong into `register_activation`: the layers of the package compute them in place.
"""

import argparse
import math
import time

import numpy as np

import fastnn
from fastnn import SGD, Activation, CustomLayer, Dense, LayerNorm, Network

WIDTHS = 5, 10, 20, 32, 100, 256
LAYERS, BATCHES = 8, 200  # so many that what a fit takes before its first step hardly counts


@fastnn.register_layer
class OwnLayerNorm(CustomLayer):
    def parameter_shapes(self, shape):
        return {"scale": shape, "shift": shape}

    def memory_shapes(self, shape):
        return {"normalized": shape, "factor": (1,)}

    def initial_values(self, shape, generator):
        return {"scale": 1.0}

    def forward(a, x, normalized, factor, scale, shift):
        total, squares = 0, 0
        for i in range(len(x)):
            total += x[i]
        mean = total / len(x)
        for i in range(len(x)):
            squares += (x[i] - mean) * (x[i] - mean)
        factor[0] = 1 / math.sqrt(squares / len(x) + 1e-5)
        for i in range(len(x)):
            normalized[i] = (x[i] - mean) * factor[0]
            a[i] = scale[i] * normalized[i] + shift[i]

    def backward(dx, dscale, dshift, da, normalized, factor, scale):
        total, projection = 0, 0
        for i in range(len(da)):
            dscale[i] += da[i] * normalized[i]
            dshift[i] += da[i]
            total += da[i] * scale[i]
            projection += da[i] * scale[i] * normalized[i]
        total, projection = total / len(da), projection / len(da)
        for i in range(len(da)):
            dx[i] = factor[0] * (da[i] * scale[i] - total - normalized[i] * projection)


@fastnn.register_layer
class OwnSoftmax(CustomLayer):
    def forward(a, x):
        top, total = x[0], 0
        for i in range(len(x)):
            top = max(top, x[i])
        for i in range(len(x)):
            a[i] = math.exp(x[i] - top)
            total += a[i]
        scale = 1 / total
        for i in range(len(x)):
            a[i] = a[i] * scale

    def backward(dx, da, a):
        total = 0
        for i in range(len(a)):
            total += da[i] * a[i]
        for i in range(len(a)):
            dx[i] = a[i] * (da[i] - total)


@fastnn.register_layer
class ArraySoftmax(CustomLayer):
    """The same by NumPy's functions of arrays, each of which makes an array for each sample."""

    def forward(a, x):
        e = np.exp(x - x.max())
        a[:] = e / e.sum()

    def backward(dx, da, a):
        dx[:] = a * (da - (da * a).sum())


@fastnn.register_layer
class OwnTanh(CustomLayer):
    def forward(a, x):
        for i in range(len(x)):
            a[i] = math.tanh(x[i])

    def backward(dx, da, a):
        for i in range(len(a)):
            dx[i] = da[i] * (1 - a[i] * a[i])


@fastnn.register_layer
class OwnDense(CustomLayer):
    def parameter_shapes(self, shape):
        return {"weight": (*shape, *shape), "bias": shape}

    def forward(a, x, weight, bias):
        for j in range(len(a)):
            a[j] = bias[j]
        for k in range(len(x)):
            for j in range(len(a)):
                a[j] += x[k] * weight[k, j]

    def backward(dx, dweight, dbias, da, x, weight):
        for j in range(len(da)):
            dbias[j] += da[j]
        for k in range(len(x)):
            total = 0
            for j in range(len(da)):
                dweight[k, j] += x[k] * da[j]
                total += weight[k, j] * da[j]
            dx[k] = total


PAIRS = {"layer norm": (OwnLayerNorm, lambda width: LayerNorm()),
         "softmax": (OwnSoftmax, lambda width: Activation("softmax")),
         "by arrays": (ArraySoftmax, lambda width: Activation("softmax")),
         "tanh": (OwnTanh, lambda width: Activation("tanh")), "dense": (OwnDense, Dense)}


def compare(name, width, rounds):
    """Print the time of the layers of both kinds in a step, and the ratio."""
    own, ours = PAIRS[name]
    X, y = np.random.default_rng(0).normal(size=(64 * BATCHES, 4)).astype("f"), np.zeros((64 * BATCHES, 1), "f")

    def network(layers):
        return Network([Dense(width), *layers, Dense(1)], inputs=4, loss="squared_error")

    nets = [network([]), network([own() for _ in range(LAYERS)]), network([ours(width) for _ in range(LAYERS)])]
    least = [math.inf] * len(nets)
    for _ in range(rounds + 1):
        for number, net in enumerate(nets):
            start = time.process_time()
            net.fit(X, y, epochs=1, batch_size=64, threads=1, optimizer=SGD(1e-6), progress=False)
            least[number] = min(least[number], (time.process_time() - start) / BATCHES * 1e6)
    others, of_own, of_ours = least
    print(f"{name:10} {width:3}: own {of_own - others:7.1f} µs, the package's {of_ours - others:7.1f} µs, ratio "
          f"{(of_own - others) / (of_ours - others):.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    arguments = parser.parse_args()
    for name in PAIRS:
        for width in arguments.widths:
            compare(name, width, arguments.rounds)


if __name__ == "__main__":
    print(f"fastnn {fastnn.__version__}")
    main()
