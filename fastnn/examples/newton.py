"""Newton's method: on a network's input, it finds the minima of the learned function.

A network learns Himmelblau's function (x² + y − 11)² + (x + y² − 7)², which has four minima, from samples of it. Then
Newton's method runs on the input from many starts, in a compiled loop of the example, with fixed weights. The gradient with
respect to the input is computed by `fastnn.jit.input_gradients`, the Hessian by finite differences of it. Where it is not
positive definite, the step follows its eigenvectors downhill.
"""

import time

import numpy as np
from numba import njit, prange

import fastnn

from .. import Adam, CosineDecay, Dense, Network, plot
from ..plot.canvas import INK
from . import options

MINIMA = np.array([[3.0, 2.0], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848126]])
SAMPLES, EPOCHS = 4000, 200
SIDE, STEPS, DIFFERENCE, LONGEST = 20, 25, 1e-4, 0.1
SCALE = 5.0  # the network's inputs are x / 5 and y / 5, from −1 to 1


def himmelblau(x, y):
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


@njit(parallel=True)
def newton(model, paths):
    """Take Newton's steps from paths[:, 0], written to paths (starts, steps + 1, 2)."""
    for n in prange(len(paths)):
        one, gradient, shifted = np.ones(1), np.empty(2), np.empty(2)
        slopes, hessian = np.empty((2, 2)), np.empty((2, 2))
        for step in range(paths.shape[1] - 1):
            x = paths[n, step]
            fastnn.jit.input_gradients(model, x, one, gradient)
            for j in range(2):
                shifted[:] = x
                shifted[j] += DIFFERENCE
                fastnn.jit.input_gradients(model, shifted, one, slopes[0])
                shifted[j] -= 2 * DIFFERENCE
                fastnn.jit.input_gradients(model, shifted, one, slopes[1])
                hessian[j] = (slopes[0] - slopes[1]) / (2 * DIFFERENCE)
            # for a symmetric matrix ((a, b), (b, d)): its eigenvalues mean ± radius, and the angle of its first eigenvector
            a, b, d = hessian[0, 0], 0.5 * (hessian[0, 1] + hessian[1, 0]), hessian[1, 1]
            mean, radius = 0.5 * (a + d), np.hypot(0.5 * (a - d), b)
            angle = 0.5 * np.arctan2(2 * b, a - d)
            c, s = np.cos(angle), np.sin(angle)
            along, across = c * gradient[0] + s * gradient[1], c * gradient[1] - s * gradient[0]
            along /= -max(abs(mean + radius), 1e-6)
            across /= -max(abs(mean - radius), 1e-6)
            shorten = min(1.0, LONGEST / max(np.hypot(along, across), 1e-300))
            paths[n, step + 1, 0] = x[0] + shorten * (c * along - s * across)
            paths[n, step + 1, 1] = x[1] + shorten * (s * along + c * across)


def main(argv=None):
    parsed = options("newton", __doc__).parse_args(argv)
    random = np.random.default_rng(0)
    X = random.uniform(-1, 1, size=(SAMPLES, 2))
    y = himmelblau(*(SCALE * X).T) / 100
    net = Network([Dense(48, "tanh"), Dense(48, "tanh"), Dense(1)], inputs=2, dtype="float64")
    schedule = CosineDecay(5e-3, EPOCHS * SAMPLES // 50)
    history = net.fit(X, y, epochs=EPOCHS, batch_size=50, optimizer=Adam(learning_rate=schedule))

    sides = np.linspace(-0.95, 0.95, SIDE)
    paths = np.empty((SIDE * SIDE, STEPS + 1, 2))
    paths[:, 0] = np.stack(np.meshgrid(sides, sides), axis=-1).reshape(-1, 2)
    model = net.compiled()
    newton(model, paths[:1].copy())  # compiles
    start = time.perf_counter()
    newton(model, paths)
    seconds = time.perf_counter() - start

    ends = SCALE * paths[:, -1]
    which = np.linalg.norm(ends[:, None] - MINIMA, axis=2).argmin(axis=1)
    inside = np.abs(ends).max(axis=1) < SCALE
    print(f"the network's root mean square error: {np.sqrt(2 * history['loss'][-1]) * 100:.2f}, of values from 0 to 890")
    print(f"{len(paths)} starts, {STEPS} steps of Newton each in {1e3 * seconds:.1f} ms: "
          f"{1e6 * seconds / paths.size * 2:.1f} µs a step of five gradients\n")
    print("true minimum          found, median         starts")
    found = []
    for k, minimum in enumerate(MINIMA):
        mine = ends[inside & (which == k)]
        found.append(np.median(mine, axis=0))
        print(f"({minimum[0]:7.3f},{minimum[1]:7.3f})     ({found[-1][0]:7.3f},{found[-1][1]:7.3f})  {len(mine):9}")
    print(f"left the square       {np.count_nonzero(~inside):31}\n")
    print(plot.save_picture(parsed.picture, lambda: draw(net, paths, which, inside)))
    return {"found": np.array(found), "minima": MINIMA, "seconds": seconds, "inside": float(inside.mean())}


def draw(net, paths, which, inside):
    """Draw level lines of the learned function, with the paths of some starts."""
    sides = np.linspace(-1, 1, 161)
    grid = np.stack(np.meshgrid(sides, sides), axis=-1)
    heights = 100 * net.forward(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    ax = plot.axes(width=7.2, height=6.6)
    lines = ax.contour(SCALE * sides, SCALE * sides, heights, levels=[2, 10, 30, 60, 100, 150, 200, 300, 450],
                       cmap="cividis", linewidths=0.9)
    ax.clabel(lines, fontsize=7)
    for n in range(0, len(paths), 3):
        if inside[n]:
            color = plot.COLORS[which[n]]
            ax.plot(*SCALE * paths[n].T, color=color, linewidth=0.8, alpha=0.7)
            ax.plot(*SCALE * paths[n, 0], ".", color=color, markersize=3)
    ax.plot(*MINIMA.T, "*", color="white", markeredgecolor=INK, markersize=15, label="true minima")
    ax.set(xlim=(-SCALE, SCALE), ylim=(-SCALE, SCALE), xlabel="$x$", ylabel="$y$",
           title="Newton's steps on the input of a network")
    ax.legend(frameon=True, loc="lower right")
    return ax


if __name__ == "__main__":
    main()
