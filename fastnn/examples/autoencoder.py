"""An autoencoder: handwritten digits of 8×8 pixels, squeezed into a few numbers and drawn again by transposed convolutions.

The target of the network is its own input. The numbers in its middle, the code, are compared with as many principal
components by the mean squared error on digits that were not trained on; the data come with scikit-learn.
"""

import time

import numpy as np

from .. import Adam, Conv2D, ConvTranspose2D, CosineDecay, Dense, Flatten, Network, Reshape, plot
from . import options
from .digits import load

CODE, EPOCHS, BATCH_SIZE = 6, 150, 32


def main(argv=None):
    parser = options("autoencoder", __doc__, quick="fifteen epochs only")
    parsed = parser.parse_args(argv)
    try:
        X, _, X_test, y_test = load()
    except ImportError:
        parser.error('the digits come with scikit-learn, which is not installed; pip install "fastnn-numba[sklearn]"')
    epochs, net = 15 if parsed.quick else EPOCHS, new_net()
    print(f"{net.summary()}\n")
    print(f"{len(X):,} digits to train on, {len(X_test)} to test; {epochs} epochs in batches of {BATCH_SIZE}")
    new_net().fit(X[:BATCH_SIZE], X[:BATCH_SIZE], batch_size=BATCH_SIZE)  # compiles kernels

    start = time.perf_counter()
    rate = CosineDecay(3e-3, steps=epochs * -(-len(X) // BATCH_SIZE))
    net.fit(X, X, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate))
    seconds = time.perf_counter() - start
    drawn, from_components = net.predict(X_test), principal_components(X, X_test, CODE)
    errors = {"the mean digit": error(np.broadcast_to(X.mean(axis=0), X_test.shape), X_test),
              f"{CODE} principal components": error(from_components, X_test),
              f"{CODE} numbers of the network": error(drawn, X_test)}
    print(f"trained in {seconds:.1f} s; mean squared error of a pixel of the test digits, from")
    for name, value in errors.items():
        print(f"  {name:28}{value:.4f}")
    print(plot.save_picture(parsed.picture, lambda: draw(X_test, y_test, from_components, drawn)))
    return {"errors": errors, "seconds": seconds}


def new_net():
    return Network([
        Conv2D(16, 3, "relu", stride=2, padding="same"), Conv2D(32, 3, "relu", stride=2, padding="same"), Flatten(),
        Dense(CODE), Dense(2 * 2 * 32, "relu"), Reshape((2, 2, 32)),
        ConvTranspose2D(32, 3, "relu", stride=2, padding="same"), ConvTranspose2D(16, 3, "relu", stride=2, padding="same"),
        Conv2D(1, 3, padding="same"),
    ], inputs=(8, 8, 1))


def error(drawn, X):
    return float(np.mean((drawn.reshape(-1, 8, 8) - X.reshape(-1, 8, 8)) ** 2))


def principal_components(X, X_test, count):
    """Return test digits drawn from their first principal components."""
    X, X_test = X.reshape(len(X), -1), X_test.reshape(len(X_test), -1)
    mean = X.mean(axis=0)
    axes = np.linalg.svd(X - mean, full_matrices=False)[2][:count]
    return mean + (X_test - mean) @ axes.T @ axes


def draw(X, y, from_components, drawn):
    """Draw a digit of each kind, and what is left of it."""
    rows = {"digit": X, f"{CODE} components": from_components, f"{CODE} numbers": drawn}
    panels = plot.axes(len(rows), 10, width=11, height=4)
    for column, label in zip(panels.T, range(10), strict=True):
        number = np.flatnonzero(y == label)[0]
        for ax, images in zip(column, rows.values(), strict=True):
            ax.imshow(images[number].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    for ax, name in zip(panels[:, 0], rows, strict=True):
        ax.set_ylabel(name)
    panels[0, 0].figure.suptitle("Test digits, drawn from principal components and by the autoencoder", fontsize=11)
    return panels[0, 0]


if __name__ == "__main__":
    main()
