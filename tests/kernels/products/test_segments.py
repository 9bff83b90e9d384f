"""Products over segments: the numbers of a sum over windows, in one chain whatever the segments, lines and tiles."""

import numpy as np
import pytest
from numba import njit

from fastnn.checks import DTYPES
from fastnn.kernels.compiling.jit import address_of
from fastnn.kernels.products.convolution.segments import call_segments, new_segments, segment_product_kernel

rng = np.random.default_rng(0)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@njit
def over_segments(c, start, starts, a, b, inner):
    # c, start (lines, rows, columns); a (lines, outer, inner, rows, k), b (lines, outer, inner, k, columns)
    lines, rows, columns = c.shape
    item, k = c.itemsize, a.shape[4]
    p = new_segments()
    p.lines, p.rows, p.columns, p.segments, p.inner, p.k = lines, rows, columns, a.shape[1] * inner, inner, k
    p.c, p.c_line, p.c_row = address_of(c), c.strides[0] // item, c.strides[1] // item
    if starts:
        p.start, p.start_line, p.start_row = address_of(start), start.strides[0] // item, start.strides[1] // item
    p.a, p.a_line, p.a_row, p.a_column = address_of(a), a.strides[0] // item, a.strides[3] // item, a.strides[4] // item
    p.a_step, p.a_jump = a.strides[2] // item, (a.strides[1] - (inner - 1) * a.strides[2]) // item
    p.b, p.b_line, p.b_row = address_of(b), b.strides[0] // item, b.strides[3] // item
    p.b_step, p.b_jump = b.strides[2] // item, (b.strides[1] - (inner - 1) * b.strides[2]) // item
    call_segments(c, (p,))


def product(a, b, start=None):
    segment_product_kernel.ready(a.dtype.name)
    c = np.full((len(a), a.shape[3], b.shape[-1]), np.nan, a.dtype)
    over_segments(c, c if start is None else start, start is not None, a, b, a.shape[2])
    return c


def exactly(a, b, start):
    return start.astype(np.longdouble) + np.einsum("lsirk,lsikc->lrc", a.astype(np.longdouble), b.astype(np.longdouble))


@every_dtype
@pytest.mark.parametrize("columns", [1, 3, 8, 9, 16, 17, 24, 33, 64, 65, 131])
@pytest.mark.parametrize(("rows", "outer", "inner", "k"), [(1, 1, 1, 1), (8, 5, 1, 30), (15, 2, 3, 4), (29, 3, 2, 1)])
def test_it_is_the_sum_over_all_segments(rows, outer, inner, k, columns, dtype):
    a = rng.normal(size=(2, outer, inner, rows, k)).astype(dtype)
    b = rng.normal(size=(2, outer, inner, k, columns)).astype(dtype)
    start = rng.normal(size=(2, rows, columns)).astype(dtype)
    tolerance = 40 * np.finfo(dtype).eps * outer * inner * k
    np.testing.assert_allclose(product(a, b, start), exactly(a, b, start), rtol=0, atol=tolerance)
    np.testing.assert_allclose(product(a, b), exactly(a, b, 0 * start), rtol=0, atol=tolerance)


@every_dtype
def test_the_chain_is_one_however_it_is_cut(dtype):
    """Into segments, lines, rows of a tile and columns: each number has the same bits."""
    a, b = rng.normal(size=(1, 1, 1, 30, 24)).astype(dtype), rng.normal(size=(1, 1, 1, 24, 70)).astype(dtype)
    bias = np.broadcast_to(rng.normal(size=(1, 1, 70)).astype(dtype), (1, 30, 70))
    whole = product(a, b, bias)
    for outer, inner in (1, 4), (6, 1), (2, 3), (24, 1):
        k = 24 // (outer * inner)
        cut = a[0, 0, 0].reshape(30, outer, inner, k).transpose(1, 2, 0, 3)[None]
        np.testing.assert_array_equal(product(cut, b.reshape(1, outer, inner, k, 70), bias), whole)
    lines = product(a.reshape(1, 1, 6, 5, 24).transpose(2, 0, 1, 3, 4), np.broadcast_to(b, (6, *b.shape[1:])),
                    np.broadcast_to(bias[:, :1], (6, 5, 70)))
    np.testing.assert_array_equal(lines.reshape(1, 30, 70), whole)
    for columns in (1, 7, 16, 40):
        np.testing.assert_array_equal(product(a, b[..., :columns], bias[..., :columns]), whole[..., :columns])
