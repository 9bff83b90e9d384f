"""MNIST-1D: a convolutional net, and a dense one to compare, read ten kinds of noisy curves that are shifted at random.

A convolution finds a stroke wherever it is; a dense network has to learn it anew at each place. The example makes the data
by the published recipe: 4,000 series of 40 numbers to train on and 1,000 to test.
"""

import time

from .. import (
    Activation,
    Adam,
    BatchNorm,
    Conv1D,
    CosineDecay,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool1D,
    Network,
    plot,
)
from ..datasets import mnist1d
from . import options

EPOCHS, BATCH_SIZE = 20, 50


def main(argv=None):
    parsed = options("mnist1d", __doc__, quick="four epochs only").parse_args(argv)
    X, y, X_test, y_test = mnist1d()
    epochs = 4 if parsed.quick else EPOCHS
    print(f"{convolutional().summary()}\n")
    print(f"{len(X):,} series to train on, {len(X_test):,} to test; {epochs} epochs in batches of {BATCH_SIZE}")
    nets, accuracy, seconds = {"dense": dense(), "convolutional": convolutional()}, {}, {}
    for name, net in nets.items():
        Network(net.layers, inputs=(40, 1)).fit(X[:BATCH_SIZE], y[:BATCH_SIZE], batch_size=BATCH_SIZE)  # compiles kernels
        start = time.perf_counter()
        rate = CosineDecay(5e-3, steps=epochs * -(-len(X) // BATCH_SIZE))
        net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate))
        seconds[name] = time.perf_counter() - start
        accuracy[name] = net.evaluate(X_test, y_test)["accuracy"]
        print(f"{name:14} {net.vectors.parameters.size:7,} parameters {seconds[name]:7.1f} s "
              f"{accuracy[name]:7.1%} right about the test series")
    print(plot.save_picture(parsed.picture, lambda: draw(nets, X, y, X_test, y_test)))
    return {"accuracy": accuracy, "seconds": seconds}


def convolutional():
    def block(channels, size):
        return Conv1D(channels, size, padding="same"), BatchNorm(), Activation("relu")

    return Network([*block(32, 5), *block(32, 5), MaxPool1D(2), *block(64, 5), MaxPool1D(2), *block(64, 3), Dropout(0.5),
                    GlobalAveragePool(), Dense(10, "softmax")], inputs=(40, 1))


def dense():
    return Network([Flatten(), Dense(100, "relu"), Dense(100, "relu"), Dense(10, "softmax")], inputs=(40, 1))


def draw(nets, X, y, X_test, y_test, shown=4):
    """Draw series of each class, and the share of each class that the nets read right."""
    panels = plot.axes(2, 6, width=13, height=5).ravel()
    for label, ax in enumerate(panels[:10]):
        for series in X[y == label][:shown]:
            plot.plain(ax).plot(series[:, 0], color=plot.COLORS[0], linewidth=0.9, alpha=0.7)
        ax.set_title(f"class {label}", fontsize=9)
        ax.set(yticks=[], xticks=[0, 20, 39])
    for ax, (name, net) in zip(panels[10:], nets.items(), strict=True):
        right = net.predict(X_test) == y_test
        plot.plain(ax).bar(range(10), [right[y_test == label].mean() for label in range(10)], color=plot.COLORS[1])
        ax.set(ylim=(0, 1), xticks=range(10), xlabel="class")
        ax.set_title(f"{name}: {right.mean():.1%} right", fontsize=9)
    panels[0].figure.suptitle(f"MNIST-1D: {shown} series of each class, and the share that is read right", fontsize=11)
    return panels[0]


if __name__ == "__main__":
    main()
