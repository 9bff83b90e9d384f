"""A sweep of hyperparameters: learning rate × width on the spiral, every combination trained and measured.

Parameters are what training finds (weights, biases); hyperparameters are what one chooses before. A network here is a
table, so that a new width compiles nothing: 42 networks of six widths train in a second or two.
"""

import time

import numpy as np

from .. import Adam, Dense, Network, plot
from ..datasets import spiral
from . import options

LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
WIDTHS = (4, 8, 16, 32, 64, 128)
EPOCHS, HELD_OUT = 20, 600


def main(argv=None):
    parsed = options("sweep", __doc__).parse_args(argv)
    X, y = spiral()
    order = np.random.default_rng(0).permutation(len(X))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    accuracies = np.empty((len(WIDTHS), len(LEARNING_RATES)))
    trained(WIDTHS[0], LEARNING_RATES[0], X[:32], y[:32]).evaluate(X, y)  # compiles, or reads, the kernels of all
    start = time.perf_counter()
    for (row, column), _ in np.ndenumerate(accuracies):
        net = trained(WIDTHS[row], LEARNING_RATES[column], X[train], y[train])
        accuracies[row, column] = net.evaluate(X[held_out], y[held_out])["accuracy"]
    seconds = time.perf_counter() - start

    print(f"Accuracy on held-out points after {EPOCHS} epochs, by width of two hidden layers and learning rate\n")
    print("width " + "".join(f"{rate:>8g}" for rate in LEARNING_RATES))
    for width, row in zip(WIDTHS, accuracies, strict=True):
        print(f"{width:5} " + "".join(f"{accuracy:8.1%}" for accuracy in row))
    row, column = np.unravel_index(accuracies.argmax(), accuracies.shape)
    best = {"width": WIDTHS[row], "learning_rate": LEARNING_RATES[column], "accuracy": accuracies[row, column]}
    print(f"\nbest: width {best['width']}, learning rate {best['learning_rate']:g}: {best['accuracy']:.1%}; "
          f"{accuracies.size} networks in {seconds:.1f} s")
    print(plot.save_picture(parsed.picture, lambda: draw(accuracies)))
    return {"accuracies": accuracies, "best": best, "seconds": seconds}


def trained(width, learning_rate, X, y):
    net = Network([Dense(width, "relu"), Dense(width, "relu"), Dense(3, "softmax")], inputs=2)
    net.fit(X, y, epochs=EPOCHS, batch_size=32, optimizer=Adam(learning_rate), progress=False)
    return net


def draw(accuracies):
    ax = plot.heat_map(100 * accuracies, WIDTHS, [f"{rate:g}" for rate in LEARNING_RATES], form="{:.1f}",
                       label="held-out points right (%)")
    ax.set(xlabel="learning rate of Adam", ylabel="width of the hidden layers", title=f"The spiral after {EPOCHS} epochs")
    return ax


if __name__ == "__main__":
    main()
