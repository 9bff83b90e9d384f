"""LayerNorm and GroupNorm of few and of many channels: other code for each width of a row, the same mathematics and bits."""

import numpy as np
import pytest

from fastnn import compiled, vectorized

WIDTHS = [1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 32, 67, 130]  # below, at and above the lanes of a vector, and four vectors
GROUPED = [(9, 3, 1), (16, 8, 2), (12, 6, 3), (7, 12, 4), (1, 8, 8), (30, 40, 5), (49, 1, 1)]  # pixels, channels, groups
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def close(found, expected, dtype):
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=TOLERANCE[dtype] * max(1.0, np.abs(other).max()))


def drawn(dtype, *shapes):
    rng = np.random.default_rng(sum(map(sum, shapes)))
    return [rng.normal(0.5, 2, size=shape).astype(dtype) for shape in shapes]


@every_dtype
def test_layer_norm_of_each_width(dtype):
    for width in WIDTHS:
        for rows in (1, 5, 35):
            x, da, scale, shift = drawn(dtype, (rows, width), (rows, width), (width,), (width,))
            forward, backward = (x, scale, shift), (da, x, scale)
            a = compiled.layer_norm_forward(*forward)
            close([a], [vectorized.layer_norm_forward(*forward)], dtype)
            close(compiled.layer_norm_backward(*backward), vectorized.layer_norm_backward(*backward), dtype)
            np.testing.assert_array_equal(a[-1:], compiled.layer_norm_forward(x[-1:], scale, shift))


@every_dtype
def test_group_norm_of_each_width(dtype):
    for pixels, channels, groups in GROUPED:
        x, da, scale, shift = drawn(dtype, (3, pixels, channels), (3, pixels, channels), (channels,), (channels,))
        forward, backward = (x, scale, shift, groups), (da, x, scale, groups)
        a = compiled.group_norm_forward(*forward)
        close([a], [vectorized.group_norm_forward(*forward)], dtype)
        close(compiled.group_norm_backward(*backward), vectorized.group_norm_backward(*backward), dtype)
        np.testing.assert_array_equal(a[-1:], compiled.group_norm_forward(x[-1:], scale, shift, groups))


def test_equal_and_infinite_numbers():
    for width in WIDTHS:
        one = np.ones(width, np.float32)
        np.testing.assert_array_equal(compiled.layer_norm_forward(np.full((3, width), 0.1, np.float32), one, one), 1)
        x = np.ones((4, width), np.float32)
        x[1, -1], x[2, 0] = np.nan, np.inf
        a = compiled.layer_norm_forward(x, one, one)
        np.testing.assert_array_equal(a[[0, 3]], 1)
        assert np.isnan(a[1:3]).any(axis=1).all()
