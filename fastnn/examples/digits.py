"""Handwritten digits: 8×8 pixels, read by a small convolutional net; the data come with scikit-learn.

A quarter of the 1,797 digits is held out. A net is trained for each of a few seeds; the mistakes on the digits held
out are drawn.
"""

import time

import numpy as np

from .. import Adam, Conv2D, CosineDecay, Dense, Dropout, Flatten, MaxPool2D, Network, RandomShift, plot
from . import options

EPOCHS, BATCH_SIZE, SEEDS = 60, 32, 3


def main(argv=None):
    parser = options("digits", __doc__, quick="one seed, and ten epochs only")
    parsed = parser.parse_args(argv)
    try:
        X, y, X_test, y_test = load()
    except ImportError:
        parser.error('the digits come with scikit-learn, which is not installed; pip install "fastnn-numba[sklearn]"')
    epochs, seeds = (10, 1) if parsed.quick else (EPOCHS, SEEDS)
    print(f"{new_net(0).summary()}\n")
    print(f"{len(X):,} digits to train on, {len(X_test)} to test; {epochs} epochs in batches of {BATCH_SIZE}")
    new_net(0).fit(X[:BATCH_SIZE], y[:BATCH_SIZE], batch_size=BATCH_SIZE, optimizer=Adam())  # compiles kernels

    print("seed   seconds   right about the test digits")
    nets, accuracies, start = [], [], time.perf_counter()
    for seed in range(seeds):
        began = time.perf_counter()
        net = new_net(seed)
        rate = CosineDecay(3e-3, steps=epochs * -(-len(X) // BATCH_SIZE))
        net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate))
        nets.append(net)
        accuracies.append(net.evaluate(X_test, y_test)["accuracy"])
        print(f"{seed:4}{time.perf_counter() - began:10.2f}{accuracies[-1]:10.2%}")
    seconds = time.perf_counter() - start
    print(plot.save_picture(parsed.picture, lambda: draw(nets, X_test, y_test)))
    return {"accuracy": float(np.median(accuracies)), "seconds": seconds / seeds}


def load():
    """Return training and test digits, (samples, 8, 8, 1) from 0 to 1 with labels; every fourth of an order is held out."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    X, y = (digits.images[order, :, :, None] / 16).astype(np.float32), digits.target[order]
    held_out = np.arange(len(X)) % 4 == 0
    return X[~held_out], y[~held_out], X[held_out], y[held_out]


def new_net(seed):
    return Network([
        RandomShift(1),  # by a pixel, in training only
        Conv2D(32, 3, "relu", padding="same"), Conv2D(32, 3, "relu", padding="same"), MaxPool2D(2), Dropout(0.25),
        Conv2D(64, 3, "relu", padding="same"), Conv2D(64, 3, "relu", padding="same"), MaxPool2D(2), Flatten(), Dropout(0.4),
        Dense(64, "relu"), Dense(10, "softmax"),
    ], inputs=(8, 8, 1), seed=seed)


def draw(nets, X, y, rows=2, columns=6):
    """Draw the digits that most nets take for another, and what they take them for."""
    predicted = np.array([net.predict(X) for net in nets])
    wrong = (predicted != y).sum(axis=0)
    panels = plot.axes(rows, columns, width=1.5 * columns, height=1.75 * rows + 0.5)
    for ax, digit in zip(panels.ravel(), np.argsort(-wrong, kind="stable"), strict=False):
        ax.axis("off")
        if wrong[digit]:
            ax.imshow(X[digit, :, :, 0], cmap="gray_r")
            seen = np.unique(predicted[predicted[:, digit] != y[digit], digit])
            ax.set_title(f"{' or '.join(map(str, seen))}, truly {y[digit]}", fontsize=9)
    panels[0, 0].figure.suptitle(f"Mistakes on {len(y)} digits held out: predicted, and true", fontsize=11)
    return panels[0, 0]


if __name__ == "__main__":
    main()
