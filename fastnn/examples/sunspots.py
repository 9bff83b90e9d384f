"""Sunspots: the next eleven years are predicted at once, by a GRU, by a linear model and by repetition.

The numbers of 1700 to 2008 come with the package. Two periods are predicted, from each of their years the next eleven, by
models of the years before the period: 1850 to 1949, by which the settings were chosen, and 1950 to 2008. Repetition, the
seasonal naive forecast, says what was eleven years ago, the length of a cycle of the sun. The linear model is ridge
regression on the years before, for each of the eleven years ahead. The network is the mean of some, each from another seed.

In the period of the choice the network is ahead of the linear model, and in the other, which has the highest numbers ever
counted, behind both. So few numbers are a task for a linear model; compare with one before you trust a network.

Numbers are predicted as square roots, whose spread is about the same in high and in low years.
"""

import time

import numpy as np

from .. import GRU, AdamW, CosineDecay, Dense, GaussianNoise, Network, plot, windows
from ..datasets import sunspots
from . import options

LAGS, AHEAD, CYCLE = 22, 11, 11
PERIODS = (1850, 1950), (1950, 2009)
LINEAR_LAGS, RIDGE = 11, 30.0
SEEDS, EPOCHS, BATCH_SIZE = 5, 25, 32


def main(argv=None):
    parsed = options("sunspots", __doc__, quick="one seed, not five").parse_args(argv)
    years, numbers = sunspots()
    seeds = 1 if parsed.quick else SEEDS
    begin, found = time.perf_counter(), {}
    for first, end in PERIODS:
        forecasts, true = forecasts_of(years[years < end], numbers[years < end], first, seeds)
        errors = {name: np.sqrt(((forecast - true) ** 2).mean(axis=0)) for name, forecast in forecasts.items()}
        found[first] = {name: float(error.mean()) for name, error in errors.items()}
        print(f"{first} to {end - 1}, {len(true)} forecasts: root mean square error, by the years ahead")
        print(f"{'':12}{''.join(f'{ahead:6}' for ahead in range(1, AHEAD + 1))}   mean")
        for name, error in errors.items():
            print(f"{name:12}{''.join(f'{each:6.1f}' for each in error)}{error.mean():7.1f}")
        print()
    print(f"{seeds * len(PERIODS)} networks in {time.perf_counter() - begin:.1f} s")
    print(plot.save_picture(parsed.picture, lambda: draw(years, numbers, first, forecasts, errors)))
    return found


def forecasts_of(years, numbers, first, seeds):
    """Return the forecasts of the years from `first` on, {model: (forecasts, years ahead)}, and the true numbers."""
    learned, behind = years < first, years >= first - LAGS
    roots = np.sqrt(numbers)
    mean, scale = roots[learned].mean(), roots[learned].std()
    series = (roots - mean) / scale
    (X, Y), (X_test, _), (_, true) = (windows(each, LAGS, ahead=AHEAD)
                                      for each in (series[learned], series[behind], numbers[behind]))

    def as_numbers(forecast):
        return np.maximum(forecast * scale + mean, 0) ** 2

    return {
        "repetition": as_numbers(X_test.to_padded()[:, -CYCLE:][:, :AHEAD]),
        "linear": as_numbers(linear(X, Y, X_test)),
        "GRU": np.mean([as_numbers(trained(X, Y, seed).predict(X_test)) for seed in range(seeds)], axis=0),
    }, true


def linear(X, Y, X_test):
    """Return the forecasts of ridge regression on the last lags, with a constant."""
    X, X_test = (np.c_[each.to_padded()[:, -LINEAR_LAGS:], np.ones(len(each))] for each in (X, X_test))
    return X_test @ np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ Y)


def trained(X, Y, seed):
    # without noise and an early end, so few years are learned by heart
    net = Network([GaussianNoise(0.1), GRU(16), Dense(AHEAD)], inputs=(None, 1), seed=seed)
    rate = CosineDecay(1e-2, steps=EPOCHS * -(-len(X) // BATCH_SIZE))
    net.fit(X, Y, epochs=EPOCHS, batch_size=BATCH_SIZE, optimizer=AdamW(learning_rate=rate, weight_decay=1e-2))
    return net


def draw(years, numbers, first, forecasts, errors):
    """Draw some forecasts over the years, and the errors by the years ahead."""
    upper, lower = plot.axes(2, 1, width=9, height=7)
    shown = years >= first - 2 * CYCLE
    upper.plot(years[shown], numbers[shown], color="black", linewidth=1, label="counted")
    for start in range(0, len(forecasts["GRU"]), CYCLE):
        upper.axvline(first + start - 0.5, color="lightgray", linewidth=0.8, zorder=0)
        for color, (name, forecast) in zip(plot.COLORS, forecasts.items(), strict=False):
            upper.plot(first + start + np.arange(AHEAD), forecast[start], color=color, marker=".",
                       label=None if start else name)
    upper.set(xlabel="year", ylabel="sunspots", title=f"Forecasts of {AHEAD} years, each from the years before its line")
    upper.legend(frameon=False, ncols=4, loc="upper left")
    upper.set_ylim(top=1.2 * numbers.max())
    for color, marker, (name, error) in zip(plot.COLORS, plot.MARKERS, errors.items(), strict=False):
        lower.plot(np.arange(1, AHEAD + 1), error, color=color, marker=marker, label=name)
    lower.set_xticks(np.arange(1, AHEAD + 1))
    lower.set(xlabel="years ahead", ylabel="root mean square error", ylim=(0, None),
              title=f"Error of {len(forecasts['GRU'])} forecasts from {first} on")
    lower.legend(frameon=False)
    return upper


if __name__ == "__main__":
    main()
