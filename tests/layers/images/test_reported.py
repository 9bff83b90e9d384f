"""Faults that were reported of other libraries' convolutions and pools: each is a case of a test, here or elsewhere."""

import re
from pathlib import Path

import numpy as np
import pytest

from fastnn import AveragePool2D, Conv1D, Conv2D, Dense, Flatten, MaxPool2D, Network, compiled
from fastnn.program import TrainingProgram
from fastnn.samples.data import check_data

ROOT = Path(__file__).parents[3]
HERE = "tests/layers/images/test_reported.py"
CONVOLUTIONS, POOLING = "tests/layers/images/test_convolutions.py", "tests/layers/images/test_pooling.py"
# What was reported, and the test that has it as a case or whose law includes it.
REPORTS = {
    "pytorch#25101, a wrong gradient to pixels that no window reaches": (CONVOLUTIONS, "test_gradients_are_right"),
    "pytorch#68868, a wrong gradient to the weight for a stride beyond the kernel": (
        CONVOLUTIONS, "test_gradients_are_right"),
    "pytorch#20583, a crash for a kernel inside the padding": (CONVOLUTIONS, "test_gradients_are_right"),
    "deeplearning4j#8320, dilation is ignored": (CONVOLUTIONS, "test_gradients_are_right"),
    "deeplearning4j#8476, a causal convolution with dilation is wrong": (
        CONVOLUTIONS, "test_causal_outputs_see_nothing_that_comes_later"),
    "pytorch#134908, an output depends on the batch size": (HERE, "test_an_output_does_not_depend_on_the_batch"),
    "pytorch#88718, #2201, oneDNN#1443, the number of threads changes results": (CONVOLUTIONS, "test_threads_change_no_bit"),
    "pytorch#3867, keras#19291, \"same\" is not padding=1": (CONVOLUTIONS, "test_same_padding_is_that_of_keras"),
    "pytorch#45667, \"same\" with a stride": (HERE, "test_same_with_a_stride_pads_the_end_first"),
    "keras#22876, a transposed convolution is shifted by a pixel": (
        "tests/naive/test_convolution.py", "test_same_shapes_of_transposed_convolutions_are_those_of_keras"),
    "burn#5791, pytorch#116420, #57178, a window of ceil_mode begins in the padding": (
        HERE, "test_no_window_of_ceil_mode_begins_in_the_padding"),
    "onnx#4958, a window of padding only": (POOLING, "test_what_does_not_fit_is_refused"),
    "pytorch#7645, tensorflow#2501, a maximum swallows NaN": (POOLING, "test_ties_nan_and_infinity"),
    "pytorch#1465, a window of NaN or -inf has the index -1": (POOLING, "test_ties_nan_and_infinity"),
    "tensorflow#51682, onnxruntime#7217, ties of a maximum": (POOLING, "test_ties_go_to_the_first"),
    "tensorflow#40122, the gradient of a maximum of many zeros": (
        HERE, "test_the_gradient_of_many_zeros_goes_to_one_of_them"),
    "nn-transfer#16, MMdnn#595, the order of Flatten": (
        "tests/exchange/test_torch_weights.py", "test_weights_behind_a_flatten_are_put_in_order"),
    "mxnet#21075, tensorflow#8431, memory of large or dilated kernels": (HERE, "test_memory_does_not_grow_with_the_kernel"),
    "pytorch#13716, depthwise convolutions are slow": ("asv_bench/convolution.py", "3x3, each of 64"),
    "mxnet#13530, a long convolution of series does not scale": ("asv_bench/convolution.py", "1x51"),
    "Flux#2350, one channel and a stride of 2": ("asv_bench/convolution.py", "3x3 stride 2, 1 to 16"),
}


@pytest.mark.parametrize("report", REPORTS)
def test_each_report_has_a_test_or_a_benchmark(report):
    path, name = REPORTS[report]
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"def {name}\b" if name.startswith("test_") else re.escape(name), text)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_output_does_not_depend_on_the_batch(dtype):
    net = Network([Conv2D(3, 3), Flatten()], inputs=(8, 6, 4), dtype=dtype, loss="squared_error")
    x = np.random.default_rng(0).normal(size=(65, 8, 6, 4)).astype(dtype)
    whole = net.forward(x)
    for batch in (1, 2, 3, 16, 64):
        assert net.forward(x[:batch]).tobytes() == whole[:batch].tobytes()
        assert net.forward(x[-batch:]).tobytes() == whole[-batch:].tobytes()


def test_same_with_a_stride_pads_the_end_first():
    """TensorFlow's SAME: of 6×6, kernel 3 and stride 2, a row of zeros below and a column on the right."""
    x = np.arange(36.0).reshape(1, 6, 6, 1)
    net = Network([Conv2D(1, 3, stride=2, padding="same"), Flatten()], inputs=(6, 6, 1), dtype="float64")
    net.parameters["0.weight"][...] = 1
    padded = np.pad(x[0, :, :, 0], ((0, 1), (0, 1)))
    expected = [padded[r:r + 3, c:c + 3].sum() for r in (0, 2, 4) for c in (0, 2, 4)]
    assert net.forward(x)[0].tolist() == expected


def test_no_window_of_ceil_mode_begins_in_the_padding():
    """5, kernel 2, stride 2, padding 1: 3 windows, since a fourth would begin behind the data."""
    x = np.arange(1.0, 26.0).reshape(1, 5, 5, 1)
    for layer, expected in ((MaxPool2D, [1, 3, 5, 11, 13, 15, 21, 23, 25]),
                            (AveragePool2D, [1, 2.5, 4.5, 8.5, 10, 12, 18.5, 20, 22])):
        net = Network([layer(2, stride=2, padding=1, ceil_mode=True), Flatten()], inputs=(5, 5, 1), dtype="float64")
        assert net.shapes[1] == (3, 3, 1)
        assert net.forward(x)[0].tolist() == expected


def test_the_gradient_of_many_zeros_goes_to_one_of_them():
    """As behind a relu: of the zeros of a window one gets the gradient, the first, and none gets it twice."""
    da = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    dx = compiled.max_pool2d_backward(da, np.zeros((1, 6, 6, 1)), 2)
    expected = np.zeros((6, 6))
    expected[::2, ::2] = da[0, :, :, 0]
    np.testing.assert_array_equal(dx[0, :, :, 0], expected)


@pytest.mark.parametrize(("layer", "shape"), [
    (Conv1D(8, 151, padding="same"), (500, 8)), (Conv2D(8, (3, 21), padding="same", dilation=(1, 6)), (12, 60, 8)),
    (Conv2D(8, 15, padding="same"), (30, 30, 8))], ids=repr)
def test_memory_does_not_grow_with_the_kernel(layer, shape):
    """What training takes in addition is the weight and bounded scratch, not a copy of the images for each tap."""
    batch, images = 16, 16 * np.prod(shape)

    def arena(layer):
        net = Network([layer, Flatten(), Dense(2)], inputs=shape)
        data = check_data(net, np.zeros((batch, *shape), np.float32), np.zeros((batch, 2)))
        return TrainingProgram(net, data, batch, 1).memory.size, net.parameters["0.weight"].size

    (large, weight), (small, _) = arena(layer), arena(type(layer)(8, 1))
    assert weight / 64 > 50, "a copy for each tap would be as many times the images"
    assert large - small < images
