"""A hyperparameter sweep: learning rate × width on the spiral, with every combination.

Parameters (weights, biases) are learned in training; hyperparameters are chosen before. A network is a table, so a new width
compiles nothing, and a population trains in one call: 42 networks of six widths take a second.
"""

import time

import numpy as np

from .. import Adam, Dense, Network, Population, plot
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
    Population([network(WIDTHS[0])]).fit(X, y, rows=train[:32], validation_rows=held_out)  # compiles or loads all kernels
    start = time.perf_counter()
    population = Population([network(width) for width in WIDTHS for _ in LEARNING_RATES])
    population.fit(X, y, epochs=EPOCHS, optimizer=[Adam(rate) for _ in WIDTHS for rate in LEARNING_RATES], progress=False,
                   rows=train, validation_rows=held_out)
    accuracies = population.scores("val_accuracy").reshape(len(WIDTHS), len(LEARNING_RATES))
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


def network(width):
    return Network([Dense(width, "relu"), Dense(width, "relu"), Dense(3, "softmax")], inputs=2)


def draw(accuracies):
    ax = plot.heat_map(100 * accuracies, WIDTHS, [f"{rate:g}" for rate in LEARNING_RATES], form="{:.1f}",
                       label="held-out points right (%)")
    ax.set(xlabel="learning rate of Adam", ylabel="width of the hidden layers", title=f"The spiral after {EPOCHS} epochs")
    return ax


if __name__ == "__main__":
    main()
