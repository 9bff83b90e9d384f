"""A neural ODE: a network learns dx/dt = f(x) from noisy trajectories, integrated and trained in one compiled function.

The network computes the derivative of a state; a Runge-Kutta method of order four integrates it, and the loss compares the
path with the measurements (Chen et al. 2018). The gradient is propagated back through every step: `fastnn.jit.pullback`
converts the derivative with respect to a stage's slope to those with respect to its state and the parameters. Integration,
backpropagation and Adam are compiled loops of the example; a training step makes 120 calls of the network, forward or
backward, with 144 rows each.

The system is van der Pol's oscillator, x'' = (1 − x²) x' − x, whose trajectories all approach one cycle.
"""

import time

import numpy as np
from numba import njit

import fastnn

from .. import Dense, Network, plot
from ..plot.canvas import INK, PALE
from . import options

H = 0.1  # time between two measurements, and the step of the integration
TRAJECTORIES, MEASURED, NOISE = 24, 60, 0.02
PIECE, STEPS = 10, 1500  # number of integration steps of a prediction; number of training steps


@njit
def combine(out, a, x, b, y):
    """out = a x + b y, element by element."""
    out_, x_, y_ = out.ravel(), x.ravel(), y.ravel()
    for i in range(len(out_)):
        out_[i] = a * x_[i] + b * y_[i]


@njit
def stages(model, x, h, s2, s3, s4, k):
    """Compute the states s2, s3, s4 at which a Runge-Kutta step from x evaluates f a second, third and fourth time.

    k (4, samples, 2) are the slopes at all four states. All others (samples, 2).
    """
    fastnn.jit.forward(model, x, k[0])
    combine(s2, 1.0, x, h / 2, k[0])
    fastnn.jit.forward(model, s2, k[1])
    combine(s3, 1.0, x, h / 2, k[1])
    fastnn.jit.forward(model, s3, k[2])
    combine(s4, 1.0, x, h, k[2])
    fastnn.jit.forward(model, s4, k[3])


@njit
def integrate(model, path, h):
    """Integrate f from path[0]: path (steps + 1, samples, 2)."""
    s2, s3, s4, k = np.empty_like(path[0]), np.empty_like(path[0]), np.empty_like(path[0]), np.empty((4, *path[0].shape))
    for t in range(len(path) - 1):
        stages(model, path[t], h, s2, s3, s4, k)
        path[t + 1] = path[t] + h / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])


@njit
def loss_and_gradients(model, path, measured, h, grads):
    """½ mean |path − measured|² over all steps but the first, and its gradient; path[0] is given, the rest is computed."""
    integrate(model, path, h)
    count = path[1:].size / 2
    loss, dpath = 0.0, np.zeros_like(path[0])
    s2, s3, s4, k = np.empty_like(dpath), np.empty_like(dpath), np.empty_like(dpath), np.empty((4, *dpath.shape))
    d1, d2, d3, d4, dk = (np.empty_like(dpath), np.empty_like(dpath), np.empty_like(dpath), np.empty_like(dpath),
                          np.empty_like(dpath))
    grads[:] = 0
    for t in range(len(path) - 2, -1, -1):
        # forward: path[t + 1] = x + h/6 (k1 + 2 k2 + 2 k3 + k4) with k1 = f(x),
        #          k2 = f(s2), s2 = x + h/2 k1;   k3 = f(s3), s3 = x + h/2 k2;   k4 = f(s4), s4 = x + h k3
        error = path[t + 1] - measured[t + 1]
        loss += 0.5 * np.sum(error * error) / count
        dpath += error / count
        x = path[t]
        stages(model, x, h, s2, s3, s4, k)
        combine(dk, h / 6, dpath, 0.0, dpath)
        fastnn.jit.pullback(model, s4, dk, d4, grads)
        combine(dk, h / 3, dpath, h, d4)
        fastnn.jit.pullback(model, s3, dk, d3, grads)
        combine(dk, h / 3, dpath, h / 2, d3)
        fastnn.jit.pullback(model, s2, dk, d2, grads)
        combine(dk, h / 6, dpath, h / 2, d2)
        fastnn.jit.pullback(model, x, dk, d1, grads)
        dpath += d1 + d2 + d3 + d4
    return loss


@njit
def train(model, pieces, h, losses, rate):
    """Train with Adam (Kingma and Ba 2014) on all pieces (steps + 1, samples, 2) at once; losses has one for each step."""
    grads = np.empty_like(model.parameters)
    mean, square, path = np.zeros_like(grads), np.zeros_like(grads), np.empty_like(pieces)
    path[0] = pieces[0]
    for step in range(len(losses)):
        losses[step] = loss_and_gradients(model, path, pieces, h, grads)
        falling = rate * 0.5 * (1 + np.cos(np.pi * step / len(losses)))
        for j in range(len(grads)):
            mean[j] += 0.1 * (grads[j] - mean[j])
            square[j] += 0.001 * (grads[j] * grads[j] - square[j])
            change = mean[j] / (1 - 0.9 ** (step + 1)) / (np.sqrt(square[j] / (1 - 0.999 ** (step + 1))) + 1e-8)
            model.parameters[j] -= falling * change


def van_der_pol(starts, steps, h=H, parts=10):
    """Return true trajectories (steps + 1, samples, 2) from starts (samples, 2), in steps of h / parts."""
    def f(x):
        return np.stack([x[:, 1], (1 - x[:, 0] ** 2) * x[:, 1] - x[:, 0]], axis=1)

    path, x, h = [starts], starts, h / parts
    for _ in range(steps):
        for _ in range(parts):
            k1 = f(x)
            k2 = f(x + h / 2 * k1)
            k3 = f(x + h / 2 * k2)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(x + h * k3))
        path.append(x)
    return np.array(path)


def main(argv=None):
    parsed = options("neural_ode", __doc__, quick="300 steps of training, not 1,500").parse_args(argv)
    steps = 300 if parsed.quick else STEPS
    random = np.random.default_rng(0)
    measured = van_der_pol(random.uniform(-3, 3, size=(TRAJECTORIES, 2)), MEASURED)
    measured += random.normal(scale=NOISE, size=measured.shape)
    # each piece begins at a measurement: (steps + 1, samples, 2)
    pieces = np.concatenate([measured[t:t + PIECE + 1] for t in range(0, MEASURED - PIECE + 1, PIECE)], axis=1)

    net = Network([Dense(32, "tanh"), Dense(32, "tanh"), Dense(2)], inputs=2, dtype="float64")
    train(net.compiled(copy=True), pieces, H, np.empty(1), 0.0)  # compiles
    losses, start = np.empty(steps), time.perf_counter()
    train(net.compiled(), pieces, H, losses, 0.01)
    seconds = time.perf_counter() - start

    starts = random.uniform(-3, 3, size=(8, 2))  # without measurements
    truth, learned = van_der_pol(starts, 2 * MEASURED), np.empty((2 * MEASURED + 1, 8, 2))
    learned[0] = starts
    integrate(net.compiled(gradients=False), learned, H)
    error = float(np.sqrt(np.mean((learned - truth) ** 2)))
    calls = steps * PIECE * 8 + steps * PIECE * 4
    print(f"{pieces.shape[1]} pieces of {PIECE} steps, noise {NOISE}; {steps} steps of training in {seconds:.1f} s: "
          f"{1e6 * seconds / calls:.0f} µs a call of the network with {pieces.shape[1]} rows, forward or back")
    print(f"loss {losses[0]:.5f} → {losses[-1]:.5f} (of the noise alone: {NOISE ** 2:.5f} and more)")
    print(f"from {len(starts)} new starts, over {2 * MEASURED * H:.0f} units of time: root mean square error {error:.3f}\n")
    print(plot.save_picture(parsed.picture, lambda: draw(net, measured, truth, learned, losses)))
    return {"losses": losses, "error": error, "seconds": seconds}


def draw(net, measured, truth, learned, losses):
    """Draw the measurements; the learned field, with trajectories from new starts; the loss."""
    data, field, curve = plot.axes(1, 3, width=13.5, height=4.6)
    data.plot(*measured.transpose(2, 0, 1), ".", color=plot.COLORS[0], markersize=2.5)
    data.set_title("Measured")
    grid = np.stack(np.meshgrid(np.linspace(-3, 3, 19), np.linspace(-4, 4, 19)), axis=-1).reshape(-1, 2)
    speed = net.forward(grid)
    field.quiver(*grid.T, *(speed / np.linalg.norm(speed, axis=1, keepdims=True)).T, color=PALE, angles="xy", width=4e-3)
    for n in range(learned.shape[1]):
        label = {"label": "true"} if n == 0 else {}
        field.plot(*truth[:, n].T, color=INK, linewidth=2.6, alpha=0.35, **label)
        label = {"label": "learned"} if n == 0 else {}
        field.plot(*learned[:, n].T, color=plot.COLORS[1], linewidth=1, **label)
    field.plot(*learned[0].T, "o", color=INK, markersize=4)
    field.set_title("The field learned, and trajectories from new starts")
    field.legend(frameon=False, loc="upper left")
    for ax in (data, field):
        plot.plain(ax).set(xlabel="$x$", ylabel="$x'$", xlim=(-3.4, 3.4), ylim=(-4.6, 4.6))
    plot.plain(curve).semilogy(losses, color=plot.COLORS[0])
    curve.set(xlabel="step of training", title="Loss")
    return data


if __name__ == "__main__":
    main()
