"""Logistic regression: a real table in Python loops, in NumPy and in compiled kernels, with equal results.

P(y=1|x) = σ(wᵀx + b), fitted by full-batch gradient descent from zeros, as in the notes. The table has 30 measures of the
cells of 569 biopsies, and whether they were malignant.
"""

import time

import numpy as np

from .. import SGD, Dense, Network, naive, plot, vectorized
from ..datasets import breast_cancer
from . import options

LEARNING_RATE, EPOCHS, HELD_OUT = 0.5, 200, 114


def main(argv=None):
    parsed = options("logistic_regression", __doc__).parse_args(argv)
    X, y, names = breast_cancer(return_names=True)
    order = np.random.default_rng(0).permutation(len(X))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    # gradient descent needs features of similar scale; the scale is computed without the held-out rows
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0)

    compiled(X[train], y[train], epochs=1)  # compiles or loads the kernels before the time is measured
    rungs = {"loops": naive.logistic_regression, "NumPy": vectorized.logistic_regression, "compiled": compiled}
    results, seconds = {}, {}
    for rung, fit in rungs.items():
        start = time.perf_counter()
        w, b, losses = fit(X[train], y[train], LEARNING_RATE, EPOCHS)
        seconds[rung] = time.perf_counter() - start
        results[rung] = np.array([*w, b]), np.array(losses)

    print(f"{EPOCHS} steps of gradient descent on {len(train)} rows of {X.shape[1]} features\n")
    print("rung           seconds   against loops   cost after")
    for rung, (_, losses) in results.items():
        print(f"{rung:<10}{seconds[rung]:12.5f}{seconds['loops'] / seconds[rung]:15,.0f}×{losses[-1]:13.9f}")
    weights = results["compiled"][0]
    difference = max(np.abs(other - weights).max() for other, _ in results.values())
    accuracy = np.mean((X[held_out] @ weights[:-1] + weights[-1] >= 0) == y[held_out])
    print(f"\nlargest difference between the weights of two rungs: {difference:.1e}")
    print(f"right about {accuracy:.1%} of {HELD_OUT} biopsies held out")
    print(plot.save_picture(parsed.picture, lambda: draw(weights[:-1], names)))
    return {"difference": difference, "accuracy": accuracy, "seconds": seconds}


def compiled(X, y, learning_rate=LEARNING_RATE, epochs=EPOCHS):
    """Fit the same logistic regression as a network of one unit; return w, b and the cost before each step."""
    net = Network([Dense(1, "sigmoid", initializer="zeros")], inputs=X.shape[1], dtype="float64")
    history = net.fit(X, y, epochs=epochs, batch_size=len(X), optimizer=SGD(learning_rate), shuffle=False, progress=False)
    return net.parameters["0.weight"][:, 0], net.parameters["0.bias"][0], history["loss"]


def draw(w, names, strongest=12):
    """Draw the largest weights as bars, which show the measures for and against malignant."""
    picked = np.argsort(np.abs(w))[-strongest:]
    ax = plot.plain(plot.axes(width=6.5, height=4.2))
    ax.barh(range(strongest), w[picked], color=[plot.COLORS[int(w[i] > 0)] for i in picked], height=0.7)
    ax.set_yticks(range(strongest), [names[i].replace("_", " ") for i in picked])
    ax.axvline(0, color="black", linewidth=0.8)
    ax.grid(visible=False, axis="y")
    ax.set(xlabel="weight of the standardized measure (right: speaks for malignant)",
           title=f"The {strongest} strongest of {len(w)} weights")
    return ax


if __name__ == "__main__":
    main()
