"""Spoken digits: a convolution and a bidirectional GRU tell which of ten digits was said, in recordings of any length.

You provide the recordings of the Free Spoken Digit Dataset (github.com/Jakobovski/free-spoken-digit-dataset): `--path` or
the environment variable FASTNN_SPOKEN_DIGITS is its folder `recordings`, or an .npz file with frames of recordings, as for
`digit_strings`. The speakers of the test part are known from training. The settings were chosen on a fifth of the training
recordings; the test part is read once, after training.
"""

import time

from .. import GRU, Adam, Bidirectional, Conv1D, CosineDecay, Dense, Dropout, GaussianNoise, Network, plot
from . import options
from .digit_strings import asked_for

EPOCHS, BATCH_SIZE, RATE = 15, 32, 3e-3


def main(argv=None):
    parser = options("spoken_digits", __doc__, quick="three epochs only")
    parsed, frames, digits, train, test = asked_for(parser, argv)
    epochs = 3 if parsed.quick else EPOCHS
    X, y = frames[train], digits[train]
    net = new_net(frames.values.shape[1])
    print(f"{net.summary()}\n")
    print(f"{len(train):,} recordings to train on, of {X.lengths.min()} to {X.lengths.max()} frames; {len(test):,} to test; "
          f"{epochs} epochs in batches of {BATCH_SIZE}")

    start = time.perf_counter()
    history = net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(
        learning_rate=CosineDecay(RATE, steps=epochs * -(-len(X) // BATCH_SIZE)), clip_norm=1.0))
    seconds = time.perf_counter() - start

    X_test, y_test = frames[test], digits[test]  # here the test part is read
    accuracy = net.evaluate(X_test, y_test)["accuracy"]
    print(f"trained in {seconds:.1f} s; {accuracy:.1%} of the test recordings right")
    print(plot.save_picture(parsed.picture, lambda: draw(net, history, X_test, y_test)))
    return {"accuracy": accuracy, "seconds": seconds}


def new_net(features, seed=0):
    return Network([
        GaussianNoise(0.2), Conv1D(64, 5, "relu", stride=2, padding="same"), Dropout(0.2),
        Bidirectional(GRU(64)), Dropout(0.4), Dense(10, "softmax"),
    ], inputs=(None, features), seed=seed)


def draw(net, history, X, y):
    """Draw a recording of each digit, the accuracy by epoch, and the share of each digit that is heard right."""
    panels = plot.axes(2, 6, width=13, height=4.5).ravel()
    for digit, ax in enumerate(panels[:10]):
        ax.imshow(X[int((y == digit).argmax())].T, aspect="auto", origin="lower", cmap="magma", vmin=-3, vmax=3)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{digit}", fontsize=9)
    curve, shares = panels[10:]
    plot.plain(curve).plot(range(1, len(history["accuracy"]) + 1), history["accuracy"], color=plot.COLORS[0], marker=".")
    curve.set(ylim=(0, 1.02), xlabel="epoch")
    curve.set_title("right, training", fontsize=9)
    right = net.predict(X) == y
    plot.plain(shares).bar(range(10), [right[y == digit].mean() for digit in range(10)], color=plot.COLORS[1])
    shares.set(ylim=(0, 1.02), xticks=range(10), xlabel="digit")
    shares.set_title(f"test: {right.mean():.1%} right", fontsize=9)
    panels[0].figure.suptitle("The first test recording of each digit, a column a frame; and how many are heard right",
                              fontsize=11)
    return panels[0]


if __name__ == "__main__":
    main()
