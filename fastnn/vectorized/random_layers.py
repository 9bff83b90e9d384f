"""Random layers in NumPy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.layers.randomness.dropout import GAMMA
from ..naive.rungs import check_images
from .dropout import mix
from .records import real

Range = tuple[int, int]


def draws(count: int, word: int) -> NDArray:
    """Return `count` 64-bit numbers drawn from `word`."""
    return mix(mix(np.array([word], np.uint64)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA))


def places(batch: int, size: Range, down: Range, across: Range, mirrors: tuple[bool, bool], word: int):
    """Return the rows (batch, size[0]) and the columns (batch, size[1]) of the view of each sample."""
    drawn = (draws(4 * batch, word) >> np.uint64(32)).reshape(batch, 4)
    seen = []
    for axis, (least, most) in enumerate((down, across)):
        start = least + ((drawn[:, axis] * np.uint64(most - least + 1)) >> np.uint64(32)).astype(np.int64)
        line = start[:, None] + np.arange(size[axis])
        reverse = mirrors[axis] & (drawn[:, 2 + axis] < 2**31)
        seen.append(np.where(reverse[:, None], line[:, ::-1], line))
    return seen


def random_view_forward(x: ArrayLike, size: Range, down: Range, across: Range, mirrors: tuple[bool, bool],
                        word: int) -> NDArray:
    """Take a random view of each image: a crop, possibly flipped, with zeros outside the image.

    Arguments are those of `fastnn.naive.random_view_forward`.

    Examples
    --------
    >>> random_view_forward([[[[1.0], [2.0], [3.0]]]], (1, 2), (0, 0), (1, 1), (False, False), word=5).tolist()
    [[[[2.0], [3.0]]]]
    """
    x = real(x)
    batch, height, width, _ = check_images("x", x.shape)
    rows, columns = places(batch, size, down, across, mirrors, word)
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    seen = x[np.arange(batch)[:, None, None], rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None]]
    return np.where(inside[..., None], seen, 0)


def random_view_backward(da: ArrayLike, shape_of_x: tuple[int, int], down: Range, across: Range, mirrors: tuple[bool, bool],
                         word: int) -> NDArray:
    """Compute the gradient of `random_view_forward` from da. shape_of_x: the height and width of x."""
    da = real(da)
    batch, *size, channels = check_images("da", da.shape)
    height, width = shape_of_x
    dx = np.zeros((batch, height, width, channels), da.dtype)
    for n, (rows, columns) in enumerate(zip(*places(batch, tuple(size), down, across, mirrors, word), strict=True)):
        r, c = np.flatnonzero((rows >= 0) & (rows < height)), np.flatnonzero((columns >= 0) & (columns < width))
        dx[n][np.ix_(rows[r], columns[c])] = da[n][np.ix_(r, c)]
    return dx


def gaussian_noise_forward(x: ArrayLike, deviation: float, word: int) -> NDArray:
    """Add deviation · n to each element, with n drawn from `word`: see `fastnn.naive.gaussian_noise_forward`."""
    x = real(x)
    bits = draws(x.size, word).reshape(x.shape)
    u, v = ((bits >> np.uint64(32)) + 0.5) / 2**32, (bits & np.uint64(0xFFFFFFFF)) / 2**32
    return x + (deviation * np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)).astype(x.dtype)
