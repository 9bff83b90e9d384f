"""MNIST by LeNet-5 (LeCun et al. 1998): handwritten digits, which are shifted by a pixel at random while it learns.

You provide the file: `--path mnist.npz`, or the environment variable FASTNN_MNIST, or mnist.npz in the current directory. A
net is trained for each of a few seeds, and only then are the test digits read.
"""

import time
from pathlib import Path

import numpy as np

from .. import Adam, Conv2D, CosineDecay, Dense, Flatten, MaxPool2D, Network, RandomShift, Rescale, plot
from ..datasets import mnist
from . import options

EPOCHS, BATCH_SIZE, RATE, SEEDS = 5, 64, 6e-3, 5


def main(argv=None):
    parser = options("lenet", __doc__, quick="one seed, and one epoch of the first 12,000 digits only")
    parser.add_argument("--path", type=Path, help="where mnist.npz is")
    parsed = parser.parse_args(argv)
    try:
        X, y, X_test, y_test = mnist(parsed.path)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    X, X_test = (images.reshape(-1, 28, 28, 1) for images in (X, X_test))
    epochs, seeds = (1, 1) if parsed.quick else (EPOCHS, SEEDS)
    X, y = (X[:12_000], y[:12_000]) if parsed.quick else (X, y)
    print(f"{new_net(0).summary()}\n")
    print(f"{len(X):,} digits to train on, {len(X_test):,} to test; {epochs} epochs in batches of {BATCH_SIZE}")
    new_net(0).fit(X[:BATCH_SIZE], y[:BATCH_SIZE], batch_size=BATCH_SIZE, optimizer=Adam())  # compiles kernels

    nets, seconds = [new_net(seed) for seed in range(seeds)], []
    for net in nets:
        start, rate = time.perf_counter(), CosineDecay(RATE, steps=epochs * -(-len(X) // BATCH_SIZE))
        net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate))
        seconds.append(time.perf_counter() - start)
    accuracies = [net.evaluate(X_test, y_test)["accuracy"] for net in nets]
    print("seed   seconds   right about the test digits")
    for seed, numbers in enumerate(zip(seconds, accuracies, strict=True)):
        print("{:4}{:10.2f}{:10.2%}".format(seed, *numbers))
    print(f"median{np.median(seconds):8.2f}{np.median(accuracies):10.2%}")
    print(plot.save_picture(parsed.picture, lambda: draw(nets[0], X_test, y_test)))
    return {"accuracy": float(np.median(accuracies)), "seconds": float(np.median(seconds))}


def new_net(seed):
    return Network([
        Rescale(1 / 0.3081, -0.1307 / 0.3081),  # to mean 0 and standard deviation 1 of the training digits
        RandomShift(1),  # by a pixel, in training only
        Conv2D(6, 5, "relu"), MaxPool2D(2), Conv2D(16, 5, "relu"), MaxPool2D(2), Flatten(),
        Dense(120, "relu"), Dense(84, "relu"), Dense(10, "softmax"),
    ], inputs=(28, 28, 1), seed=seed)


def draw(net, X, y):
    """Draw the filters of the first convolution, and the most confident mistakes."""
    return plot.mistakes(net, X, y)


if __name__ == "__main__":
    main()
