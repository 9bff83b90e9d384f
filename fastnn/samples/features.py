"""Checks of X, the features of samples."""

import math

import numpy as np

from .arrays import any_array, check_finite, real_array


def features(X, shape, dtype, *, least=1, finite=True):
    """Return X as (samples, *shape) of `dtype`, finite; with `finite=False` the kernel that reads X checks that."""
    if len(shape) > 1:
        refuse_several_sizes(X, shape)
    X = any_array("X", X)  # the shape is checked before the conversion, which may copy
    if X.shape[1:] != shape or X.ndim == 0:
        refuse_shape(X.shape, shape)
    if len(X) < least:
        raise ValueError(f"X has no samples; give at least {least}")
    if X.dtype == np.uint8 and len(shape) > 1:  # images stay as they are; the gather of a batch converts them
        return np.require(X, None, ["C", "A"])
    X = real_array("X", X, dtype)
    if finite:
        check_finite("X", X)
    return X


def refuse_several_sizes(X, shape):
    """Raise an error about a list of arrays that differ in shape, such as pictures of several sizes."""
    if isinstance(X, (list, tuple)) or (isinstance(X, np.ndarray) and X.dtype.kind == "O"):
        sizes = dict.fromkeys(each.shape for each in X if isinstance(each, np.ndarray))
        if len(sizes) > 1:
            one, other, *_ = sizes
            raise ValueError(f"X holds samples of several shapes, such as {one} and {other}; bring all to the shape that "
                             f"this network takes, {shape}, and give one array (samples, {', '.join(map(str, shape))})")


def refuse_shape(given, shape):
    """Raise an error, with a repair, about an X of this shape for samples of another shape."""
    if len(shape) == 1 and len(given) == 2:
        raise ValueError(f"X has {given[1]} features; this network takes {shape[0]} (inputs={shape[0]})")
    wanted, hint, numbers = ", ".join(map(str, shape)), "", math.prod(shape)
    if given == shape:
        hint = f"; for one sample give X[None{', :' * (len(shape) == 1)}], shape (1, {wanted})"
    elif shape == (1,) and len(given) == 1:
        hint = "; for one feature give X[:, None]"
    elif len(given) > 1 and math.prod(given[1:]) == numbers:
        if len(shape) == 1:
            hint = "; give X.reshape(len(X), -1), or make the network take the shape, with Flatten() as its first layer"
        elif len(shape) == 3 and given[1:] == (shape[2], *shape[:2]):
            hint = "; its channels come first: give X.transpose(0, 2, 3, 1)"
        elif sorted(given[1:]) == sorted(shape):
            hint = "; put its axes in that order, with X.transpose(...), or np.moveaxis(X, 1, -1) where channels come first"
        else:
            hint = f"; if its numbers lie in that order, give X.reshape(len(X), {wanted})"
    raise ValueError(f"X has shape {given}; this network takes (samples, {wanted}){hint}")
