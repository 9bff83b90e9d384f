"""Pictures as inline SVG. Colors are variables of the page, so that a picture is light or dark as the page is.

A picture is 420 units wide, and as wide as its place on the page. `Frame` has the axes and converts numbers to positions.
"""

import math
from html import escape

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 12, 36
MOST = 2000  # points of a picture


def brief(value):
    """Return a number in a few characters."""
    if value is None:
        return "–"
    if isinstance(value, float) and not math.isfinite(value):
        return "–"
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.2g}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def ticks(low, high, count=5):
    """Return about `count` round numbers between low and high."""
    step = 10 ** math.floor(math.log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= count + 0.5)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low, high):
    """Return the logarithms of round numbers between 10**low and 10**high: 1, 2 and 5, or powers of ten if they are many."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for factors in ((1, 2, 5), (1,)):
        found = [power + math.log10(factor) for power in powers for factor in factors]
        found = [value for value in found if low <= value <= high]
        if len(found) <= 7:
            break
    return found[::-(-len(found) // 7)]


class Frame:
    """Axes, and what is drawn within.

    x, y: (low, high) of the axes. names: of the axes. log: whether the y axis is logarithmic.
    """

    def __init__(self, title, x, y, names, log=False):
        self.title, self.names, self.log, self.parts = title, names, log, []
        self.x, self.y = widened(*x), widened(*(map(math.log10, y) if log else y))

    def place(self, x, y):
        """Return the position of a point."""
        if self.log:
            y = math.log10(max(y, 1e-300))
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def line(self, xs, ys, kind, dashed=False):
        """Draw a line; kind: the class of its color. Numbers that are not finite are left out."""
        points = " ".join("{:.1f},{:.1f}".format(*self.place(x, y)) for x, y in zip(xs, ys, strict=True)
                          if math.isfinite(x) and math.isfinite(y))
        self.parts.append(f'<polyline class="line {kind}{" dashed" * dashed}" points="{points}"/>')

    def dots(self, xs, ys, kind, radius=1.8):
        """Draw dots."""
        for x, y in zip(xs, ys, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                self.parts.append('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{}"/>'.format(
                    kind, *self.place(x, y), radius))

    def bars(self, edges, heights, kind):
        """Draw the bars of a histogram."""
        for low, high, height in zip(edges[:-1], edges[1:], heights, strict=True):
            (left, top), (right, bottom) = self.place(low, height), self.place(high, 0)
            self.parts.append(rectangle(f"bar {kind}", left, top, max(right - left - 0.6, 0.6), max(bottom - top, 0)))

    def svg(self, legend=()):
        """Return the picture. legend: (text, kind) pairs."""
        grid = []
        for value in ticks(*self.x):
            left, _ = self.place(value, 10 ** self.y[0] if self.log else self.y[0])
            grid.append(f'<text x="{left:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{brief(value)}</text>')
        for value in (log_ticks if self.log else ticks)(*self.y):
            _, top = self.place(self.x[0], 10**value if self.log else value)
            shown = brief(10**value if self.log else value)
            grid.append(f'<path class="grid" d="M{LEFT},{top:.1f}H{WIDTH - RIGHT}"/>'
                        f'<text x="{LEFT - 6}" y="{top + 4:.1f}" text-anchor="end">{shown}</text>')
        across, up = self.names
        grid.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(across)}</text>'
                    f'<text class="name" x="{LEFT}" y="{TOP - 2}">{escape(up)}</text>')
        keys = " &#160; ".join(f'<tspan class="{kind} key">{escape(text)}</tspan>' for text, kind in legend)
        keys = f'<text x="{WIDTH - RIGHT}" y="{TOP - 2}" text-anchor="end">{keys}</text>'  # above the lines
        return picture(self.title, WIDTH, HEIGHT, "".join(grid + self.parts) + keys)


def widened(low, high):
    """Return ends that are not equal, with a little room."""
    room = 0.03 * (high - low) or abs(low) * 0.1 or 1.0
    return low - room, high + room


def rectangle(kind, x, y, width, height):
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def picture(title, width, height, inside):
    """Return an SVG element in a figure."""
    return (f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{escape(title)}">{inside}</svg></figure>')


def horizontal_bars(title, named, form="{:.3g}"):
    """Return bars with their names on the left. named: {name: value}; bars to the left of 0 are negative values.

    form: of the numbers beside the bars.
    """
    row, left = 20, 150
    largest = max([abs(value) for value in named.values()] + [1e-12])
    low = min(0.0, *named.values()) / largest
    wide, inside = WIDTH - left - 62, []
    zero = left + wide * (-low / (1 - low))
    for k, (name, value) in enumerate(named.items()):
        length = wide / (1 - low) * value / largest
        short = name if len(name) <= 22 else f"{name[:21]}…"
        y = 6 + row * k
        inside.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end"><title>{escape(name)}</title>{escape(short)}'
                      f'</text>{rectangle("bar a", min(zero, zero + length), y + 2, max(abs(length), 0.8), row - 6)}'
                      f'<text x="{max(zero, zero + length) + 5:.1f}" y="{y + 12}">{form.format(value)}</text>')
    return picture(title, WIDTH, row * len(named) + 12, "".join(inside))


def heat_map(title, counts, labels, names):
    """Return a square of counts (rows, columns) with labels; a cell is as dark as its share of the row."""
    count, left, top = len(labels), 84, 34
    cell = min(46, (WIDTH - left - 8) / count)
    short = [text if len(text) <= 11 else f"{text[:10]}…" for text in labels]
    small = 1 if cell >= 26 else 0.72
    inside = [f'<text x="{left}" y="12" class="name">{escape(names[1])} →</text>',
              f'<text x="4" y="{top - 6}" class="name">{escape(names[0])} ↓</text>']
    for i, row in enumerate(counts):
        total = max(sum(row), 1)
        y = top + cell * i
        inside.append(f'<text x="{left - 5}" y="{y + cell / 2 + 4:.1f}" text-anchor="end" font-size="{11 * small:.1f}">'
                      f'{escape(short[i])}</text>')
        for j, value in enumerate(row):
            x, share = left + cell * j, value / total
            inside.append(f'<rect class="cell {"a" if i == j else "b"}" x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" '
                          f'height="{cell - 1:.1f}" fill-opacity="{0.06 + 0.9 * share if value else 0.03:.2f}"><title>'
                          f'{escape(labels[i])} predicted as {escape(labels[j])}: {value:,}</title></rect>')
            if value and cell >= 26:
                on = ' class="on"' if share > 0.55 else ""
                inside.append(f'<text{on} x="{x + cell / 2:.1f}" y="{y + cell / 2 + 4:.1f}" text-anchor="middle" '
                              f'font-size="10">{short_count(value)}</text>')
    if cell >= 26:
        inside += [f'<text x="{left + cell * (j + 0.5):.1f}" y="{top - 6}" text-anchor="middle" font-size="9">'
                   f'{escape(text if len(text) <= 7 else text[:6] + "…")}</text>' for j, text in enumerate(labels)]
    return picture(title, WIDTH, top + cell * count + 6, "".join(inside))


def short_count(value):
    return f"{value / 1000:.3g}k" if value >= 10_000 else str(value)


def sparkline(heights):
    """Return a small histogram, without axes."""
    largest = max([*heights, 1e-12])
    width = 120 / max(len(heights), 1)
    bars = "".join(f'<rect class="bar a" x="{width * k:.1f}" y="{24 - 22 * height / largest:.1f}" width="{width - 0.8:.1f}" '
                   f'height="{max(22 * height / largest, 0.5):.1f}"/>' for k, height in enumerate(heights))
    return f'<svg class="spark" viewBox="0 0 120 24" role="img" aria-label="distribution">{bars}</svg>'
