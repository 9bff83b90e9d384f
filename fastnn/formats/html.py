"""Networks and histories as HTML, for notebooks: tables and an SVG curve, without scripts or dependencies."""

import math
from html import escape

CELL = 'style="text-align:{};padding:2px 12px;white-space:nowrap"'
CAPTION = 'style="caption-side:bottom;text-align:left;padding:2px 12px"'
WIDTH, HEIGHT, LEFT, BELOW = 360, 150, 56, 22  # of a picture, in pixels, with space for labels on the left and below
TRAINING, VALIDATION = "#0072B2", "#D55E00"  # colors that color-blind readers can distinguish (Okabe and Ito 2008)


def table(head, rows, foot=""):
    """Return a table with the first column aligned left and the others right; all text is escaped."""
    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag} {CELL.format('right' if k else 'left')}>{escape(str(cell))}</{tag}>"
                                for k, cell in enumerate(cells)) + "</tr>"

    caption = f"<caption {CAPTION}>{escape(foot)}</caption>" if foot else ""
    return (f'<table>{caption}<thead>{line(head, "th")}</thead>'
            f'<tbody>{"".join(line(row, "td") for row in rows)}</tbody></table>')


def history_html(history):
    """Return a table of the last and the best value of each metric, and the curve of the loss or of the first metric."""
    if not history.epochs:
        return "<p>no epochs recorded</p>"
    rows = [(name, f"{values[-1]:.4g}", *best(name, values)) for name, values in history.items()]
    name = "loss" if "loss" in history else next(iter(history))
    curves = {key: history[key] for key in (name, f"val_{name}") if key in history}
    return table(("metric", "last", "best", "in epoch"), rows, f"{len(history.epochs)} epochs") + curve(curves)


def best(name, values):
    """Return the smallest loss or the largest value of another metric, and its epoch, from 1; dashes if none is finite."""
    finite = [(value, epoch) for epoch, value in enumerate(values, 1) if math.isfinite(value)]
    if not finite:
        return "–", "–"
    sign = 1 if name.endswith("loss") else -1
    value, epoch = min(finite, key=lambda pair: sign * pair[0])
    return f"{value:.4g}", str(epoch)


def curve(series):
    """Return an SVG picture of lists of numbers by name, one number for each epoch; logarithmic if all are positive.

    The first curve is solid, the others are dashed. Numbers that are not finite leave a gap.
    """
    finite = [value for values in series.values() for value in values if math.isfinite(value)]
    if not finite:
        return ""
    least, largest = min(finite), max(finite)
    scale = math.log if least > 0 else float
    low, span = scale(least), (scale(largest) - scale(least)) or 1.0
    epochs = max(map(len, series.values()))

    def point(epoch, value):
        x = LEFT + (WIDTH - LEFT - 8) * epoch / max(1, epochs - 1)
        y = 10 + (HEIGHT - BELOW - 16) * (1 - (scale(value) - low) / span)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(" and ".join(series))} by epoch" '
             f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11" fill="currentColor">',
             f'<path d="M{LEFT},4V{HEIGHT - BELOW}H{WIDTH}" fill="none" stroke="currentColor" opacity="0.4"/>']
    for place, (name, values) in enumerate(series.items()):
        color, dash = (VALIDATION, ' stroke-dasharray="5 3"') if place else (TRAINING, "")
        for stretch in stretches(values):
            points = " ".join(point(epoch, values[epoch]) for epoch in stretch)
            if len(stretch) == 1:
                x, y = points.split(",")
                parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{color}"/>')
            else:
                parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"{dash}/>')
        parts.append(f'<text x="{WIDTH - 8}" y="{16 + 14 * place}" text-anchor="end" fill="{color}">{escape(name)}</text>')
    ticks = {largest: 14, least: HEIGHT - BELOW - 2} if largest > least else {least: HEIGHT - BELOW - 2}
    parts += [f'<text x="{LEFT - 6}" y="{y}" text-anchor="end">{value:.3g}</text>' for value, y in ticks.items()]
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">1</text><text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 6}" '
                 f'text-anchor="middle">epoch</text>')
    if epochs > 1:
        parts.append(f'<text x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{epochs}</text>')
    return "".join([*parts, "</svg>"])


def stretches(values):
    """Return the runs of consecutive epochs, from 0, with finite values, a list of numbers each."""
    found = [[]]
    for epoch, value in enumerate(values):
        if math.isfinite(value):
            found[-1].append(epoch)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]
