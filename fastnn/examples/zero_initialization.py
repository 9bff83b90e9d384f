"""Why zero initialization fails: units that start equal stay equal, to the bit; random weights make them different.

Hidden units with equal weights compute the same function, get the same gradient, and stay equal: eight units are no better
than one. The solution in the notes is to draw the weights at random.
"""

import numpy as np

from .. import Adam, Callback, Dense, Network, plot
from ..datasets import spiral
from . import options

HIDDEN, EPOCHS = 8, 200
INITIALIZERS = {"zeros": "zeros", "random": "glorot_uniform"}


class Recorder(Callback):
    """Record the weight between the first input and each hidden unit after each epoch."""

    def __init__(self):
        self.weights = []

    def on_train_begin(self, logs):
        self.on_epoch_end(-1, logs)

    def on_epoch_end(self, epoch, logs):
        self.weights.append(self.network.parameters["0.weight"][0].copy())


def main(argv=None):
    parsed = options("zero_initialization", __doc__).parse_args(argv)
    X, y = spiral()
    nets, weights, distinct, accuracies = {}, {}, {}, {}
    print(f"{HIDDEN} sigmoid units on the spiral, {EPOCHS} epochs\n\nstart    different units   accuracy   weights of the "
          "first input after training")
    for start, initializer in INITIALIZERS.items():
        net = Network([Dense(HIDDEN, "sigmoid", initializer), Dense(3, "softmax", initializer)], inputs=2, dtype="float64")
        recorder = Recorder()
        net.fit(X, y, epochs=EPOCHS, batch_size=32, optimizer=Adam(learning_rate=0.01), callbacks=[recorder])
        nets[start], weights[start] = net, np.array(recorder.weights)
        # a unit is identified by its incoming weights, its bias, and its outgoing weights
        units = np.column_stack([net.parameters["0.weight"].T, net.parameters["0.bias"], net.parameters["1.weight"]])
        distinct[start] = len(np.unique(units, axis=0))
        accuracies[start] = net.evaluate(X, y)["accuracy"]
        print(f"{start:<9}{distinct[start]:6} of {HIDDEN}{accuracies[start]:15.1%}     "
              + " ".join(f"{weight:6.2f}" for weight in weights[start][-1]))
    print()
    print(plot.save_picture(parsed.picture, lambda: draw(nets, weights, accuracies, X[::5], y[::5])))
    return {"distinct": distinct, "accuracy": accuracies}


def draw(nets, weights, accuracies, X, y):
    """Draw a row for each initialization: the weights by epoch, and the final decision boundary."""
    panels = plot.axes(2, 2, width=9.5, height=7.6)
    for (curves, boundary), (start, net) in zip(panels, nets.items(), strict=True):
        for unit, color in enumerate(plot.COLORS[:HIDDEN]):
            # alternating dashes, so that overlapping lines remain visible
            style = (4 * unit, (4, 4 * (HIDDEN - 1))) if start == "zeros" else "-"
            curves.plot(weights[start][:, unit], color=color, linewidth=1.8, linestyle=style)
        lines = "all on one line" if start == "zeros" else "each on its own"
        plot.plain(curves).set(xlabel="epoch", ylabel="weight from $x_1$",
                               title=f"Start: {start}. {HIDDEN} units, {lines}")
        plot.decision_boundary(net, X, y, ax=boundary).set_title(f"{accuracies[start]:.1%} right")
    return panels[0, 0]


if __name__ == "__main__":
    main()
