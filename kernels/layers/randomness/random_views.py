"""Random shifts, crops and flips of images in training, drawn for each sample.

a[r, c] = x[down + r, across + c], with rows and columns possibly in reverse order, and 0 outside x

x, dx (batch, height, width, channels); a, da (batch, out_height, out_width, channels); C-contiguous. Sample i of a step
draws the numbers mix(mix(word) + (4 i + k + 1) γ) >> 32, k = 0 … 3 (see dropout). The first two give `down` and `across`,
uniform in least … least + count − 1; the others decide whether rows and columns are in reverse order. Prediction draws
nothing and uses the center. Backward draws the same numbers again. Each part computes its own samples.
"""

from functools import partial

import numpy as np

from ...compiling.jit import Kernel, jit, view
from ...compiling.record import INTEGERS, UNSIGNED
from ...compiling.share import share
from ...interpreter.table import Kind
from .dropout import GAMMA, mix, word_of

RANDOM_VIEW = Kind(
    "random_view", "x", "a", "da", "dx", "height", "width", "channels", "out_height", "out_width",
    "least_down", "count_down", "least_across", "count_across", "mirrors_rows", "mirrors_columns",
    word=INTEGERS, ahead=UNSIGNED,
)


@jit(inline=True)
def drawn(begin, sample, which):
    """Return random number `which` of a sample, 32 bits."""
    return mix(begin + np.uint64(4 * sample + which + 1) * np.uint64(GAMMA)) >> np.uint64(32)


@jit(inline=True)
def one_of(draw, least, count):
    """Return an integer in least … least + count − 1."""
    return least + np.int64((draw * np.uint64(count)) >> np.uint64(32))


@jit(inline=True)
def view_of(row, word, sample):
    """Return the view of a sample: its first row and column of x, and the steps to the next row and column."""
    begin, half = mix(word), np.uint64(1 << 31)
    down = one_of(drawn(begin, sample, 0), row.least_down, row.count_down)
    across = one_of(drawn(begin, sample, 1), row.least_across, row.count_across)
    flip_rows = row.mirrors_rows != 0 and drawn(begin, sample, 2) < half
    flip_columns = row.mirrors_columns != 0 and drawn(begin, sample, 3) < half
    if flip_rows:
        down += row.out_height - 1
    if flip_columns:
        across += row.out_width - 1
    return down, across, -1 if flip_rows else 1, -1 if flip_columns else 1


def build_copy(dtype, backward):
    def copy_views(row, call, part, parts):
        """a[r, c] = x[down ± r, across ± c], or backward dx[down ± r, across ± c] = da[r, c], with zeros elsewhere."""
        channels, word = row.channels, word_of(row)
        image_size, seen_size = row.height * row.width * channels, row.out_height * row.out_width * channels
        images, views = (row.dx, row.da) if backward else (row.x, row.a)
        begin, end = share(call.batch, part, parts, 1)
        for i in range(begin, end):
            down, across, row_step, column_step = view_of(row, word, call.first + i)
            image = view(call.arena, images + i * image_size, image_size)
            seen = view(call.arena, views + i * seen_size, seen_size)
            if backward:
                image[:] = 0
            for r in range(row.out_height):
                y = down + row_step * r
                for c in range(row.out_width):
                    x, place = across + column_step * c, (r * row.out_width + c) * channels
                    if 0 <= y < row.height and 0 <= x < row.width:
                        pixel = (y * row.width + x) * channels
                        for k in range(channels):
                            if backward:
                                image[pixel + k] = seen[place + k]
                            else:
                                seen[place + k] = image[pixel + k]
                    elif not backward:
                        for k in range(channels):
                            seen[place + k] = 0

    return copy_views


random_view_forward = Kernel("random_view_forward", partial(build_copy, backward=False), RANDOM_VIEW.arguments)
random_view_backward = Kernel("random_view_backward", partial(build_copy, backward=True), RANDOM_VIEW.arguments)


def random_view_row(dtype, parts, shape, size, *, down, across, mirrors=(False, False), word, ahead=0, x=0, a=0,
                    da=0, dx=None):
    """Return the row of random views.

    shape: (height, width, channels); size: (out_height, out_width); down, across: (least, most) first row and
    column; mirrors: whether rows and columns may be in reverse order; word: address of a 64-bit integer; ahead: what is
    added to it; dx: None if it is not needed.
    """
    phases = {"forward": (random_view_forward.address(dtype), parts)}
    if dx is not None:
        phases["backward_second"] = random_view_backward.address(dtype), parts
    (height, width, channels), (out_height, out_width) = shape, size
    return RANDOM_VIEW.row(
        phases, x=x, a=a, da=da or 0, dx=dx or 0, height=height, width=width, channels=channels, out_height=out_height,
        out_width=out_width, least_down=down[0], count_down=down[1] - down[0] + 1, least_across=across[0],
        count_across=across[1] - across[0] + 1, mirrors_rows=mirrors[0], mirrors_columns=mirrors[1], word=word,
        ahead=ahead,
    )
