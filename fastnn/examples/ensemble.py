"""An ensemble: networks agree where there are data, and differ where there are none.

Networks of mixed depths, widths and activations learn sin 3x from points with a gap in the middle, all in one call of
`Population.fit`. Near the points their predictions agree; in the gap and beyond the ends they differ.
"""

import time

import numpy as np

from .. import Adam, Dense, Network, Population, plot
from . import options

MEMBERS, EPOCHS, NOISE = 40, 300, 0.1


def main(argv=None):
    parsed = options("ensemble", __doc__).parse_args(argv)
    generator = np.random.default_rng(0)
    x = np.r_[generator.uniform(-2, -0.5, 80), generator.uniform(0.5, 2, 80)]
    y = np.sin(3 * x) + generator.normal(0, NOISE, x.size)
    population = Population([network(seed) for seed in range(MEMBERS)])
    population.fit(x[:32, None], y[:32])  # compiles or loads the kernels
    start = time.perf_counter()
    population.fit(x[:, None], y, epochs=EPOCHS, batch_size=16, optimizer=Adam(3e-3))
    seconds = time.perf_counter() - start

    grid = np.linspace(-3, 3, 301)
    spread, mean = population.spread(grid[:, None])[:, 0], population.predict(grid[:, None])
    where = {"among the points": (abs(grid) > 0.6) & (abs(grid) < 1.9), "in the gap": abs(grid) < 0.3,
             "beyond the ends": abs(grid) > 2.7}
    print(f"{MEMBERS} networks, {EPOCHS} epochs each, in {seconds:.2f} s\n")
    print(f"{'':20}{'spread':>8}{'error of the mean':>20}")
    for name, chosen in where.items():
        print(f"{name:20}{spread[chosen].mean():8.3f}{abs(mean - np.sin(3 * grid))[chosen].mean():20.3f}")
    print(plot.save_picture(parsed.picture, lambda: draw(population, x, y, grid)))
    return {"spread": {name: float(spread[chosen].mean()) for name, chosen in where.items()}, "seconds": seconds}


def network(seed):
    generator = np.random.default_rng(seed)
    widths = generator.choice([16, 32, 64], size=generator.integers(1, 4))
    activation = ["tanh", "relu", "silu"][seed % 3]
    return Network([*(Dense(int(width), activation) for width in widths), Dense(1)], inputs=1, seed=seed)


def draw(population, x, y, grid):
    ax = plot.axes(width=8, height=4.5)
    low, middle, high = population.quantiles(grid[:, None], [0.05, 0.5, 0.95])[:, :, 0]
    for member in population:
        ax.plot(grid, member.predict(grid[:, None]), color="#999999", linewidth=0.4)
    ax.fill_between(grid, low, high, color=plot.COLORS[5], alpha=0.4, label="nine in ten networks")
    ax.plot(grid, middle, color=plot.COLORS[0], label="their median")
    ax.plot(grid, np.sin(3 * grid), "--", color=plot.COLORS[2], label="sin 3x")
    ax.plot(x, y, ".", color="black", markersize=4, label="the points")
    ax.set(xlabel="x", ylabel="y", ylim=(-3, 3), title=f"{len(population)} networks of mixed shapes")
    ax.legend(frameon=False, ncols=2, loc="upper center")
    return plot.plain(ax)


if __name__ == "__main__":
    main()
