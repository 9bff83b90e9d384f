"""Parity, the XOR of n bits: networks built by hand of different depths, and networks trained on 8 bits.

Circuit theory says that a tree of gates computes parity with O(n) gates in O(log n) layers, while one layer of ANDs below an
OR needs 2ⁿ⁻¹ gates, one for each row with an odd number of ones. Both can be written as networks:

    tree    XOR(a, b) = relu(a + b) − 2 relu(a + b − 1), pair by pair, half as many bits left after each layer
    gates   AND: a unit relu(Σ ±xᵢ − number of ones + 1), which is 1 on its own row and 0 on all others; OR: their sum

This is a theorem about gates, which the notes apply to units. A unit can do more than a gate: it can add, and so count. One
hidden layer of n units relu(Σxᵢ − k) computes parity too, as a zigzag function of the number of ones.
"""

import time

import numpy as np

from .. import Adam, Dense, Network, plot
from ..datasets import parity
from . import options

SHARPNESS = 20.0  # slope of the final sigmoid, which maps 0 and 1 to below and above ½
EPOCHS, SEEDS = 400, 5
DEEP, SHALLOW = (32, 32, 32, 32), (348,)  # with similar numbers of parameters, 3,489 and 3,481


def main(argv=None):
    parsed = options("parity", __doc__, quick="by hand up to 8 bits, not 16; one seed, not five").parse_args(argv)
    sizes, seeds = ((2, 4, 8), 1) if parsed.quick else ((2, 4, 8, 16), SEEDS)
    print("Built by hand: parameters, and whether all 2ⁿ rows come out right\n")
    print("bits" + "".join(f"{name:>18}" for name in BUILT))
    counts, right = {name: [] for name in BUILT}, []
    for bits in sizes:
        X, y = parity(bits)
        row = f"{bits:4}"
        for name, build in BUILT.items():
            net = build(bits)
            counts[name].append(parameters(net))
            right.append(bool(np.array_equal(net.predict(X), y)))
            row += f"{counts[name][-1]:12,} {'right' if right[-1] else 'WRONG'}"
        print(row)

    print(f"\nTrained on all 256 rows of 8 bits, {EPOCHS} epochs at most\n")
    print("network                    parameters   accuracy, a seed each                  epochs needed   fastest, s")
    accuracies = {}
    for name, widths in (("deep", DEEP), ("shallow", SHALLOW)):
        runs = [train(widths, seed) for seed in range(seeds)]
        seconds = min(seconds for *_, seconds in runs)  # the first run may compile
        accuracies[name] = [accuracy for _, accuracy, _, _ in runs]
        shape = "-".join(map(str, (8, *widths, 1)))
        print(f"{name:<9}{shape:<18}{parameters(runs[0][0]):10,}   {' '.join(f'{a:.1%}' for a in accuracies[name]):<39}"
              f"{' '.join(str(epochs) for _, _, epochs, _ in runs):<16}{seconds:7.3f}")
    print("\nUnits count as well as they combine, so both learn it: it takes gates, not units, to need depth for this.\n")
    print(plot.save_picture(parsed.picture, lambda: draw(sizes, counts)))
    return {"right": right, "counts": counts, "accuracy": accuracies}


def tree(bits):
    """Return XOR pair by pair: hidden layers of n, n/2, …, 2 units. bits must be a power of 2."""
    pair = np.kron(np.eye(bits // 2), [[1, 1], [1, 1]])  # each two units get the sum of their two bits
    weights, biases = [pair], [np.tile([0, -1], bits // 2)]
    while len(biases[-1]) > 2:
        # the XORs of two pairs, added: the input of the next two units
        weights.append(np.kron(np.eye(len(biases[-1]) // 4), np.outer([1, -2, 1, -2], [1, 1])))
        biases.append(np.tile([0, -1], len(biases[-1]) // 4))
    return built(bits, [*weights, [[1], [-2]]], biases)


def gates(bits):
    """Return an AND for each odd row, and their OR: 2ⁿ⁻¹ hidden units."""
    X, y = parity(bits)
    odd = X[y == 1]
    return built(bits, [(2 * odd - 1).T, np.ones((len(odd), 1))], [1 - odd.sum(axis=1)])


def counting(bits):
    """Return Σxᵢ − 2 relu(Σxᵢ − 1) + 2 relu(Σxᵢ − 2) − …, whose slope changes at each integer: 0, 1, 0, 1, …"""
    slopes = 2.0 * (-1) ** np.arange(bits)
    slopes[0] = 1
    return built(bits, [np.ones((bits, bits)), slopes[:, None]], [-np.arange(bits)])


BUILT = {"tree": tree, "gates, 1 layer": gates, "counting, 1 layer": counting}


def built(bits, weights, biases):
    """Return a relu network with given weights, whose last layer tests whether its sum is above ½."""
    net = Network([*(Dense(len(bias), "relu") for bias in biases), Dense(1, "sigmoid")], inputs=bits)
    weights = [*weights[:-1], SHARPNESS * np.asarray(weights[-1])]
    for index, (weight, bias) in enumerate(zip(weights, [*biases, -SHARPNESS / 2], strict=True)):
        net.parameters[f"{index}.weight"][...] = weight
        net.parameters[f"{index}.bias"][...] = bias
    return net


def train(widths, seed, step=20):
    """Train on all rows of 8 bits until all are correct; return the network, its accuracy, the epochs and the seconds."""
    start = time.perf_counter()
    X, y = parity(8)
    X = 2 * X - 1  # −1 and 1: centered inputs train faster than 0 and 1
    net = Network([*(Dense(width, "relu") for width in widths), Dense(1, "sigmoid")], inputs=8, seed=seed)
    optimizer, epochs, accuracy = Adam(learning_rate=3e-3), 0, 0.0
    while epochs < EPOCHS and accuracy < 1:
        net.fit(X, y, epochs=step, batch_size=32, optimizer=optimizer)
        epochs, accuracy = epochs + step, net.evaluate(X, y)["accuracy"]
    return net, accuracy, epochs, time.perf_counter() - start


def parameters(net):
    return sum(p.size for p in net.parameters.values())


def draw(sizes, counts):
    ax = plot.plain(plot.axes())
    for (name, numbers), color, marker in zip(counts.items(), plot.COLORS, plot.MARKERS, strict=False):
        ax.plot(sizes, numbers, color=color, marker=marker, label=name)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(sizes, sizes)
    ax.set(xlabel="bits", ylabel="parameters", title="Networks that compute parity, built by hand")
    ax.legend(frameon=False)
    return ax


if __name__ == "__main__":
    main()
