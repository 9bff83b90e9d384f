"""Segmentation: a U-Net says of each pixel whether it is ground or part of a circle, a square or a triangle.

The pictures are drawn by the example: one to three shapes of any brightness on noisy ground, some half hidden. The
intersection over union of each class on pictures that were not trained on, and some of them, are shown.
"""

import time

import numpy as np

from .. import Adam, Concatenate, Conv2D, ConvTranspose2D, CosineDecay, Input, MaxPool2D, Network, plot
from . import options

SIZE, CLASSES = 32, ("ground", "circle", "square", "triangle")
EPOCHS, BATCH_SIZE, PICTURES, HELD_OUT = 20, 20, 2000, 500


def main(argv=None):
    parsed = options("segmentation", __doc__, quick="800 pictures and eight epochs only").parse_args(argv)
    count, epochs = (800, 8) if parsed.quick else (PICTURES, EPOCHS)
    X, y = pictures(count, seed=0)
    X_test, y_test = pictures(HELD_OUT, seed=1)
    net = new_net()
    print(f"{net.summary()}\n")
    print(f"{count:,} pictures of {SIZE}×{SIZE} pixels to train on, {HELD_OUT} to test; {epochs} epochs")
    new_net().fit(X[:BATCH_SIZE], y[:BATCH_SIZE], batch_size=BATCH_SIZE, optimizer=Adam())  # compiles kernels

    start = time.perf_counter()
    rate = CosineDecay(5e-3, steps=epochs * -(-count // BATCH_SIZE))
    net.fit(X, y, epochs=epochs, batch_size=BATCH_SIZE, optimizer=Adam(learning_rate=rate))
    seconds = time.perf_counter() - start
    found = net.evaluate(X_test, y_test, metrics=["mean_iou"])
    ious = overlaps(net.predict(X_test), y_test)
    print(f"trained in {seconds:.1f} s; right about {found['accuracy']:.2%} of the test pixels")
    print("intersection over union: " + ", ".join(f"{name} {iou:.3f}" for name, iou in zip(CLASSES, ious, strict=True))
          + f"; mean {found['mean_iou']:.3f}")
    print(plot.save_picture(parsed.picture, lambda: draw(net, X_test, y_test)))
    return {"accuracy": found["accuracy"], "mean_iou": found["mean_iou"], "ious": ious, "seconds": seconds}


def new_net():
    """Return a small U-Net (Ronneberger et al. 2015): what is seen at each size is joined again on the way back to it."""
    def convolved(x, channels):
        return Conv2D(channels, 3, "relu", padding="same")(x)

    x = Input((SIZE, SIZE, 1))
    large = convolved(x, 12)
    middle = convolved(MaxPool2D(2)(large), 24)
    small = convolved(convolved(MaxPool2D(2)(middle), 48), 48)
    middle = convolved(Concatenate()(ConvTranspose2D(24, 2, "relu", stride=2)(small), middle), 24)
    large = convolved(Concatenate()(ConvTranspose2D(12, 2, "relu", stride=2)(middle), large), 12)
    return Network(inputs=x, outputs=Conv2D(len(CLASSES), 1, "softmax")(large))


def pictures(count, seed):
    """Return pictures (count, SIZE, SIZE, 1) and the class of each pixel (count, SIZE, SIZE)."""
    random = np.random.default_rng(seed)
    X, y = random.normal(0, 0.3, (count, SIZE, SIZE)), np.zeros((count, SIZE, SIZE), np.int64)
    row, column = np.mgrid[:SIZE, :SIZE]
    for picture, labels in zip(X, y, strict=True):
        for _ in range(random.integers(1, 4)):
            label, radius = random.integers(1, len(CLASSES)), random.uniform(4, 8)
            down, right = row - random.uniform(5, SIZE - 5), column - random.uniform(5, SIZE - 5)
            inside = {1: down**2 + right**2 < radius**2,
                      2: np.maximum(abs(down), abs(right)) < 0.85 * radius,
                      3: (down < 0.8 * radius) & (2 * abs(right) < down + radius)}[label]
            picture[inside] += random.choice([-1, 1]) * random.uniform(0.8, 1.6) - picture[inside].mean()
            labels[inside] = label
    return X[..., None].astype(np.float32), y


def overlaps(predicted, y):
    """Return the intersection over union of each class."""
    return [float(((predicted == k) & (y == k)).sum() / ((predicted == k) | (y == k)).sum()) for k in range(len(CLASSES))]


def draw(net, X, y, columns=8):
    """Draw pictures, their classes, and what the net predicts; the last columns are those with most mistakes."""
    predicted = net.predict(X)
    worst = np.argsort(-(predicted != y).sum(axis=(1, 2)), kind="stable")[:2]
    shown = [*range(columns - 2), *worst]
    panels = plot.axes(3, columns, width=1.35 * columns, height=4.6)
    colors = np.vstack([np.full(3, 0.93), plot.class_colors(len(CLASSES) - 1)])
    for column, number in zip(panels.T, shown, strict=True):
        for ax, image in zip(column, (X[number, :, :, 0], colors[y[number]], colors[predicted[number]]), strict=True):
            ax.imshow(image, cmap="gray")
            ax.set(xticks=[], yticks=[])
        column[2].set_xlabel(f"{(predicted[number] == y[number]).mean():.1%}", fontsize=9)
    for ax, name in zip(panels[:, 0], ("picture", "true", "predicted"), strict=True):
        ax.set_ylabel(name)
    panels[0, 0].figure.suptitle("Pictures that were not trained on, the last two with most mistakes; pixels right below",
                                 fontsize=11)
    return panels[0, 0]


if __name__ == "__main__":
    main()
