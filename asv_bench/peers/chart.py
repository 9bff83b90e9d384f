"""The chart of ratios: the times of the other libraries relative to fastnn."""

import math

from .libraries import PEERS
from .report import in_threads, of_optimizers, times

TITLES = {"step": "training step", "one_row": "predicting one row", "bulk": "predicting many rows"}
WIDTH, BAR = 11.0, 0.17  # inches: of all, and of a bar's height
GAP = 0.9  # between nets, in bars
NUMBER = 0.15  # how much of a panel's width the number beside a bar takes


def draw(results):
    """Draw a panel for each measure and number of threads, a group of bars for each net, on a logarithmic scale.

    A bar starts at 1, which is fastnn; for a library that is faster it points to the left.

    Returns
    -------
    matplotlib.figure.Figure
    """
    import numpy as np

    from fastnn.plot import COLORS, axes

    threads = list(dict.fromkeys(result.threads for result in results))
    nets = list(dict.fromkeys(result.net for result in results))
    names = [name for name in PEERS if any(name in result.figures for result in results)]
    colors = dict(zip(PEERS, COLORS, strict=False))
    slot = len(names) + GAP
    height = 0.8 + len(threads) * (0.7 + BAR * slot * len(nets))
    panels = np.reshape(axes(len(threads), len(TITLES), WIDTH, height), (len(threads), len(TITLES)))
    for (row, column), ax in np.ndenumerate(panels):
        measure = list(TITLES)[column]
        here = {result.net: result for result in results if result.threads == threads[row]}
        for k, name in enumerate(names):
            ratios = {n * slot + k: here[net].ratio(measure, name) for n, net in enumerate(nets)}
            ratios = {place: ratio for place, ratio in ratios.items() if ratio is not None}
            bars = ax.barh(list(ratios), [ratio - 1 for ratio in ratios.values()], left=1, height=0.86, color=colors[name],
                           label=PEERS[name].title)
            for bar, ratio in zip(bars, ratios.values(), strict=True):
                ax.annotate(times(ratio), (ratio, bar.get_y() + bar.get_height() / 2), (3 if ratio >= 1 else -3, 0),
                            textcoords="offset points", va="center", ha="left" if ratio >= 1 else "right", fontsize=8)
        ax.set_title(f"{TITLES[measure]}, {in_threads(threads[row])}", fontsize=10.5)
        ax.set_yticks([n * slot + (len(names) - 1) / 2 for n in range(len(nets))],
                      [f"{net.shape}\nbatch {net.batch}" for net in nets] if column == 0 else [""] * len(nets))
        ax.set_ylim(slot * len(nets) - GAP, -1)  # the first net on top
        ax.tick_params(axis="y", length=0)
    for column, measure in enumerate(TITLES):
        ratios = [ratio for result in results for name in names if (ratio := result.ratio(measure, name))] or [1]
        for ax in panels[:, column]:
            scale(ax, min(ratios), max(ratios))
    panels[0, 0].figure.suptitle(f"Times as long as fastnn takes ({of_optimizers(results)}, float32)", fontsize=12)
    if names:
        handles, labels = panels[0, 0].get_legend_handles_labels()
        panels[0, 0].figure.legend(handles, labels, loc="outside lower center", ncols=len(names), frameon=False)
    return panels[0, 0].figure


def scale(ax, least, most):
    """Set a logarithmic scale with room for the numbers beside the bars, and a line at 1."""
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = math.log10(min(least, 1)), math.log10(max(most, 2))
    room = (high - low) * NUMBER / (1 - (1 + (low < 0)) * NUMBER)
    ax.set_xscale("log")
    ax.set_xlim(10 ** (low - room * (low < 0)), 10 ** (high + room))
    steps = (1, 2, 5) if high - low < 1.3 else (1,)
    ticks = [step * 10.0**power for power in range(math.floor(low) - 1, math.ceil(high) + 1) for step in steps]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    ax.axvline(1, color="#333333", linewidth=1)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
