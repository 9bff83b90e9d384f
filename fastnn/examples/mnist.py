"""MNIST: a dense network, 784-256-128-10, learns handwritten digits in at most ten epochs.

You provide the file: `--path mnist.npz`, or the environment variable FASTNN_MNIST, or mnist.npz in the current directory.
"""

import time
from pathlib import Path

import numpy as np

from .. import Adam, Callback, Dense, Network, plot
from ..datasets import mnist
from . import options

EPOCHS, BATCH_SIZE = 10, 128


class Decay(Callback):
    """Multiply the learning rate by a factor after every epoch."""

    def __init__(self, optimizer, factor):
        self.optimizer, self.factor = optimizer, factor

    def on_epoch_end(self, epoch, logs):
        self.optimizer.learning_rate *= self.factor


def main(argv=None):
    parser = options("mnist", __doc__, quick="two epochs only")
    parser.add_argument("--path", type=Path, help="where mnist.npz is")
    parsed = parser.parse_args(argv)
    try:
        X, y, X_test, y_test = mnist(parsed.path)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    net, rehearsal = new_net(), new_net()
    optimizer, epochs = Adam(learning_rate=2e-3), 2 if parsed.quick else EPOCHS
    print(f"{net.summary()}\n")
    print(f"{len(X):,} digits to train on, {len(X_test):,} to test; {epochs} epochs in batches of {BATCH_SIZE}")

    start = time.perf_counter()
    rehearsal.fit(X[:BATCH_SIZE], y[:BATCH_SIZE], batch_size=BATCH_SIZE, optimizer=Adam())
    rehearsal.evaluate(X_test, y_test)
    print(f"kernels ready in {time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    history = net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=optimizer, callbacks=[Decay(optimizer, 0.6)])
    seconds = time.perf_counter() - start
    accuracy = net.evaluate(X_test, y_test)["accuracy"]
    print(f"trained in {seconds:.1f} s; training loss {history['loss'][0]:.4f} to {history['loss'][-1]:.4f}")
    print(f"right about {accuracy:.2%} of the test digits")
    print(plot.save_picture(parsed.picture, lambda: draw(net, X_test, y_test)))
    return {"accuracy": accuracy, "seconds": seconds}


def new_net():
    return Network([Dense(256, "relu"), Dense(128, "relu"), Dense(10, "softmax")], inputs=784)


def draw(net, X, y, rows=3, columns=8):
    """Draw the mistakes with the highest predicted probability."""
    probabilities = net.predict_proba(X)
    seen = probabilities.argmax(axis=1)
    sureness = np.where(seen == y, 0, probabilities.max(axis=1))
    panels = plot.axes(rows, columns, width=1.15 * columns, height=1.45 * rows + 0.5)
    for ax, digit in zip(panels.ravel(), np.argsort(-sureness), strict=False):
        ax.axis("off")
        if seen[digit] != y[digit]:
            ax.imshow(X[digit].reshape(28, 28), cmap="gray_r")
            ax.set_title(f"{seen[digit]}, truly {y[digit]}", fontsize=9)
    panels[0, 0].figure.suptitle("The mistakes it is surest of: what it saw, and what was written", fontsize=11)
    return panels[0, 0]


if __name__ == "__main__":
    main()
