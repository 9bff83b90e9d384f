"""A diagram of a network that is a graph: a box for each layer, left to right, and lines to the layers that read it.

The column of a layer follows those of all layers that it reads. A line that crosses columns has a place of its own in each
of them, so no line crosses a box. The places of a column are sorted by the mean height of what they are connected to
(Sugiyama et al. 1981).
"""

from itertools import pairwise

from ...network.describing import tensor_names
from ..canvas import COLORS, INK, given_or_new

COLUMN, ROW = 2.0, 0.75  # inches between columns, and between places
BOX = 1.55, 0.56  # inches, of a box
TALLEST = 2.5  # how many times as high boxes are at most, in Axes with room above and below but not beside them
PASSING = 0.5  # the height of the place of a passing line, in those of a box
SWEEPS = 8  # how often the columns are put in order
SMALLEST, LETTER = 4.5, 0.6  # points, below which letters are not legible; the width of one as a part of its size
PAINT = {"Input": "white", "join": "#fdf0e2"}  # of boxes; those of other layers are blue


def graph_diagram(net, ax, room):
    """Draw the graph of a network; room(ax, width, height) scales letters to given Axes."""
    columns, lines = layout(net)
    heights = place_all(columns, lines)
    tall = max(sum(size(item) for item in column) for column in columns)
    width, height = COLUMN * len(columns), ROW * tall + 0.2
    scale = 1.0 if ax is None else room(ax, width, height)
    letters = max(SMALLEST, 8 * scale)
    stretch = 1.0 if ax is None else max(1.0, min(
        ax.get_window_extent().height / ax.figure.dpi / (scale * height), TALLEST,
        max(4.2 * letters / BOX[1], 1.4 * letters / (ROW - BOX[1])) / (72 * scale)))  # as much as three lines need
    ax, height, row = given_or_new(ax, width=width, height=height), height * stretch, ROW * stretch
    box = BOX[0], BOX[1] * stretch
    ax.set(xlim=(0, width), ylim=(-height / 2, height / 2), aspect="equal")
    ax.axis("off")
    where = {item: (COLUMN * (k + 0.5), row * heights[item]) for k, column in enumerate(columns) for item in column}
    for line in lines:
        draw_line(ax, [where[item] for item in line])
    between = 1.3 * letters <= 72 * scale * (row - box[1])  # whether the name of an output fits between two boxes
    lowest = {column[-1] for column in columns}
    outputs = dict(zip(net.wiring.outputs, net.graph.outputs, strict=True))
    steps = [*[None] * net.wiring.inputs, *net.wiring.steps]
    texts = [lines_of(*each) for each in zip(steps, tensor_names(net.graph), net.shapes, strict=True)]
    longest, most = max(len(line) for lines in texts for line in lines), max(map(len, texts))
    fitting = max(SMALLEST, min(7.5, 72 * scale * box[0] / (LETTER * (longest + 1)), 72 * scale * box[1] / (1.3 * most)))
    for tensor, (step, lines) in enumerate(zip(steps, texts, strict=True)):
        (x, y), below = where[tensor], between or tensor in lowest
        draw_box(ax, (x, y), box, step, lines, scale, fitting, None if below else outputs.get(tensor))
        if below and tensor in outputs:
            ax.text(x, y - box[1] / 2 - 0.03, outputs[tensor], ha="center", va="top", fontsize=letters, color=COLORS[0])
    return ax


def layout(net):
    """Return (columns, lines): the items of each column, and the items that each line goes through.

    An item is the number of a tensor, or (line, column) where a line passes.
    """
    wiring = net.wiring
    depth = [0] * wiring.inputs
    for step in wiring.steps:
        depth.append(1 + max(depth[tensor] for tensor in step.reads))
    columns, lines = [[] for _ in range(1 + max(depth))], []
    for tensor, column in enumerate(depth):
        columns[column].append(tensor)
    for number, step in enumerate(wiring.steps, wiring.inputs):
        for tensor in dict.fromkeys(step.reads):
            passing = [(len(lines), column) for column in range(depth[tensor] + 1, depth[number])]
            for item in passing:
                columns[item[1]].append(item)
            lines.append([tensor, *passing, number])
    return columns, lines


def size(item):
    """Return the height of an item, in rows."""
    return PASSING if isinstance(item, tuple) else 1.0


def place_all(columns, lines):
    """Order the items of each column, in place; return the height of the middle of each, in rows."""
    around = {}
    for line in lines:
        for before, after in pairwise(line):
            around.setdefault(before, []).append(after)
            around.setdefault(after, []).append(before)
    heights = {}
    for column in columns:
        spread(column, heights)
    for sweep in range(SWEEPS):
        for column in columns[::-1] if sweep % 2 else columns:
            column.sort(key=lambda item: -sum(heights[other] for other in around[item]) / len(around[item]))
            spread(column, heights)
    return heights


def spread(column, heights):
    """Stack the items of a column around height 0, the first on top."""
    top = sum(map(size, column)) / 2
    for item in column:
        heights[item] = top - size(item) / 2
        top -= size(item)


def draw_line(ax, places):
    """Draw a line through places, level at each of them, with an arrow at the end."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    (x, y), points, half = places[0], [], BOX[0] / 2
    points.append((x + half, y))
    for x, y in places[1:-1]:
        points += [(x - half / 2, y), (x + half / 2, y)]
    points.append((places[-1][0] - half, places[-1][1]))
    vertices, codes = [points[0]], [Path.MOVETO]
    for number, ((x, y), (x_next, y_next)) in enumerate(pairwise(points)):
        if number % 2:  # the level part at a place in between
            vertices.append((x_next, y_next))
            codes.append(Path.LINETO)
            continue
        bend = (x_next - x) / 2
        vertices += [(x + bend, y), (x_next - bend, y_next), (x_next, y_next)]
        codes += [Path.CURVE4] * 3
    ax.add_patch(FancyArrowPatch(path=Path(vertices, codes), arrowstyle="-|>", mutation_scale=8, color=INK, linewidth=0.9,
                                 fill=False, zorder=1, shrinkA=0, shrinkB=0))


def kind_of(step):
    return "Input" if step is None else type(step.layer).__name__


def lines_of(step, name, shape):
    """Return what the box of an input (step None) or a layer says: its name, kind and activation, the shape of a sample."""
    kind = kind_of(step)
    activation = "" if step is None or step.layer.activation == "identity" else f" {step.layer.activation}"
    sizes = " × ".join("steps" if n is None else str(n) for n in shape)
    return [*([] if name == kind else [name]), f"{kind}{activation}", sizes]


def draw_box(ax, place, box, step, lines, scale, size, output=None):
    """Draw the box of an input (step None) or a layer with lines of text, as much of them as fits at a size of letters.

    output: the name of the output that it is, to stand in the box instead, since there is no place below it.
    """
    from matplotlib.patches import FancyBboxPatch

    color = PAINT.get("join" if step is not None and step.layer.joins else kind_of(step), "#e8f1fa")
    (x, y), (width, height) = place, box
    ax.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
                                facecolor=color, edgecolor=INK, linewidth=0.9, zorder=2))
    lines = lines if output is None else [output]
    fitting = int(72 * width * scale / (LETTER * size))  # letters of a line
    lines = [line if len(line) <= fitting else line[:max(1, fitting - 1)] + "…" for line in lines]
    if 1.3 * len(lines) * size > 72 * height * scale:  # the kind alone, or nothing, where more does not fit
        lines = lines[-2:-1] or lines if 1.3 * size <= 72 * height * scale else []
    ax.text(x, y, "\n".join(lines), ha="center", va="center", linespacing=1.25, zorder=3, fontsize=size,
            color="black" if output is None else COLORS[0])
