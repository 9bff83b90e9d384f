"""A picture of a computation graph: boxes in columns, from the inputs on the left to the result on the right."""

from ..checks import shown
from .table import formula_of, names
from .value import Value, a_node, topological_order

# in inches
LINE, PADDING, COLUMN_GAP, ROW_GAP, MARGIN, CHARACTER = 0.17, 0.07, 0.4, 0.16, 0.08, 0.088
FONT_SIZE = 9  # points, as wide as CHARACTER
INPUT, COMPUTED, DERIVATIVE, EDGE = "#e8f1fa", "#ffffff", "#c0392b", "#8a949e"


def draw(root: Value, ax=None):
    """Draw a graph, each node as a box with its formula, its value and, in red, the derivative of `root` with respect to it.

    Calls `root.backward()` first.

    Parameters
    ----------
    root : Value
    ax : matplotlib.axes.Axes, optional
        The Axes to draw on; by default those of a new figure of suitable size.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.axes import Axes
        from matplotlib.patches import FancyBboxPatch
    except ImportError as error:
        raise ImportError('drawing a graph needs Matplotlib; install it with: pip install "fastnn-numba[plot]"') from error

    if ax is not None and not isinstance(ax, Axes):
        raise ValueError(f"ax is {shown(ax)}; it must be one Axes, such as plt.subplots()[1], or None for a new Figure")
    a_node("root", root).backward()
    nodes = topological_order(root)
    columns = layered(nodes)
    name = names(nodes)
    lines = {node: text(node, name, name[root]) for node in nodes}
    height = 3 * LINE + 2 * PADDING
    widths = [max(len(line) for node in column for line in lines[node]) * CHARACTER + 2 * PADDING for column in columns]
    figure_width = sum(widths) + COLUMN_GAP * (len(columns) - 1) + 2 * MARGIN
    figure_height = max(map(len, columns)) * (height + ROW_GAP) + ROW_GAP
    if ax is None:
        ax = plt.figure(figsize=(figure_width, figure_height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, figure_width), ylim=(0, figure_height), aspect="equal")
    ax.axis("off")
    room = ax.get_window_extent().size / ax.figure.dpi
    font_size = FONT_SIZE * min(room[0] / figure_width, room[1] / figure_height)  # boxes shrink with the axes: so do letters

    box = {}  # node: left, right and middle height of its box
    left = MARGIN
    for column, width in zip(columns, widths, strict=True):
        for place, node in enumerate(column):
            y = figure_height * (1 - (place + 0.5) / len(column))
            box[node] = left, left + width, y
            ax.add_patch(FancyBboxPatch((left, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.06",
                                        facecolor=COMPUTED if node.inputs else INPUT, edgecolor="#44505c", linewidth=0.9))
            for line, (content, color) in enumerate(zip(lines[node], ("black", "black", DERIVATIVE), strict=True)):
                ax.text(left + width / 2, y + (1 - line) * LINE, content, color=color, ha="center", va="center",
                        fontsize=font_size, family="monospace")
        left += width + COLUMN_GAP
    for node in nodes:
        for source, _ in node.inputs:
            ax.annotate("", (box[node][0], box[node][2]), (box[source][1], box[source][2]), zorder=0,
                        arrowprops={"arrowstyle": "-|>", "color": EDGE, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0})
    return ax


def text(node, name, root):
    """Return the three lines in the box of a node."""
    formula = formula_of(node, name)
    title = f"{name[node]} = {formula}" if 0 < len(formula) <= 12 else name[node]
    return title, f"{node.value:.4g}", f"d{root}/d{name[node]} = {node.derivative:.4g}"


def layered(nodes: list[Value]) -> list[list[Value]]:
    """Return the nodes in columns: a node to the right of all its inputs, an input of the graph next to its first use."""
    used_by = {node: [] for node in nodes}
    for node in nodes:
        for source, _ in node.inputs:
            used_by[source].append(node)
    layer = {}
    for node in nodes:
        layer[node] = max((layer[source] + 1 for source, _ in node.inputs), default=0)
    for node in nodes:
        if not node.inputs and used_by[node]:
            layer[node] = min(layer[user] for user in used_by[node]) - 1
    columns = [[node for node in nodes if layer[node] == place] for place in range(max(layer.values()) + 1)]

    # From right to left, each node gets the mean height of the nodes that use it, so that few edges cross.
    height = {nodes[-1]: 0.5}
    for column in reversed(columns[:-1]):
        column.sort(key=lambda node: sum(height[user] for user in used_by[node]) / len(used_by[node]))
        height |= {node: (place + 0.5) / len(column) for place, node in enumerate(column)}
    return columns
