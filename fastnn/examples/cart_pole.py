"""Cart-pole: a network swings a pole up and balances it, trained by evolution in compiled simulations.

The cart is pushed left or right along a rail (equations of Barto, Sutton and Anderson 1983); the pole hangs down at first.
The inputs of the network are the position and speed of the cart, and the angle and angular speed of the pole; its output is
the force. There are no targets, only the cost of a whole run. So the weights are evolved: each generation tries many random
changes, and moves the weights towards those with lower cost (Salimans et al. 2017).

A run is a compiled loop that calls the network at each step, `fastnn.jit.forward_row`. The runs of a generation are
parallel: they share one table and differ in the weights, `fastnn.jit.Model(table, candidate, state)`.
"""

import time

import numpy as np
from numba import njit, prange

import fastnn

from .. import Dense, Network, plot
from ..plot.canvas import INK
from . import options

GRAVITY, CART, POLE, HALF_LENGTH, STRONGEST, RAIL = 9.8, 1.0, 0.1, 0.5, 10.0, 2.4  # SI units
DT, STEPS = 0.02, 500
PAIRS, GENERATIONS, SPREAD, RATE = 64, 250, 0.1, 0.05
STARTS = 4  # runs of each candidate


@njit
def step(state, force):
    """Advance state = (position, speed, angle from upright, angular speed) by DT, by Euler's method."""
    position, speed, angle, turning = state
    mass = CART + POLE
    push = (force + POLE * HALF_LENGTH * turning * turning * np.sin(angle)) / mass
    faster = ((GRAVITY * np.sin(angle) - np.cos(angle) * push)
              / (HALF_LENGTH * (4 / 3 - POLE * np.cos(angle) ** 2 / mass)))
    speed += DT * (push - POLE * HALF_LENGTH * faster * np.cos(angle) / mass)
    turning += DT * faster
    state[0], state[1], state[2], state[3] = position + DT * speed, speed, angle + DT * turning, turning


@njit
def cost_of_run(model, start, record):
    """Return the cost of a run from `start`, from 0 (always upright) to 1. record (steps, 5) or (0, 5): state and force."""
    state, seen, out = start.copy(), np.empty(5, np.float32), np.empty(1, np.float32)
    cost = 0.0
    for t in range(STEPS):
        seen[0], seen[1], seen[2], seen[3], seen[4] = (state[0] / RAIL, state[1] / 3, np.cos(state[2]), np.sin(state[2]),
                                                       state[3] / 6)
        fastnn.jit.forward_row(model, seen, out)
        force = STRONGEST * out[0]
        step(state, force)
        if len(record) > 0:
            record[t, :4], record[t, 4] = state, force
        if abs(state[0]) > RAIL:  # off the rail: the rest of the run has the highest cost
            return (cost + STEPS - t) / STEPS
        cost += 0.5 * (1 - np.cos(state[2])) * 0.9 + 0.1 * (state[0] / RAIL) ** 2
    return cost / STEPS


@njit(parallel=True)
def judge(model, candidates, starts, costs):
    """costs = the mean cost of the runs of each candidate; candidates (count, parameters), starts (runs, 4)."""
    for i in prange(len(candidates)):
        candidate, no_record = fastnn.jit.Model(model.table, candidates[i], model.state), np.empty((0, 5))
        costs[i] = 0
        for start in starts:
            costs[i] += cost_of_run(candidate, start, no_record) / len(starts)


def evolve(net, generations, random):
    """Evolve the weights of the network; return the mean and the lowest cost of every generation's candidates."""
    model, history = net.compiled(gradients=False), []
    weights, mean, square = model.parameters, np.zeros(model.parameters.size), np.zeros(model.parameters.size)
    costs = np.empty(2 * PAIRS)
    for generation in range(1, generations + 1):
        changes = random.normal(size=(PAIRS, weights.size))
        candidates = np.concatenate([weights + SPREAD * changes, weights - SPREAD * changes]).astype(np.float32)
        starts = np.array([0, 0, np.pi, 0]) + random.uniform(-0.2, 0.2, size=(STARTS, 4))
        judge(model, candidates, starts, costs)
        history.append((costs.mean(), costs.min()))
        ranks = costs.argsort().argsort() / (len(costs) - 1) - 0.5  # only the order of the costs matters
        gradient = (ranks[:PAIRS] - ranks[PAIRS:]) @ changes / PAIRS
        mean += 0.1 * (gradient - mean)
        square += 0.01 * (gradient * gradient - square)
        weights -= (RATE * mean / (1 - 0.9 ** generation) / (np.sqrt(square / (1 - 0.99 ** generation)) + 1e-8)).astype(
            np.float32)  # the model is live, so this changes the network
    return np.array(history)


def main(argv=None):
    parsed = options("cart_pole", __doc__, quick="10 generations, not 400: it learns little").parse_args(argv)
    generations = 10 if parsed.quick else GENERATIONS
    net = Network([Dense(16, "tanh"), Dense(16, "tanh"), Dense(1, "tanh")], inputs=5)
    model, start = net.compiled(gradients=False), np.array([0, 0, np.pi, 0])
    judge(model, model.parameters[None].copy(), start[None], np.empty(1))  # compiles
    begun = time.perf_counter()
    history = evolve(net, generations, np.random.default_rng(0))
    seconds = time.perf_counter() - begun
    record = np.full((STEPS, 5), np.nan)
    cost = cost_of_run(model, start, record)
    simulated = generations * 2 * PAIRS * STARTS * STEPS
    upright = float(np.mean(np.cos(record[STEPS // 2:, 2]) > 0.9))
    print(f"{generations} generations of {2 * PAIRS} candidates, {STARTS} runs of up to {STEPS * DT:.0f} s each: at most "
          f"{simulated:,} steps, in {seconds:.1f} s")
    print(f"mean cost {history[0, 0]:.3f} → {history[-1, 0]:.3f}; of a run from rest {cost:.3f}")
    print(f"in the second half of that run the pole is upright {upright:.0%} of the time\n")
    print(plot.save_picture(parsed.picture, lambda: draw(history, record)))
    return {"history": history, "cost": cost, "upright": upright, "seconds": seconds}


def draw(history, record):
    """Draw the cost by generation, and a run as pictures of the pole and as curves."""
    from matplotlib import colormaps

    cost, film, curves = plot.axes(1, 3, width=13.5, height=4.2)
    plot.plain(cost).plot(history[:, 0], color=plot.COLORS[0], label="mean of the candidates")
    cost.plot(history[:, 1], color=plot.COLORS[1], linewidth=1, label="best of them")
    cost.set(xlabel="generation", ylabel="cost of a run", title="Evolution", ylim=(0, None))
    cost.legend(frameon=False)
    shown = range(0, min(len(record), 250), 5)
    for t in shown:
        x, angle = record[t, 0], record[t, 2]
        color = colormaps["cividis"](t / shown[-1])
        film.plot([x, x + np.sin(angle)], [0, np.cos(angle)], color=color, linewidth=1.5)
        film.plot(x, 0, "s", color=color, markersize=4)
    film.axhline(0, color=INK, linewidth=0.6, zorder=0)
    film.set(aspect="equal", xlim=(-RAIL, RAIL), ylim=(-1.3, 1.3), xlabel="position (m)",
             title="The first 5 s, dark to light")
    seconds = DT * np.arange(len(record))
    plot.plain(curves).plot(seconds, np.cos(record[:, 2]), color=plot.COLORS[0], label="cosine of the angle")
    curves.plot(seconds, record[:, 0], color=plot.COLORS[2], label="position (m)")
    curves.plot(seconds, record[:, 4] / STRONGEST, color=plot.COLORS[1], linewidth=0.8, alpha=0.6, label="push / strongest")
    curves.set(xlabel="seconds", title="A run from rest")
    curves.legend(frameon=False)
    return cost


if __name__ == "__main__":
    main()
