"""Convolutions: three rungs alike over odd shapes, the same bits whatever threads and batch, and what others got wrong."""

import itertools

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    MaxPool2D,
    Network,
    kernels,
    vectorized,
)
from fastnn.compiled import convolutions
from fastnn.kernels.layers.convolution import rows
from fastnn.layers.windows import transposed_windows, windows

KINDS = "conv2d", "conv_transpose2d"
PADDINGS = "valid", "same", 1, ((0, 2), (3, 1))


def drawn(count, seed):
    """(kind, shape of x, shape of the weight, outputs, options) that fit, at random."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        (height, width), kernel = rng.integers(1, 13, 2), rng.integers(1, 6, 2).tolist()
        stride, dilation = rng.integers(1, 5, 2).tolist(), rng.integers(1, 4, 2).tolist()
        groups = int(rng.choice([1, 1, 2, 3]))
        inputs, outputs = (groups * rng.integers(1, 4, 2)).tolist()
        if rng.random() < 0.2:
            inputs = outputs = groups = int(rng.choice([3, 9, 17, 40]))  # each channel for itself
        padding = PADDINGS[rng.integers(len(PADDINGS))]
        sides = padding if isinstance(padding, (str, tuple)) else ((padding, padding),) * 2
        kind, batch = KINDS[len(found) % 2], int(rng.integers(1, 20))
        options = {"stride": tuple(stride), "dilation": tuple(dilation), "padding": padding, "groups": groups}
        sizes = (int(height), int(width)), tuple(kernel), tuple(stride), tuple(dilation), sides
        try:
            if kind == "conv2d":
                windows(*sizes)
            else:
                transposed_windows(*sizes, (0, 0))
        except ValueError:
            continue
        ends = (inputs // groups, outputs) if kind == "conv2d" else (outputs // groups, inputs)
        found.append((kind, (batch, int(height), int(width), inputs), (*kernel, *ends), outputs, options))
    return found


def numbers(*shape, dtype="float64"):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def results(rung, kind, x, weight, bias, **options):
    z = getattr(rung, f"{kind}_forward")(x, weight, bias, **options)
    dz = numbers(*z.shape, dtype=x.dtype)
    threads = {name: options.pop(name) for name in ("threads",) if name in options}
    return z, *getattr(rung, f"{kind}_backward")(dz, x, weight, **options, **threads)


def assert_alike(found, expected, tolerance):
    for name, one, other in zip(("z", "dx", "dweight", "dbias"), found, expected, strict=True):
        assert one.shape == other.shape, name
        assert np.abs(one - other).max(initial=0) <= tolerance * max(1, np.abs(other).max(initial=0)), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_compiled_is_vectorized(seed, dtype):
    for kind, shape, kernel, outputs, options in drawn(24, seed):
        x, weight, bias = numbers(*shape, dtype=dtype), numbers(*kernel, dtype=dtype), numbers(outputs, dtype=dtype)
        expected = results(vectorized, kind, *(each.astype(float) for each in (x, weight, bias)), **options)
        assert_alike(results(kernels, kind, x, weight, bias, **options), expected, 2e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_kernels_of_one_tap_are_products_of_pixels(kind):
    """Images of one pixel and of more than the gradient of the weight reads at a time, one feature and several panels."""
    for shape, inputs, outputs, groups in (((1, 1, 1), 3, 2, 1), ((5, 9, 13), 4, 9, 1), ((3, 5, 2), 70, 81, 1),
                                           ((9, 17, 9), 6, 36, 3), ((2, 1, 600), 17, 1, 1)):
        given = inputs // groups, outputs
        kernel = 1, 1, *(given if kind == "conv2d" else (outputs // groups, inputs))
        x, weight, bias = numbers(*shape, inputs), numbers(*kernel), numbers(outputs)
        expected = results(vectorized, kind, x, weight, bias, groups=groups)
        assert_alike(results(kernels, kind, x, weight, bias, groups=groups), expected, 1e-12)
        alone = results(kernels, kind, x[:1], weight, bias, groups=groups)
        assert results(kernels, kind, x, weight, bias, groups=groups)[0][:1].tobytes() == alone[0].tobytes()


@pytest.mark.parametrize("share", [0, 1e9], ids=["by pixels", "by windows that overlap"])
def test_both_ways_to_an_image_are_right_for_any_shape(share, monkeypatch):
    monkeypatch.setattr(rows, "OVERLAPPING_PAYS", share)
    for kind, shape, kernel, outputs, options in drawn(16, 21):
        given = numbers(*shape), numbers(*kernel), numbers(outputs)
        assert_alike(results(kernels, kind, *given, **options), results(vectorized, kind, *given, **options), 1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows_with_pixels_in_the_lanes_are_those_with_features_in_them(dtype, monkeypatch):
    """To the bit, for any shape; the gradient of the weight adds in another order."""
    for _, shape, kernel, outputs, options in [each for each in drawn(24, 33) if each[0] == "conv2d"]:
        if options["groups"] > 1 or outputs > rows.MOST_FEATURES:
            continue
        given = numbers(*shape, dtype=dtype), numbers(*kernel, dtype=dtype), numbers(outputs, dtype=dtype)
        found = []
        for pays in False, True:
            monkeypatch.setattr(rows.ConvolutionPlan, "pixels_pay", lambda plan, pays=pays: (pays, pays))
            found.append(results(kernels, "conv2d", *given, **options))
        assert found[0][0].tobytes() == found[1][0].tobytes()
        assert_alike(found[1], found[0], 1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("features", range(1, rows.MOST_FEATURES + 1))
@pytest.mark.parametrize("width", [9, 22, 40, 150])
def test_lines_of_any_width_are_cut_into_tiles(width, features, monkeypatch):
    given = numbers(3, 7, width, 1, dtype="float32"), numbers(3, 3, 1, features, dtype="float32"), numbers(
        features, dtype="float32")
    found = []
    for pays in False, True:
        monkeypatch.setattr(rows.ConvolutionPlan, "pixels_pay", lambda plan, pays=pays: (pays, pays))
        found.append(results(kernels, "conv2d", *given))
    assert found[0][0].tobytes() == found[1][0].tobytes()
    assert_alike(found[1], found[0], 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_no_bit(kind, monkeypatch):
    monkeypatch.setattr(convolutions, "FLOPS_PER_PART", 1)  # so that even this is cut into parts
    for _, shape, kernel, outputs, options in [each for each in drawn(12, 9) if each[0] == kind]:
        given = numbers(*shape, dtype="float32"), numbers(*kernel, dtype="float32"), numbers(outputs, dtype="float32")
        alone = results(kernels, kind, *given, **options, threads=1)
        for threads in (2, 3, 8):
            for one, other in zip(alone, results(kernels, kind, *given, **options, threads=threads), strict=True):
                assert one.tobytes() == other.tobytes()


LAYERS = [
    Conv2D(9, 3, padding="same"), Conv2D(17, (2, 5), "relu", stride=(2, 1)), Conv2D(6, 1),
    Conv2D(4, 3, groups=2, dilation=2), DepthwiseConv2D(3, padding=1), ConvTranspose2D(5, 3, stride=2, padding="same"),
]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_sample_alone_is_the_sample_in_a_batch(layer):
    net = Network([layer, Flatten(), Dense(3)], inputs=(7, 9, 4), seed=2)
    x = numbers(70, 7, 9, 4, dtype="float32")
    whole = net.forward(x, threads=1)
    for batch in (1, 2, 5, 24, 69):
        np.testing.assert_array_equal(net.forward(x[:batch]), whole[:batch])
        np.testing.assert_array_equal(net.forward(x[-batch:], threads=3), whole[-batch:])


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_bands_change_no_bit(layer, monkeypatch):
    """However many rows of an image are worked on at a time."""
    from fastnn.kernels.layers.convolution import rows

    found = []
    for size in (1, 2000, 1 << 18):
        monkeypatch.setattr(rows, "BAND_BYTES", size)
        net = Network([layer, Activation("tanh"), Flatten(), Dense(3, "softmax")], inputs=(7, 9, 4), seed=2)
        net.fit(numbers(30, 7, 9, 4), np.arange(30) % 3, epochs=2, batch_size=16)
        found.append({name: view.copy() for name, view in net.parameters.items()})
    for other in found[1:]:
        for name, view in found[0].items():
            np.testing.assert_allclose(other[name], view, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_weight_of_every_kernel_width_and_number_of_features(channels, dtype, limit):
    """Tiles of the gradient of the weight have kernel width · channels rows and the features as columns, of any number."""
    x = numbers(2, 6, 17, channels).astype(dtype)
    for width in (*range(1, 12), 16):
        for features in (1, 4, 6, 9, 16, 17, 24, 32, 33, 48, 64, 65, 97):
            da, weight = numbers(2, 4, 18 - width, features).astype(dtype), np.zeros((3, width, channels, features), dtype)
            found = kernels.conv2d_backward(da, x, weight)[1]
            expected = vectorized.conv2d_backward(da.astype(float), x.astype(float), weight.astype(float))[1]
            assert np.abs(found - expected).max() <= limit * np.abs(expected).max(), (width, features)


# What was reported of other libraries


REPORTED = {
    "pytorch#25101: pixels that no window reaches": (Conv2D(3, 5, stride=3, padding=1), (32, 32, 9)),
    "pytorch#68868: a stride beyond the kernel, in groups": (Conv2D(6, 2, stride=4, groups=3), (9, 9, 3)),
    "pytorch#20583: a kernel inside the padding": (Conv2D(4, 3, padding=3), (4, 4, 4)),
    "a kernel inside the padding, with a stride": (Conv2D(2, 2, padding=4, stride=3), (2, 1, 2)),
    "deeplearning4j#8320: dilation": (Conv2D(3, 3, dilation=2), (8, 7, 2)),
    "deeplearning4j#8476: causal with dilation": (Conv1D(3, 2, padding="causal", dilation=2), (9, 2)),
    "keras#22876: transposed, same, stride 2, odd kernel": (ConvTranspose2D(3, 3, stride=2, padding="same"), (5, 4, 2)),
    "transposed, in groups, with pixels that nothing reaches": (ConvTranspose2D(4, 2, stride=4, groups=2,
                                                                                output_padding=3), (3, 2, 2)),
    "tensorflow#8431: a large dilation": (Conv2D(2, 3, dilation=(1, 20)), (3, 45, 2)),
    "one pixel": (Conv2D(3, 1), (1, 1, 2)),
    "a long kernel": (Conv1D(15, 51), (60, 3)),
    "each channel twice": (DepthwiseConv2D((2, 3), stride=2, padding="same", multiplier=2), (5, 6, 3)),
    "each channel, more than a tile of them": (DepthwiseConv2D(3, stride=2, padding=1, dilation=2), (6, 5, 67)),
}


@pytest.mark.parametrize(("layer", "shape"), REPORTED.values(), ids=REPORTED)
def test_gradients_are_right(layer, shape):
    net = Network([layer, Activation("tanh"), Flatten(), Dense(2)], inputs=shape, dtype="float64", loss="squared_error")
    x, y = numbers(3, *shape), numbers(3, 2)
    report = fastnn.check_gradients(net, x, y)
    assert report.max_relative_error <= 1e-7, str(report)
    model, dx, step = net.compiled(), np.empty((3, net.inputs)), 1e-5
    dout = np.ones((3, 2))
    fastnn.jit.input_gradients(model, x.reshape(3, -1), dout, dx)
    flat = np.random.default_rng(0).permutation(net.inputs)[:20]
    for i in flat:
        ends = [net.forward(x + sign * step * np.eye(net.inputs)[i].reshape(shape)).sum(axis=1) for sign in (1, -1)]
        np.testing.assert_allclose(dx[:, i], (ends[0] - ends[1]) / (2 * step), atol=1e-7 * max(1, np.abs(dx).max()))


def test_causal_outputs_see_nothing_that_comes_later():
    net = Network([Conv1D(2, 3, padding="causal", dilation=2), Conv1D(1, 2, padding="causal"), Flatten()], inputs=(12, 1))
    x = numbers(1, 12, 1, dtype="float32")
    before = net.forward(x)
    for step in range(12):
        later = x.copy()
        later[0, step] += 1
        np.testing.assert_array_equal(net.forward(later)[0, :step], before[0, :step])


@pytest.mark.parametrize("name", ["SAME", "Valid"])
def test_names_of_paddings_are_taken_in_capitals(name):
    """As TensorFlow writes them."""
    for layer in (Conv2D(4, 3, padding=name), DepthwiseConv2D(3, padding=name), ConvTranspose2D(4, 3, padding=name),
                  MaxPool2D(3, padding=name), Conv1D(4, 3, padding=name)):
        assert layer.padding == name.lower()
    x = np.ones((1, 4, 4, 1))
    np.testing.assert_array_equal(kernels.max_pool2d_forward(x, 3, padding=name),
                                  kernels.max_pool2d_forward(x, 3, padding=name.lower()))


def test_same_padding_is_that_of_keras():
    """pytorch#3867: of 6 numbers, kernel 3 and stride 2 there is one zero, at the end; keras#19291: padding=1 differs."""
    x = np.arange(1.0, 7.0).reshape(1, 6, 1)
    found = []
    for padding in ("same", 1):
        net = Network([Conv1D(1, 3, stride=2, padding=padding), Flatten()], inputs=(6, 1))
        net.parameters["0.weight"][...] = 1
        found.append(net.forward(x)[0].tolist())
    assert found == [[6, 12, 11], [3, 9, 15]]


def test_parts_of_a_convolution():
    """A Conv1D is a Conv2D of height 1, and a DepthwiseConv2D one of as many groups as channels."""
    x = numbers(5, 9, 4, dtype="float32")
    series, image = Network([Conv1D(6, 3), Flatten()], inputs=(9, 4)), Network([Conv2D(6, (1, 3)), Flatten()], (1, 9, 4))
    image.parameters["0.weight"][...] = series.parameters["0.weight"]
    np.testing.assert_array_equal(series.forward(x), image.forward(x[:, None]))
    one, other = (Network([layer, Flatten()], inputs=(3, 3, 4)) for layer in (DepthwiseConv2D(2), Conv2D(4, 2, groups=4)))
    other.parameters["0.weight"][...] = one.parameters["0.weight"]
    x = numbers(5, 3, 3, 4, dtype="float32")
    np.testing.assert_array_equal(one.forward(x), other.forward(x))


def test_fans_count_the_kernel():
    weight = Network([Conv2D(64, 5, "relu", groups=2), Flatten()], inputs=(5, 5, 32)).parameters["0.weight"]
    assert weight.std() == pytest.approx(np.sqrt(2 / (25 * 16)), rel=0.03)
    weight = Network([ConvTranspose2D(64, 5, initializer="lecun_normal"), Flatten()], (2, 2, 32)).parameters["0.weight"]
    assert weight.std() == pytest.approx(np.sqrt(1 / (25 * 32)), rel=0.03)


def test_numbers_that_are_not_finite_pass():
    net = Network([Conv2D(2, 2), Flatten()], inputs=(3, 3, 1))
    x = np.zeros((1, 3, 3, 1))
    with pytest.raises(ValueError, match="X holds nan"):
        net.forward(np.full_like(x, np.nan))
    weight = np.ones((2, 2, 1, 1))
    z = kernels.conv2d_forward(np.where(np.arange(9).reshape(x.shape) == 0, np.nan, 0), weight, [0.0])
    assert np.isnan(z.ravel()).tolist() == [True, False, False, False]


@pytest.mark.parametrize(("given", "says"), [
    (lambda: Conv2D(0, 3), r"Conv2D\(out_channels=...\) is 0"),
    (lambda: Conv2D(4, (3, 3, 3)), r"Conv2D\(kernel_size=...\) is \(3, 3, 3\)"),
    (lambda: Conv2D(4, 3, padding="causal"), "'causal' is for one axis"),
    (lambda: Conv2D(4, 3, padding="reflect"), r"put Pad2D\(\.\.\., 'reflect'\) before it"),
    (lambda: DepthwiseConv2D(3, padding="replicate"), r"put Pad2D\(\.\.\., 'edge'\) before it"),
    (lambda: MaxPool2D(3, padding="circular"), r"put Pad2D\(\.\.\., 'wrap'\) before it"),
    (lambda: Conv1D(4, 3, padding="replicate"), r"give it np\.pad\(x, \.\.\., mode='edge'\) of each series"),
    (lambda: Conv2D(4, 3, padding="full"), r"padding=kernel_size - 1"),
    (lambda: Conv2D(4, 3, groups=3), "does not divide out_channels=4"),
    (lambda: Conv2D(4, 3, stride=0), r"Conv2D\(stride=...\) is 0"),
    (lambda: Network([Conv2D(4, 3, groups=2), Flatten()], (5, 5, 3)),
     "2 groups, which do not divide the 3 channels.*groups=1"),
    (lambda: Network([Conv2D(4, 3), Flatten()], 16), r"takes images \(height, width, channels\)"),
    (lambda: Network([Conv2D(4, 3), Flatten()], (28, 28)), r"put a Reshape\(\(28, 28, 1\)\)"),
    (lambda: Network([Conv1D(4, 3), Flatten()], (28, 28, 1)), r"takes series \(steps, features\)"),
    (lambda: Network([Conv2D(4, 7), Flatten()], (5, 9, 1)), "a 7×7 kernel spans 7 pixels of height; the image has 5"),
    (lambda: Network([Conv2D(4, 3), Dense(3)], (5, 5, 1)), r"put a Flatten\(\) before it"),
    (lambda: ConvTranspose2D(4, 3, output_padding=-1), r"output_padding=...\) is -1"),
])
def test_errors_name_the_repair(given, says):
    with pytest.raises(ValueError, match=says):
        given()


def test_options_come_back():
    for padding, stride in itertools.product(["valid", "same", 2, (1, 2), ((0, 1), (2, 3))], [1, (2, 1)]):
        layer = Conv2D(4, (3, 2), "relu", stride=stride, padding=padding, l2=0.5, initializer="he_normal")
        assert eval(repr(layer)) == layer
        options = layer.config()
        assert Conv2D(**{name: value for name, value in options.items() if name != "layer"}) == layer
