"""Checks of X, the features of samples."""

import math
import os

import numpy as np

from .arrays import any_array, check_finite, real_array


def features(X, shape, dtype, *, least=1, finite=True):
    """Return X as (samples, *shape) of `dtype`, finite; with `finite=False` the kernel that reads X checks that."""
    given, X = X, samples_array(X, shape)  # the shape is checked before the conversion, which may copy
    if X.shape[1:] != shape or X.ndim == 0:
        refuse_shape(given, X.shape, shape)
    if len(X) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    if X.dtype == np.uint8 and len(shape) > 1:  # images stay as they are; the gather of a batch converts them
        return np.require(X, None, ["C", "A"])
    X = real_array("X", X, dtype)
    if finite:
        check_finite("X", X)
    return X


def samples_array(X, shape):
    """Return X as a rectangular array of any dtype; an error about samples of several sizes names the `shape` to have."""
    try:
        array = any_array("X", X)
    except ValueError:
        refuse_several_sizes(X, shape)
        raise
    if array.dtype.kind == "O":
        refuse_several_sizes(X, shape)
    return array


def refuse_several_sizes(X, shape):
    """Raise an error about samples that differ in shape, such as pictures of several sizes."""
    if len(shape) > 1 and (isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.ndim)):
        sizes = dict.fromkeys(found for found in map(shape_of, X) if found)
        if len(sizes) > 1:
            one, other, *_ = sizes
            raise ValueError(f"X holds samples of several shapes, such as {one} and {other}; bring all to the shape that "
                             f"this network takes, {shape}, and give one array (samples, {', '.join(map(str, shape))})")


def shape_of(sample):
    """Return the shape of a sample that is an array, a list or a picture of Pillow; () if it has none."""
    try:
        return np.shape(sample)
    except (TypeError, ValueError):
        return ()


def refuse_shape(X, given, shape):
    """Raise an error, with a repair, about an X of the shape `given` for samples of another shape."""
    if len(shape) == 1 and len(given) == 2:
        hint = "; if its rows are the features, give X.T" if given[0] == shape[0] else ""
        raise ValueError(f"X has {given[1]} features; this network takes {shape[0]} (inputs={shape[0]}){hint}")
    wanted = ", ".join(map(str, shape))
    raise ValueError(f"X has shape {given}; this network takes (samples, {wanted}){repair(X, given, shape)}")


def repair(X, given, shape):
    """Return how to make samples of `shape` of an X of the shape `given`, for an error; "" if that is unknown."""
    wanted, hint, numbers = ", ".join(map(str, shape)), "", math.prod(shape)
    if given == shape:
        hint = f"; for one sample give X[None{', :' * (len(shape) == 1)}], shape (1, {wanted})"
    elif shape == (1,) and len(given) == 1:
        hint = "; for one feature give X[:, None]"
    elif len(given) > 1 and math.prod(given[1:]) == numbers:
        if len(shape) == 1:
            hint = "; give X.reshape(len(X), -1), or make the network take the shape, with Flatten() as its first layer"
        elif len(shape) == 3 and given[1:] == (shape[2], *shape[:2]):
            hint = f"; its channels come first: give {transposed('X', X, 0, 2, 3, 1)}"
        elif sorted(given[1:]) == sorted(set(shape)):
            order = (given.index(size, 1) for size in shape)
            hint = f"; its axes come in another order: give {transposed('X', X, 0, *order)}"
        elif sorted(given[1:]) == sorted(shape):
            hint = "; put its axes in that order, with X.transpose(...), or np.moveaxis(X, 1, -1) where channels come first"
        elif (*given[1:], 1) == shape:
            hint = "; give X[..., None]"
        else:
            hint = f"; if its numbers lie in that order, give X.reshape(len(X), {wanted})"
    elif len(shape) == 3 and len(given) == 1 and are_pictures(X):
        hint = "; read the pictures first: np.stack([np.asarray(Image.open(path)) for path in paths]), with Pillow"
    elif len(shape) == 3 and len(given) == 4:
        hint = hint_for_images(given[1:], shape)
    return hint


def are_pictures(X):
    """Return whether X begins with the path of a file or an object, in the place of an array."""
    first = X.flat[0] if isinstance(X, np.ndarray) and X.size else next(iter(X), None)
    return isinstance(first, (str, os.PathLike)) or np.asarray(first).dtype.kind == "O"


def transposed(name, array, *order):
    """Return the expression that puts the axes of an array of any library, or of a list, in this order."""
    order = ", ".join(map(str, order))
    if hasattr(array, "permute"):  # of PyTorch, whose transpose exchanges two axes
        return f"{name}.permute({order})"
    return f"{name}.transpose({order})" if hasattr(array, "transpose") else f"np.transpose({name}, ({order}))"


def hint_for_images(given, shape):
    """Return the repair for images of another size, or with other channels, than the network takes."""
    if given[2] == shape[2]:
        return f"; bring the images to a height of {shape[0]} and a width of {shape[1]}"
    if given[:2] == shape[:2]:
        return {(4, 3): "; the fourth channel may be transparency: give X[..., :3]",
                (1, 3): "; for gray images in three channels give np.repeat(X, 3, axis=-1)"}.get(
                    (given[2], shape[2]), f"; the images must have {shape[2]} channel{'s' * (shape[2] > 1)}")
    return ""
