"""Samples as pictures, and sheets of many small pictures.

A picture is (height, width), drawn in gray, or (height, width, 3), red, green and blue. A sheet is one array with all of
them in rows, separated by NaN or white.
"""

import math

import numpy as np

from ..checks import shown, whole_number


def as_picture(sample, limits=None):
    """Return a sample (height, width, channels) as a picture with numbers from 0 to 1.

    One channel is gray and three are red, green and blue. Of any other number of channels the mean is drawn. uint8 is
    divided by 255, numbers from 0 to 1 are kept, and others are scaled so that `limits`, by default the smallest and the
    largest number, become 0 and 1.
    """
    low, high = limits or limits_of(sample)
    picture = np.clip((sample.astype(np.float64) - low) / (high - low), 0, 1)
    return picture if picture.shape[-1] == 3 else picture.mean(axis=-1)


def limits_of(samples):
    """Return the numbers of samples that are drawn as black and as white."""
    if samples.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(samples.min()), float(samples.max())
    if 0 <= low and high <= 1:
        return 0.0, 1.0
    return (low, high) if low < high else (low - 1, low + 1)


def columns_for(count, height, width):
    """Return how many columns make a sheet of `count` pictures about as wide as high."""
    return max(1, min(count, math.ceil(math.sqrt(count * height / width))))


def sheet(pictures, columns):
    """Return pictures (count, height, width, …) in rows of `columns`, separated by a pixel of NaN."""
    count, height, width, *colors = pictures.shape
    rows = -(-count // columns)
    made = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, *colors), np.nan)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        made[top:top + height, left:left + width] = picture
    return made


def pixels_shape(name, shape, features, whose):
    """Return (height, width) of an image with as many pixels as there are features, given by the caller as `shape`."""
    if not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise ValueError(f"{name} is {shown(shape)}; it must be (height, width)")
    height, width = (whole_number(name, side) for side in shape)
    if height * width != features:
        raise ValueError(f"{name} {height} × {width} has {height * width} pixels; {whose} has {features} inputs")
    return height, width


def numbered(what, count, drawn):
    """Return a label for channels in a sheet, such as "filters 0 … 15, row by row"."""
    rest = f" of {count}" if drawn < count else ""
    return f"{what} 0 … {drawn - 1}{rest}, row by row" if drawn > 1 else f"{what} 0{rest}"


def without_ticks(ax):
    """Remove the ticks of both axes."""
    ax.set_xticks([])
    ax.set_yticks([])
    return ax
