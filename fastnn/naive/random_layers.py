"""Random layers as pure Python loops."""

import math
from itertools import count

from ..kernels.layers.randomness.dropout import GAMMA
from .convolution import Images, images_of
from .dropout import WORD, mix
from .records import each_number, shape, to_lists
from .rungs import check_images

Range = tuple[int, int]


def views(batch: int, size: Range, down: Range, across: Range, mirrors: tuple[bool, bool], word: int):
    """Yield for each sample the rows and the columns of its view, drawn from `word`."""
    begin = mix(word)
    for i in range(batch):
        draws = [mix((begin + (4 * i + k + 1) * GAMMA) & WORD) >> 32 for k in range(4)]
        seen = []
        for axis, (least, most) in enumerate((down, across)):
            start = least + (draws[axis] * (most - least + 1) >> 32)
            line = range(start, start + size[axis])
            seen.append(line[::-1] if mirrors[axis] and draws[2 + axis] < 2**31 else line)
        yield seen


def random_view_forward(x: Images, size: Range, down: Range, across: Range, mirrors: tuple[bool, bool], word: int) -> Images:
    """Take a random view of each image: a crop, possibly flipped, with zeros outside the image.

    Sample i draws four numbers, the upper 32 bits of mix(mix(word) + (4 i + k + 1) γ) for k = 0 … 3. They determine the
    first row, the first column, and whether rows and columns are in reverse order.

    Parameters
    ----------
    x : (batch, height, width, channels)
    size : (int, int)
        Height and width of the view.
    down, across : (int, int)
        The least and the largest first row, and first column, of the view.
    mirrors : (bool, bool)
        Whether rows, and columns, may be in reverse order.
    word : int
        A 64-bit integer.

    Returns
    -------
    a : (batch, *size, channels)

    Examples
    --------
    >>> random_view_forward([[[[1.0], [2.0], [3.0]]]], (1, 2), (0, 0), (1, 1), (False, False), word=5)
    [[[[2.0], [3.0]]]]
    """
    x = to_lists(x)
    batch, height, width, channels = check_images("x", shape(x))
    a = images_of([0.0] * channels, batch, *size)
    for n, (rows, columns) in enumerate(views(batch, size, down, across, mirrors, word)):
        for r, row in enumerate(rows):
            for c, column in enumerate(columns):
                if 0 <= row < height and 0 <= column < width:
                    a[n][r][c] = x[n][row][column]
    return a


def random_view_backward(da: Images, shape_of_x: tuple[int, int], down: Range, across: Range, mirrors: tuple[bool, bool],
                         word: int) -> Images:
    """Compute the gradient of `random_view_forward` from da. shape_of_x: the height and width of x."""
    da = to_lists(da)
    batch, *size, channels = check_images("da", shape(da))
    height, width = shape_of_x
    dx = images_of([0.0] * channels, batch, height, width)
    for n, (rows, columns) in enumerate(views(batch, tuple(size), down, across, mirrors, word)):
        for r, row in enumerate(rows):
            for c, column in enumerate(columns):
                if 0 <= row < height and 0 <= column < width:
                    dx[n][row][column] = da[n][r][c]
    return dx


def gaussian_noise_forward(x, deviation: float, word: int):
    """Add deviation · n to each element, n = √(−2 ln u) cos 2πv drawn from `word` (Box and Muller 1958).

    Element e in C order draws mix(mix(word) + (e + 1) γ). u = (its upper 32 bits + ½) / 2³², v = its lower 32 bits / 2³².

    Parameters
    ----------
    x : (batch, features), or any other shape
    deviation : float
    word : int
        A 64-bit integer.

    Returns
    -------
    a : the shape of x
    """
    begin, places = mix(word), count(1)

    def add(number):
        bits = mix((begin + next(places) * GAMMA) & WORD)
        u, v = ((bits >> 32) + 0.5) / 2**32, (bits & 0xFFFFFFFF) / 2**32
        return number + deviation * math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)

    return each_number(add, to_lists(x))
