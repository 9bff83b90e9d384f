"""The spiral: the decision boundary of a network on three spiral arms during training.

`fit` continues from the current weights, so training can be inspected after 1, 3, 10, 30 and 100 epochs.
"""

import time

import numpy as np

from .. import Adam, Dense, History, Network, plot
from ..datasets import spiral
from . import options

STOPS, HELD_OUT = (1, 3, 10, 30, 100), 600


def main(argv=None):
    parsed = options("spiral", __doc__).parse_args(argv)
    X, y = spiral()
    order = np.random.default_rng(0).permutation(len(X))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    net = Network([Dense(64, "relu"), Dense(64, "relu"), Dense(3, "softmax")], inputs=2)
    optimizer = Adam(learning_rate=2e-3)

    Network(net.layers, inputs=2).fit(X[:32], y[:32], optimizer=Adam(), validation_data=(X, y))  # compiles or loads kernels
    print("epochs   seconds   loss      accuracy on held-out points")
    history, done, seconds, snapshots = History(), 0, 0.0, []
    for stop in STOPS:
        start = time.perf_counter()
        more = net.fit(X[train], y[train], epochs=stop - done, batch_size=32, optimizer=optimizer,
                       validation_data=(X[held_out], y[held_out]))
        seconds, done = seconds + time.perf_counter() - start, stop
        for epoch in more.epochs:
            history.append({name: more[name][epoch] for name in more})
        snapshots.append({name: view.copy() for name, view in net.parameters.items()})
        print(f"{stop:6}{seconds:10.2f}{more['loss'][-1]:9.4f}{more['val_accuracy'][-1]:9.1%}")
    print(plot.save_picture(parsed.picture, lambda: draw(net, snapshots, history, X[held_out], y[held_out])))
    return {"accuracy": history["val_accuracy"][-1], "seconds": seconds}


def draw(net, snapshots, history, X, y):
    """Draw the decision boundary at each stop, and the loss."""
    panels = plot.axes(2, 3, width=12, height=7.6).ravel()
    for ax, stop, snapshot in zip(panels, STOPS, snapshots, strict=False):
        for name, values in snapshot.items():
            net.parameters[name][...] = values
        plot.decision_boundary(net, X, y, ax=ax)
        accuracy = net.evaluate(X, y)["accuracy"]
        ax.set(title=f"{stop} epoch{'s' if stop > 1 else ''}: {accuracy:.1%} right", xlabel="", ylabel="")
        ax.legend_.set_visible(ax is panels[0])
    plot.learning_curves(history, ax=panels[-1]).set_title("Loss")
    return panels[0]


if __name__ == "__main__":
    main()
