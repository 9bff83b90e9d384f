"""Blocks of channels in the diagram of a network: planes one behind another, for images and series."""

import math

from ..canvas import INK

LEAST_ROWS = 5  # the least height of a diagram with blocks, in rows of circles
DEPTH = 0.42  # how far the last plane of a block is behind the first, as a part of its width, both to the right and up
FLAT = 0.09  # inches: the height of a plane for a feature of a series
SMALL = 0.14  # inches: the least width or height of a plane
SHORTEST = 0.3  # of the largest size, drawn for a size of 1 (sizes are drawn by their square roots)


def block_places(x, middle, shape, most, largest, room):
    """Return the rectangles (left, bottom, width, height) of the planes of a block, the front one last.

    shape: (height, width, channels), or (steps, features). largest: the largest size of any image; room: inches for a block.
    """
    *sizes, channels = shape
    planes = min(channels, most)
    unit = room / (1 + DEPTH)
    width, height = (max(SMALL, unit * math.sqrt(size / largest)) for size in (sizes[-1], sizes[0]))
    if len(sizes) == 1:
        height = FLAT
        up = min(0.12, room / planes)  # flat planes are above one another
        shift = 0.03 if planes > 1 else 0.0
    else:
        up = shift = DEPTH * unit / max(planes - 1, 5)
    whole_width, whole_height = width + shift * (planes - 1), height + up * (planes - 1)
    left, bottom = x - whole_width / 2, middle - whole_height / 2
    return [(left + shift * k, bottom + up * k, width, height) for k in reversed(range(planes))]


def draw_block(ax, planes, color):
    """Draw the planes of a block, from the back to the front."""
    from matplotlib.patches import Rectangle

    for left, bottom, width, height in planes:
        ax.add_patch(Rectangle((left, bottom), width, height, facecolor=color, edgecolor=INK, linewidth=0.7, zorder=2))


def draw_window(ax, layer, shape, before, behind):
    """Draw the window of a layer on the front of a block, and lines from it to a pixel of the next block.

    Layers without windows have one line between the blocks.
    """
    from matplotlib.patches import Rectangle

    front, target = before[-1], behind[-1]
    kernel = window_of(layer, shape)
    if kernel is None:
        draw_lines(ax, [((front[0] + front[2], center(front)[1]), (target[0], center(target)[1]))])
        return
    share = [min(1.0, size / whole) for size, whole in zip(kernel, shape[:-1], strict=True)]
    width, height = front[2] * share[-1], front[3] * share[0]
    left = front[0] + 0.6 * (front[2] - width)
    bottom = front[1] + (0.6 * (front[3] - height) if len(share) == 2 else 0.0)
    ax.add_patch(Rectangle((left, bottom), width, height, facecolor="none", edgecolor=INK, linewidth=0.9, zorder=3))
    point = target[0] + 0.35 * target[2], target[1] + 0.6 * target[3]
    draw_lines(ax, [((left + width, bottom), point), ((left + width, bottom + height), point)])
    ax.plot(*point, marker="s", markersize=1.8, color=INK, zorder=3)


def draw_join(ax, before, behind):
    """Draw lines between a block and the circles of a column."""
    block, column = (before, behind) if isinstance(before, list) else (behind, before)
    front, back = block[-1], block[0]
    if block is before:
        ends = [(back[0] + back[2], back[1] + back[3]), (back[0] + back[2], back[1])]
    else:
        ends = [(front[0], front[1] + front[3]), (front[0], front[1])]
    points = list(column.values())
    draw_lines(ax, [*zip(ends, (points[0], points[-1]), strict=True)])


def draw_lines(ax, lines):
    from matplotlib.collections import LineCollection

    ax.add_collection(LineCollection(lines, colors=INK, linewidths=0.7, zorder=3), autolim=False)


def center(rectangle):
    left, bottom, width, height = rectangle
    return left + width / 2, bottom + height / 2


def window_of(layer, shape):
    """Return the sizes of the window of a layer in the pixels of its input, or None if it has none."""
    kernel = getattr(layer, "kernel_size", None)
    if kernel is None or getattr(layer, "transposed", False):
        return (1,) * (len(shape) - 1) if kernel is not None else None
    return kernel if isinstance(kernel, tuple) else (kernel,) * (len(shape) - 1)
