"""Sizes of convolution, transposed convolution and pooling, against PyTorch's and ONNX's (tests/tools/window_shapes.py)."""

import json
from pathlib import Path

import pytest

from fastnn.layers import windows as w
from fastnn.layers.windows import Windows, padding_for, padding_of, per_axis, shorter, transposed_windows, windows

TABLES = {name: json.loads((Path(__file__).parents[2] / "data" / "windows" / f"{name}.json").read_text())
          for name in ("torch", "onnx")}
every_library = pytest.mark.parametrize("library", TABLES)


def size_or_none(function, *arguments):
    try:
        return function(*arguments)[0].out
    except ValueError:
        return None


def ours(size, kernel, stride, dilation, before, after, ceil_mode=False):
    return size_or_none(windows, (size,), (kernel,), (stride,), (dilation,), ((before, after),), ceil_mode)


@every_library
@pytest.mark.parametrize("table", ["convolution", "ceil_mode"])
def test_sizes_are_those_of_the_other_libraries(library, table):
    for *case, out in TABLES[library][table]:
        size, kernel, _, dilation, before, after = case
        if library == "onnx" and w.span_of(kernel, dilation) > size + before + after:
            continue  # its inference divides a negative number and rounds towards 0, to a window where none fits
        assert ours(*case, ceil_mode=table == "ceil_mode") == out, case


@every_library
def test_sizes_of_transposed_convolutions_are_those_of_the_other_libraries(library):
    for size, kernel, stride, dilation, before, *sides, out in TABLES[library]["transposed"]:
        after, more = sides if library == "onnx" else (before, *sides)
        found = size_or_none(transposed_windows, (size,), (kernel,), (stride,), (dilation,), ((before, after),), (more,))
        assert found == out, (size, kernel, stride, dilation, before, after, more)


def test_same_is_that_of_pytorch_where_there_is_no_stride():
    for size, kernel, dilation, out in TABLES["torch"]["same"]:
        assert out == size == windows((size,), (kernel,), (1,), (dilation,), "same")[0].out


def test_windows_of_auto_pad_lie_where_those_of_onnx_do():
    """The table has the sum of 2 to the power of each tap within the data, for each window."""
    for size, kernel, stride, dilation, word, sums in TABLES["onnx"]["auto_pad"]:
        padding = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower"}[word]
        axis, = windows((size,), (kernel,), (stride,), (dilation,), padding)
        assert [sum(2**k for k in axis.taps(i)[0]) for i in range(axis.out)] == sums


def test_taps_are_those_that_read_data():
    for size, kernel, stride, dilation, before, after, out in TABLES["onnx"]["convolution"]:
        axis = Windows(size, out or 0, kernel, stride, dilation, before, after)
        for i in range(axis.out):
            taps, start = axis.taps(i)
            assert list(taps) == [k for k in range(kernel) if 0 <= start + k * dilation < size]


@pytest.mark.parametrize(("arguments", "expected"), [
    (((6, 6), (3, 3), (2, 2), (1, 1), "same"), [(3, 0, 1)] * 2),  # TensorFlow: 0 left, 1 right
    (((28, 5), (5, 2), (1, 1), (1, 1), "valid"), [(24, 0, 0), (4, 0, 0)]),
    (((9,), (3,), (1,), (2,), "causal"), [(9, 4, 0)]),
    (((9,), (3,), (2,), (2,), "causal"), [(5, 4, 0)]),
    (((5,), (2,), (2,), (1,), ((1, 1),), True), [(3, 1, 1)]),  # a fourth window would begin in the padding
    (((7,), (2,), (2,), (1,), "valid", True), [(4, 0, 0)]),
    (((3, 3), (1, 1), (3, 3), (1, 1), "same"), [(1, 0, 0)] * 2),
], ids=repr)
def test_windows_worked_out_by_hand(arguments, expected):
    assert [(axis.out, axis.before, axis.after) for axis in windows(*arguments)] == expected


@pytest.mark.parametrize(("size", "kernel", "stride"), [(5, 3, 2), (5, 2, 2), (4, 1, 3), (3, 5, 2), (1, 4, 4)])
def test_same_transposed_undoes_same(size, kernel, stride):
    """The result has size · stride numbers, whose convolution with padding "same" has the same windows."""
    back, = transposed_windows((size,), (kernel,), (stride,), (1,), "same", (0,))
    there, = windows((back.out,), (kernel,), (stride,), (1,), "same")
    assert (back.out, there.out) == (size * stride, size)
    assert (there.before, there.after) == (back.before, back.after)


@pytest.mark.parametrize(("size", "out", "kernel", "stride"), [(3, 10, 3, 3), (3, 8, 3, 3), (5, 9, 4, 2), (2, 4, 5, 1)])
@pytest.mark.parametrize("upper", [False, True])
def test_a_size_that_onnx_asks_for(size, out, kernel, stride, upper):
    padding, more = padding_for((size,), (out,), (kernel,), (stride,), (1,), upper)
    assert transposed_windows((size,), (kernel,), (stride,), (1,), padding, more)[0].out == out
    before, after = padding[0]
    assert before <= after <= before + 1 if upper else after <= before <= after + 1


@pytest.mark.parametrize(("function", "arguments", "says"), [
    (windows, ((7, 7), (5, 5), (1, 1), (2, 2), "valid"),
     r"a 5×5 kernel with dilation 2 spans 9 pixels of height; the image has 7 \+ 0 padding"),
    (windows, ((9, 3), (3, 5), (1, 1), (1, 1), ((0, 0), (1, 0))),
     r"a 3×5 kernel spans 5 pixels of width; the image has 3 \+ 1 padding"),
    (windows, ((3,), (4,), (1,), (1,), "valid"), r"a 4 kernel spans 4 steps; the series has 3 \+ 0 padding"),
    (windows, ((9, 9), (3, 3), (1, 1), (1, 5), "valid"), "3×3 kernel with dilation 1×5 spans 11 pixels of width"),
    (transposed_windows, ((1, 1), (3, 3), (1, 1), (1, 1), ((2, 2), (0, 0)), (0, 0)),
     r"\(1 − 1\) · stride 1 \+ span 3 − padding 4 \+ output_padding 0 = -1 pixels"),
    (transposed_windows, ((4,), (3,), (2,), (1,), "valid", (2,)), "output_padding is 2; it must be less than the stride, 2"),
    (transposed_windows, ((4,), (3,), (2,), (1,), "same", (1,)), "must be 0"),
])
def test_impossible_sizes_are_refused_with_the_arithmetic(function, arguments, says):
    with pytest.raises(ValueError, match=says):
        function(*arguments)


@pytest.mark.parametrize(("given", "axes", "kept", "shown"), [
    ("same", 2, "same", "same"), ("causal", 1, "causal", "causal"),
    (1, 2, ((1, 1), (1, 1)), 1), ((0, 2), 2, ((0, 0), (2, 2)), (0, 2)), ([[0, 1], [2, 3]], 2, ((0, 1), (2, 3)), None),
    (2, 1, ((2, 2),), 2), ((0, 1), 1, ((0, 1),), (0, 1)), (((0, 1),), 1, ((0, 1),), (0, 1)), ((3,), 1, ((3, 3),), 3),
    (((1, 1), (0, 1)), 2, ((1, 1), (0, 1)), None), (0, 2, ((0, 0), (0, 0)), 0),
    (((1, 2), (1, 2)), 2, ((1, 2), (1, 2)), None),
], ids=repr)
def test_paddings(given, axes, kept, shown):
    named = w.NAMED if axes == 1 else ("valid", "same")
    assert padding_of("padding", given, axes, named) == kept
    assert shorter(kept) == (kept if shown is None else shown)
    assert padding_of("padding", shorter(kept), axes, named) == kept


@pytest.mark.parametrize(("given", "axes"), [
    ("full", 2), ("causal", 2), (-1, 2), ((1, 2, 3), 2), ((1,), 2), (((1, 2, 3), (1, 2)), 2), (1.5, 1), (True, 1),
    ((0, -1), 1), (None, 2), (2**40, 1), ({}, 2), (((1, 2),), 2),
], ids=repr)
def test_paddings_that_are_none(given, axes):
    with pytest.raises(ValueError, match=r"Conv\(padding=...\) is|Conv\(padding=...\)"):
        padding_of("Conv(padding=...)", given, axes, w.NAMED if axes == 1 else ("valid", "same"))


@pytest.mark.parametrize(("given", "axes", "kept"), [(3, 2, (3, 3)), ((3, 5), 2, (3, 5)), ([4], 1, (4,)), (7, 1, (7,))])
def test_a_number_for_each_axis(given, axes, kept):
    assert per_axis("kernel_size", given, axes) == kept
    assert per_axis("kernel_size", shorter(kept), axes) == kept


@pytest.mark.parametrize(("given", "axes"), [(0, 2), ((3, 0), 2), ((1, 2, 3), 2), ((), 1), ("3", 2), (None, 1), (2.0, 2),
                                             (True, 2), (2**31, 1)], ids=repr)
def test_numbers_for_axes_that_are_none(given, axes):
    with pytest.raises(ValueError, match="kernel_size"):
        per_axis("kernel_size", given, axes)


@pytest.mark.parametrize(("function", "shape", "repair"), [
    (w.image_shape, (28, 28), r"Reshape\(\(28, 28, 1\)\)"), (w.image_shape, (784,), "Reshape.* of 784 numbers"),
    (w.image_shape, (2, 3, 4, 5), "images"), (w.series_shape, (9,), r"Reshape\(\(9, 1\)\)"),
    (w.series_shape, (4, 4, 1), "series"),
])
def test_samples_that_are_no_images_or_series(function, shape, repair):
    with pytest.raises(ValueError, match=repair):
        function("Layer()", shape)
    assert w.image_shape("Layer()", (4, 5, 6)) == (4, 5, 6)
    assert w.series_shape("Layer()", (5, 6)) == (1, 5, 6)
