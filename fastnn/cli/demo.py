"""The demo: train a network on three spiral arms, print its accuracy and the time, and draw its decision boundary."""

import sys
import time
from pathlib import Path

import numpy as np

from .. import Adam, Dense, Network, plot
from ..checks import whole_number
from ..datasets import spiral
from . import options

EPOCHS, BATCH_SIZE, HELD_OUT = 200, 32, 600
COMPILED = 1.0  # seconds; loading kernels from disk takes less

EXAMPLES = (
    ("fastnn demo", "takes a few seconds and draws fastnn-demo.png"),
    ("fastnn demo --epochs 5 --output early.png", "draws the network after 5 epochs"),
)
YOUR_OWN = '''\
import numpy as np
from fastnn import Dense, Network

table = np.loadtxt("my.csv", delimiter=",", skiprows=1)     # one sample in each row, labels 0, 1, … in the last column
np.random.default_rng(0).shuffle(table)
X, y = table[:, :-1], table[:, -1].astype(int)
X = (X - X.mean(axis=0)) / X.std(axis=0)
n = len(X) * 4 // 5                                         # the last fifth is held out
net = Network([Dense(64, "relu"), Dense(64, "relu"), Dense(y.max() + 1, "softmax")], inputs=X.shape[1])
net.fit(X[:n], y[:n], epochs=50)
print(net.evaluate(X[n:], y[n:]))
net.save("my.safetensors")                                  # net = Network.load("my.safetensors")
'''


def main(argv=None):
    """Run the demo from the command line."""
    parser = options.command("demo", "Train a network on three spiral arms and draw its decision boundary.", EXAMPLES)
    parser.add_argument("--epochs", type=options.whole, default=EPOCHS, metavar="N",
                        help=f"number of epochs (default: {EPOCHS})")
    parser.add_argument("--seed", type=options.whole, default=0, metavar="N",
                        help="seed of the data, the initial weights and the shuffling (default: 0)")
    options.add_threads(parser)
    parser.add_argument("-o", "--output", type=Path, default=Path("fastnn-demo.png"), metavar="FILE",
                        help="file name of the picture (default: fastnn-demo.png)")
    parsed = parser.parse_args(argv)
    options.check_output(parsed.output)
    run_demo(epochs=parsed.epochs, seed=parsed.seed, threads=parsed.threads, output=parsed.output)


def run_demo(epochs=EPOCHS, seed=0, threads=None, output=Path("fastnn-demo.png")):
    """Run the demo; return the accuracy on held-out points, and the seconds of training and of preparing the kernels."""
    epochs = whole_number("epochs", epochs, least=0)
    X, y = spiral(seed=seed)
    order = np.random.default_rng(seed).permutation(len(X))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    net, optimizer = new_net(seed), Adam(learning_rate=2e-3)
    steps = epochs * -(-len(train) // BATCH_SIZE)
    print(f"""\
fastnn demo: a network learns to distinguish three spiral arms

  data       {len(X):,} points in the plane, {len(train):,} to train on, {len(held_out)} held out
  network    {" → ".join(["2 inputs", *(f"{layer.out_features} {layer.activation}" for layer in net.layers)])}: \
{sum(p.size for p in net.parameters.values()):,} parameters, {net.dtype}
  training   {epochs} epochs in batches of {BATCH_SIZE}: {steps:,} steps of Adam
""")
    print("Preparing the kernels (the first run on a machine compiles them, about 10 s) …", end=" ", flush=True)
    ready_seconds = prepare(X, y, threads)
    print(f"{'compiled' if ready_seconds > COMPILED else 'found on disk'}, {ready_seconds:.1f} s", flush=True)

    start = time.perf_counter()
    history = net.fit(X[train], y[train], epochs=epochs, batch_size=BATCH_SIZE, optimizer=optimizer, threads=threads,
                      progress=sys.stderr.isatty())
    seconds = time.perf_counter() - start
    accuracy = net.evaluate(X[held_out], y[held_out], threads=threads)["accuracy"]
    picture = plot.save_picture(output, lambda: draw(net, X[held_out], y[held_out], accuracy))
    print(f"""\
Trained in {seconds:.2f} s, {seconds / max(steps, 1) * 1e6:.0f} µs a step

  loss       {sparkline(history["loss"]) if epochs else "not trained"}
  accuracy   {accuracy:.1%} of the held-out points
  {picture}

For a table of your own with numbers and text: fastnn train my.csv --target COLUMN; for one with numbers only, in Python:

{YOUR_OWN}""")
    return {"accuracy": accuracy, "seconds": seconds, "ready_seconds": ready_seconds}


def new_net(seed=0):
    return Network([Dense(64, "relu"), Dense(64, "relu"), Dense(3, "softmax")], inputs=2, seed=seed)


def prepare(X, y, threads):
    """Run everything that the demo needs once, so that every kernel is compiled or loaded; return the seconds."""
    start = time.perf_counter()
    net = new_net()
    net.fit(X[:BATCH_SIZE], y[:BATCH_SIZE], optimizer=Adam(), threads=threads, progress=False)
    net.evaluate(X, y, threads=threads)
    return time.perf_counter() - start


def draw(net, X, y, accuracy):
    ax = plot.decision_boundary(net, X, y)
    ax.set_title(f"{accuracy:.1%} of {len(X)} held-out points right")
    return ax


def sparkline(values, columns=40):
    """Return a line of blocks whose heights are the logarithms of some of the values, from the first to the last."""
    blocks = "▁▂▃▄▅▆▇█"
    picked = np.log(np.maximum(values, 1e-12))[np.linspace(0, len(values) - 1, min(columns, len(values))).astype(int)]
    height = (picked - picked.min()) / max(np.ptp(picked), 1e-12) * (len(blocks) - 1)
    return f"{values[0]:.3f} {''.join(blocks[round(h)] for h in height)} {values[-1]:.3f}"
