"""A picture and a table at once: what a thing is, and how large it is.

A camera takes pictures of discs, squares and triangles, 20 × 20 pixels with noise. A table says from how far it took each,
through which lens, and how warm it was, which does not matter. Two outputs answer at once: the kind, a class, and the size
in centimeters, a value. The picture alone shows how many pixels wide a thing is, not whether it is small and near or large
and far; the table alone knows nothing of it. So the example trains three networks of one form, on the picture, on the table,
and on both, and compares them on things that none has seen. It makes its data.
"""

import numpy as np

from .. import (
    Adam,
    Concatenate,
    Conv2D,
    CosineDecay,
    Dense,
    Flatten,
    Input,
    MaxPool2D,
    Network,
    plot,
)
from . import options

SIDE, KINDS = 20, ("disc", "square", "triangle")
TRAINED_ON, TESTED, EPOCHS, BATCH_SIZE = 8_000, 2_000, 12, 64
NOISE = 0.25
READ = {"picture": ["picture"], "table": ["table"], "both": ["picture", "table"]}


def main(argv=None):
    parsed = options("camera", __doc__, quick="a quarter of the pictures, and four epochs").parse_args(argv)
    count, epochs = (TRAINED_ON // 4, 4) if parsed.quick else (TRAINED_ON, EPOCHS)
    X, y, scale = things(count, seed=1)
    test_X, test_y, _ = things(TESTED, seed=2, scale=scale)
    found, sizes = {}, {}
    print(f"{count:,} pictures to train on, {TESTED:,} others for the test\n")
    print("reads                 kind right   size off by (cm)   parameters")
    for name, inputs in READ.items():
        net = network(inputs)
        rate = CosineDecay(3e-3, steps=epochs * -(-count // BATCH_SIZE))
        net.fit({each: X[each] for each in inputs}, y, epochs=epochs, batch_size=BATCH_SIZE,
                optimizer=Adam(learning_rate=rate))
        predicted = net.predict({each: test_X[each] for each in inputs})
        right = float(np.mean(predicted["kind"] == test_y["kind"]))
        sizes[name] = np.exp(np.ravel(predicted["size"]))
        off = float(np.mean(np.abs(sizes[name] - np.exp(np.ravel(test_y["size"])))))
        found[name] = {"kind": right, "size": off}
        print(f"{' and '.join(inputs):22}{right:10.1%}{off:19.2f}{net.vectors.parameters.size:13,}")
    true = np.exp(np.ravel(test_y["size"]))
    found["nothing"] = {"size": float(np.mean(np.abs(true - np.exp(np.mean(y["size"])))))}
    print(f"{'nothing':22}{1 / len(KINDS):10.1%}{found['nothing']['size']:19.2f}")
    print(f"\n{net.summary()}")
    print(plot.save_picture(parsed.picture, lambda: draw(test_X["picture"], true, sizes)))
    return found


def things(count, seed, scale=None):
    """Return (X, y, scale): dicts of inputs and outputs, and the mean and deviation of the columns of the table.

    The size is given as its logarithm, in which an error of a tenth is the same for small and large things.
    """
    random = np.random.default_rng(seed)
    kind = random.integers(len(KINDS), size=count)
    distance, focus = random.uniform(0.5, 5, size=count), random.choice([24, 35, 50, 85], size=count)
    pixels = random.uniform(5, 17, size=count)  # how wide it is in the picture
    size = pixels * distance / focus * 20  # in centimeters
    table = np.column_stack([np.log(distance), np.log(focus), random.normal(15, 8, size=count)])
    scale = (table.mean(axis=0), table.std(axis=0)) if scale is None else scale
    pictures = np.stack([picture(*each, random) for each in zip(kind, pixels, strict=True)])
    return ({"picture": pictures, "table": (table - scale[0]) / scale[1]}, {"kind": kind, "size": np.log(size)[:, None]},
            scale)


def picture(kind, pixels, random):
    """Return a picture (SIDE, SIDE, 1) of a thing this many pixels wide, at a random place, with noise."""
    room = (SIDE - pixels) / 2
    middle = SIDE / 2 + random.uniform(-room, room, size=2)
    down, across = (np.indices((SIDE, SIDE)) + 0.5 - middle[:, None, None]) / (pixels / 2)
    inside = [down**2 + across**2 <= 1, np.maximum(abs(down), abs(across)) <= 1,
              (abs(across) <= (1 + down) / 2) & (abs(down) <= 1)][kind]
    return (inside * random.uniform(0.6, 1) + random.normal(scale=NOISE, size=(SIDE, SIDE)))[..., None]


def network(inputs):
    """Return a network that reads these inputs and has both outputs."""
    nodes, parts = {"picture": Input((SIDE, SIDE, 1), name="picture"), "table": Input(3, name="table")}, []
    if "picture" in inputs:
        h = MaxPool2D(2)(Conv2D(8, 3, "relu", padding="same")(nodes["picture"], name="edges"))
        h = MaxPool2D(2)(Conv2D(16, 3, "relu", padding="same")(h, name="shapes"))
        parts.append(Dense(48, "relu")(Flatten()(h), name="seen"))
    if "table" in inputs:
        parts.append(Dense(16, "relu")(nodes["table"], name="told"))
    h = Dense(32, "relu")(parts[0] if len(parts) == 1 else Concatenate()(parts, name="both"), name="mixed")
    outputs = {"kind": Dense(len(KINDS), "softmax")(h, name="kind"), "size": Dense(1)(h, name="size")}
    return Network(inputs=[nodes[name] for name in inputs], outputs=outputs, loss={"kind": None, "size": "squared_error"})


def draw(pictures, true, sizes):
    """Draw some pictures, and the sizes that each network says against the true ones."""
    axes = plot.axes(1, 4, width=14, height=3.8)
    tiles = np.full((4 * (SIDE + 1) - 1, 4 * (SIDE + 1) - 1), np.nan)
    for number, each in enumerate(pictures[:16, ..., 0]):
        row, column = (SIDE + 1) * (number // 4), (SIDE + 1) * (number % 4)
        tiles[row:row + SIDE, column:column + SIDE] = each
    axes[0].imshow(tiles, cmap="gray")
    axes[0].set(title="pictures of the test", xticks=[], yticks=[])
    largest = true.max()
    for ax, (name, found) in zip(axes[1:], sizes.items(), strict=True):
        ax.plot([0, largest], [0, largest], color="#999999", linewidth=1)
        ax.scatter(true, found, s=4, alpha=0.4, color=plot.COLORS[0], linewidths=0)
        ax.set(title=f"reads {'picture and table' if name == 'both' else f'the {name}'}", xlabel="true size (cm)",
               xlim=(0, largest), ylim=(0, largest))
        plot.plain(ax)
    axes[1].set(ylabel="size said (cm)")
    return axes[0]


if __name__ == "__main__":
    main()
