"""The products of a dense layer at odd sizes: accurate, the same bits in parts, nothing written outside."""

import numpy as np
import pytest
from guarded import Guarded, filled

from fastnn.kernels.products import linear
from fastnn.kernels.products.dot import few_rows_kernel
from fastnn.kernels.products.product import chain_length
from fastnn.kernels.products.transposed import transposed_weight_kernel

# widths of half a vector, a vector, several tiles; one row, one output; sums of one chain and of more
SIZES = 1, 2, 5, 12, 17, 64, 129, 260
GRID = [(batch, n, outputs) for batch in SIZES for n in (1, 9, 65, 300) for outputs in (1, 2, 4, 10, 13)]
# of the grid every pair of two sizes in some case; every case is a long test
SHAPES = [(SIZES[i], n, outputs) for i in range(len(SIZES)) for j, n in enumerate((1, 9, 65, 300))
          for k, outputs in enumerate((1, 2, 4, 10, 13)) if (i + j + k) % 4 == 0]
SHAPES += [(1, n, outputs) for n in SIZES for outputs in (3, 36, 128, 257, 520)]
SHAPES += [(3, 1030, 1), (40, 1030, 3), (1, 600, 2100), (700, 3, 1), (700, 70, 10), (4, 30, 700), (5, 30, 300)]
SHAPES += [(batch, n, outputs) for batch in (2, 17, 129) for n in (9, 300) for outputs in (20, 68, 100)]  # and half vectors
SHAPES += [(401, 300, 530), (401, 70, 512)]  # packed
SHAPES += [(2, 2100, 2050)]  # one row of which is of a weight that no cache holds

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_shape = pytest.mark.parametrize(("batch", "in_features", "out_features"), [
    *SHAPES, *(pytest.param(*shape, marks=pytest.mark.long) for shape in GRID if shape not in SHAPES)])


def operands(dtype, batch, in_features, out_features):
    rng = np.random.default_rng(batch + in_features + out_features)
    sizes = (batch, in_features), (in_features, out_features), out_features, (batch, out_features)
    return [rng.normal(size=size).astype(dtype) for size in sizes]


def assert_near(result, a, b, start=0):
    """|result - (start + a b)| ≤ (k + 2) ε (|start| + |a| |b|), for any order of the sum."""
    exact = np.float64 if result.dtype == np.float32 else np.longdouble  # exact enough beside the bound
    a, b, start = (np.asarray(each, exact) for each in (a, b, start))
    bound = (a.shape[1] + 2) * np.finfo(result.dtype).eps * (abs(start) + abs(a) @ abs(b))
    assert (abs(result - (start + a @ b)) <= bound).all()


@pytest.fixture(scope="module")
def backward_input():
    """Return the compiled backward_input for each dtype."""
    return {dtype: linear.linear_backward_input(dtype) for dtype in ("float32", "float64")}


@every_dtype
@every_shape
def test_forward(dtype, batch, in_features, out_features):
    x, weight, bias, _ = operands(dtype, batch, in_features, out_features)
    z = filled((batch, out_features), dtype)
    rest = weight, bias.ctypes.data, chain_length(in_features), linear.forward_product(dtype, out_features)
    linear.linear_forward(z.array, x, *rest)
    assert z.intact()
    assert_near(z.array, x, weight, bias)
    for i in {0, batch // 2, batch - 1}:
        alone = filled((1, out_features), dtype)
        linear.linear_forward(alone.array, x[i:i + 1], *rest)
        assert alone.array.tobytes() == z.array[i].tobytes()


@every_dtype
@every_shape
@pytest.mark.parametrize("accumulate", [0, 1])
def test_backward_weight(dtype, batch, in_features, out_features, accumulate):
    x, weight, _, dz = operands(dtype, batch, in_features, out_features)
    whole, parts, transposed = (Guarded(weight) for _ in range(3))
    linear.linear_backward_weight(whole.array, dz, x, accumulate)
    assert whole.intact()
    assert_near(whole.array, x.T, dz, weight if accumulate else 0)
    linear.linear_backward_weight(transposed.array, dz, x, accumulate, transposed_weight_kernel.address(dtype))
    assert transposed.intact()
    assert transposed.array.tobytes() == whole.array.tobytes()
    for rows in np.array_split(np.arange(in_features), min(3, in_features)):
        begin, end = rows[0], rows[-1] + 1
        linear.linear_backward_weight(parts.array[begin:end], dz, x[:, begin:end], accumulate)
    assert parts.array.tobytes() == whole.array.tobytes()


@every_dtype
@every_shape
def test_backward_input(backward_input, dtype, batch, in_features, out_features):
    _, weight, _, dz = operands(dtype, batch, in_features, out_features)
    few = few_rows_kernel.address(dtype)
    whole, parts, scratch = (filled(shape, dtype) for shape in ((batch, in_features),) * 2 + (weight.size,))
    backward_input[dtype](whole.array, dz, weight, scratch.array, 0, in_features, few)
    assert_near(whole.array, dz, weight.T)
    for begin, end in (0, in_features // 3), (in_features // 3, in_features):
        backward_input[dtype](parts.array, dz, weight, scratch.array, begin, end, few)
    assert parts.array.tobytes() == whole.array.tobytes()
    assert all(each.intact() for each in (whole, parts, scratch))
