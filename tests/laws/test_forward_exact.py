"""Forward passes compared with multiple-precision arithmetic: products, activations, whole networks.

float64 within 1e-12; float32 products within 2 √K ε Σ |aᵢ bᵢ| for K terms, for any data; activations within a few ulp.
FASTNN_TEST_SEED sets other numbers.
"""

import math
import os
from itertools import cycle

import exact
import mpmath
import numpy as np
import pytest
from activation_rungs import compiled_forward
from layer_cases import LAYERS, TOKENS, placed

from fastnn import Dense, Network, activations, naive
from fastnn.kernels.products import linear
from fastnn.kernels.products.dot import few_rows_kernel
from fastnn.kernels.products.product import chain_length
from fastnn.layers import layers
from fastnn.naive.convolution import connections

SEED = int(os.environ.get("FASTNN_TEST_SEED", "0"))
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

# Products

TERMS = (1, 2, 3, 17, 33, 65, 256, 257, 512, 513, 1000, 1025, 2049, 4097)  # sums of one chain, of two, of many
DATA = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 1.5, shape),
    "all alike": lambda rng, shape: np.full(shape, 0.1),  # every rounding of a chain falls on the same side for long
    "thirds": lambda rng, shape: np.full(shape, 1 / 3),
    "all sizes": lambda rng, shape: rng.normal(size=shape) * 2.0 ** rng.uniform(-20, 20, shape),
    "cancelling": lambda rng, shape: rng.normal(size=shape) * np.where(np.indices(shape)[-1] % 2, 1, -1) * 1e3,
    "descending": lambda rng, shape: 0.9 ** np.indices(shape)[-1],
    "subnormal beside large": lambda rng, shape: np.where(rng.random(shape) < 0.5, 1e-40, 1e10),
}


def share_of_bound(result, a, b, start=0.0):
    """Return the largest |result − (start + a b)| / (2 √K ε (|start| + |a| |b|))."""
    wide = np.longdouble if result.dtype == np.float64 else np.float64
    a, b, start = (np.asarray(each, wide) for each in (a, b, start))
    terms = a.shape[1] + (start.size > 1)
    bound = 2 * math.sqrt(terms) * np.finfo(result.dtype).eps * (np.abs(start) + np.abs(a) @ np.abs(b))
    error = np.abs(result - (start + a @ b))
    return float((error / np.maximum(bound, np.finfo(result.dtype).tiny)).max())


@pytest.fixture(scope="module")
def backward_inputs():
    return {dtype: linear.linear_backward_input(dtype) for dtype in ("float32", "float64")}


@every_dtype
@pytest.mark.parametrize("data", DATA)
def test_products(backward_inputs, dtype, data):
    rng, few, backward_input = np.random.default_rng(SEED), few_rows_kernel.address(dtype), backward_inputs[dtype]
    for terms, (batch, other) in zip(TERMS, cycle([(1, 5), (33, 3), (5, 17)])):
        a, b = (DATA[data](rng, shape).astype(dtype) for shape in ((batch, terms), (other, terms)))
        weight, bias = np.ascontiguousarray(b.T), DATA[data](rng, (1, other)).astype(dtype)[0]
        z, dx, dweight = np.empty((batch, other), dtype), np.empty((batch, other), dtype), np.empty((batch, other), dtype)
        linear.linear_forward(z, a, weight, bias.ctypes.data, chain_length(terms), linear.forward_product(dtype, other))
        assert share_of_bound(z, a, weight, np.tile(bias, (batch, 1))) <= 1, ("forward", terms)
        backward_input(dx, a, b, np.empty(b.size, dtype), 0, other, few)  # dz weightᵀ
        assert share_of_bound(dx, a, weight) <= 1, ("backward_input", terms)
        x, dz = np.ascontiguousarray(a.T), weight  # xᵀ dz, a sum over so many samples
        linear.linear_backward_weight(dweight, dz, x, 0)
        assert share_of_bound(dweight, a, weight) <= 1, ("backward_weight", terms)


@every_dtype
def test_products_of_a_network(dtype):
    rng = np.random.default_rng(SEED)
    for terms in TERMS:
        net = Network([Dense(3)], inputs=terms, dtype=dtype, seed=SEED)
        net.parameters["0.bias"][:] = 0.25
        for batch in (1, 5, 300):
            X = rng.normal(size=(batch, terms)).astype(dtype)
            assert share_of_bound(net.forward(X), X, net.parameters["0.weight"], np.full((batch, 3), 0.25)) <= 1


# Activations

ULP = 2.5  # the largest error seen is 1.95
# gelu is z (1 + erf) / 2: where that cancels, the error is relative to z
PART_OF_Z = {"gelu": ULP}


def of_all_sizes(dtype, count):
    """Return ordinary numbers, small and large ones, and those where exp underflows."""
    rng, limit = np.random.default_rng(SEED), -math.log(np.finfo(dtype).tiny)
    return np.concatenate([rng.normal(size=count), 10 * rng.normal(size=count), rng.uniform(-1.3 * limit, limit, count),
                           2 ** rng.uniform(-40, 0, count) * rng.choice([-1, 1], count)]).astype(dtype)


@every_dtype
@pytest.mark.parametrize("name", [name for name, record in activations.items() if not record.rowwise])
def test_activations(name, dtype):
    z, real = of_all_sizes(dtype, count=100), np.finfo(dtype)
    a = compiled_forward(activations[name], z[None])[0]
    for z_, a_, b in zip(z.tolist(), a.tolist(), exact.activation(activations[name], z), strict=True):
        allowed = float(real.eps) * (ULP * abs(b) + PART_OF_Z.get(name, 0.0) * abs(z_))
        # a factor below the smallest normal number has lost digits, and z multiplies its error
        allowed += max(1.0, abs(z_)) * float(real.smallest_subnormal)
        assert abs(a_ - b) <= allowed, f"{name}({z_!r}) is {a_!r}, not {float(b)!r}"


@every_dtype
@pytest.mark.parametrize("name", [name for name, record in activations.items() if record.rowwise])
@pytest.mark.parametrize("columns", [1, 3, 17, 257])
def test_activations_of_rows(name, dtype, columns):
    rng, real = np.random.default_rng(SEED), np.finfo(dtype)
    z = (rng.normal(size=(4, columns)) * [[1], [10], [1e-3], [40]]).astype(dtype)
    a = compiled_forward(activations[name], z)
    for i in range(len(z)):
        # z − max z is rounded, which gives a relative error of exp; the sum has its own
        parts = 4 + (z[i].max() - z[i]) + math.sqrt(columns)
        for a_, b, part in zip(a[i].tolist(), exact.activation(activations[name], z[i]), parts.tolist(), strict=True):
            assert abs(a_ - b) <= part * float(real.eps) * b + float(real.smallest_subnormal)


# Whole networks in float64


def exact_norm(x, mean, variance, epsilon, scale, shift):
    return [s * (v - m) / mpmath.sqrt(var + epsilon) + t
            for v, m, var, s, t in zip(x, mean, variance, scale, shift, strict=True)]


def exact_layer_norm(layer, x, p, shape):
    mean = mpmath.fsum(x) / len(x)
    variance = mpmath.fsum((v - mean) ** 2 for v in x) / len(x)
    return exact_norm(x, [mean] * len(x), [variance] * len(x), mpmath.mpf(layer.epsilon), p["scale"], p["shift"])


def exact_channel_norm(layer, x, p, shape):
    """Of a batch normalization: the statistics of each channel, for all pixels."""
    return [y for c in range(0, len(x), shape[-1])
            for y in exact_norm(x[c:c + shape[-1]], p["running_mean"], p["running_variance"], mpmath.mpf(layer.epsilon),
                                p["scale"], p["shift"])]


def exact_pixel_norm(layer, x, p, shape):
    return [y for c in range(0, len(x), shape[-1]) for y in exact_layer_norm(layer, x[c:c + shape[-1]], p, shape)]


def exact_group_norm(layer, x, p, shape):
    out, size = [None] * len(x), shape[-1] // layer.groups
    for g in range(layer.groups):
        places = [k for k in range(len(x)) if k % shape[-1] // size == g]
        channels = [k % shape[-1] for k in places]
        numbers = {name: [p[name][c] for c in channels] for name in ("scale", "shift")}
        for k, y in zip(places, exact_layer_norm(layer, [x[k] for k in places], numbers, shape), strict=True):
            out[k] = y
    return out


def exact_dense(layer, x, p, shape):
    return [p["bias"][j] + mpmath.fdot((v, row[j]) for v, row in zip(x, p["weight"], strict=True))
            for j in range(layer.out_features)]


def exact_pool(function):
    """Return the output of the loops for a sample of these numbers."""

    def pool(layer, x, p, shape):
        axes, channels = layer.windows(shape)
        height, width = (axis.size for axis in axes)
        image = np.array(x, object).reshape(1, height, width, channels).tolist()
        options = {name: True for name in ("ceil_mode", "count_padding") if getattr(layer, name, False)}
        a = function(image, tuple(axis.kernel for axis in axes), tuple(axis.stride for axis in axes),
                     tuple((axis.before, axis.after) for axis in axes), tuple(axis.dilation for axis in axes), **options)
        return np.array(a, object).ravel().tolist()

    return pool


def exact_convolution(layer, x, p, shape):
    """Compute by the connections of its windows, as the loops do."""
    axes, channels, features = layer.geometry(shape)
    (rows, columns), kernel = axes, p["weight"] if layer.axes == 2 else [p["weight"]]
    in_group = len(kernel[0][0])
    of_group = features * in_group // channels
    z = list(p["bias"]) * (rows.size * columns.size if layer.transposed else rows.out * columns.out)
    for r, c, i, j, y, x_ in connections(rows, columns):
        window, pixel = r * columns.out + c, y * columns.size + x_
        for f in range(features):
            for k in range(in_group):
                low, high = pixel * channels + f // of_group * in_group + k, window * features + f
                source, target = (high, low) if layer.transposed else (low, high)
                z[target] += x[source] * kernel[i][j][k][f]
    return z


def exact_image(function, *options):
    """What the loops make of an image of these numbers, with options that the layer has."""

    def made(layer, x, p, shape):
        image = np.array(x, object).reshape(1, *shape).tolist()
        return np.array(function(image, *(getattr(layer, option) for option in options)), object).ravel().tolist()

    return made


def exact_crop(layer, x, p, shape):
    image = np.array(x, object).reshape(shape)
    top, left = (shape[0] - layer.height) // 2, (shape[1] - layer.width) // 2
    return image[top:top + layer.height, left:left + layer.width].ravel().tolist()


def exact_dot(layer, x, p, shape):
    length = [mpmath.sqrt(sum(v * v for v in each)) if layer.normalize else 1 for each in x]
    return [sum(v * w for v, w in zip(*x, strict=True)) / (length[0] * length[1])]


def exact_slice(layer, x, p, shape):
    axis, start, stop = layer.bounds(shape)
    return np.array(x, object).reshape(shape).take(range(start, stop), axis=axis).ravel().tolist()


def of_each(function):
    """Return the computation of a join: a function of the elements at each place."""
    return lambda layer, x, p, shape: [function(*numbers) for numbers in zip(*x, strict=True)]


def exact_recurrence(layer, x, p, shape):
    """Compute the states step by step."""
    (steps, inputs), out = shape, layer.out_features
    first = p.get("initial_state", [mpmath.mpf(0)] * 2 * out)  # h, and c behind it
    h, c, states = first[:out], first[out:], [None] * steps
    for t in reversed(range(steps)) if layer.reverse else range(steps):
        gates = products(x[t * inputs:(t + 1) * inputs], p["weight"], p["bias"])
        h, c = EXACT_STEPS[type(layer).__name__](layer, gates, h, c, p)
        states[t] = [*h, *c] if getattr(layer, "return_cells", False) else h
    return [number for state in states for number in state] if layer.return_sequences else states[0 if layer.reverse else -1]


def products(x, weight, bias):
    return [b + mpmath.fdot((v, row[j]) for v, row in zip(x, weight, strict=True)) for j, b in enumerate(bias)]


def logistic(v):
    return 1 / (1 + mpmath.exp(-v))


def exact_simple_step(layer, gates, h, c, p):
    return [exact.exact(layer.step_activation.value)(z) for z in products(h, p["recurrent_weight"], gates)], c


def exact_gru_step(layer, gates, h, c, p):
    out = len(h)
    own = products(h, p["recurrent_weight"], p.get("recurrent_bias", [mpmath.mpf(0)] * 3 * out))
    z, r = ([logistic(gates[first + j] + own[first + j]) for j in range(out)] for first in (0, out))
    if layer.reset_after:
        product = [a * b for a, b in zip(r, own[2 * out:], strict=True)]
    else:
        product = products([a * b for a, b in zip(r, h, strict=True)], p["recurrent_weight"],
                           [mpmath.mpf(0)] * 3 * out)[2 * out:]
    n = [mpmath.tanh(gates[2 * out + j] + product[j]) for j in range(out)]
    return [z[j] * h[j] + (1 - z[j]) * n[j] for j in range(out)], c


def exact_lstm_step(layer, gates, h, c, p):
    out, of = len(h), p.get("peepholes", [mpmath.mpf(0)] * 3 * len(h))
    z = products(h, p["recurrent_weight"], gates)
    i, f = ([logistic(z[first + j] + of[first + j] * c[j]) for j in range(out)] for first in (0, out))
    c = [f[j] * c[j] + i[j] * mpmath.tanh(z[2 * out + j]) for j in range(out)]
    return [logistic(z[3 * out + j] + of[2 * out + j] * c[j]) * mpmath.tanh(c[j]) for j in range(out)], c


def exact_attention_pool(layer, x, p, shape):
    steps, features = shape
    rows = [x[t * features:(t + 1) * features] for t in range(steps)]
    powers = [mpmath.exp(mpmath.fdot(p["query"], k) / mpmath.sqrt(features)) for k in rows]
    return [mpmath.fdot(powers, column) / sum(powers) for column in zip(*rows, strict=True)]


def exact_positions(layer, x, p, shape):
    steps, features = shape
    angles = [t / mpmath.mpf(10000) ** (mpmath.mpf(j - j % 2) / features) for t in range(steps) for j in range(features)]
    return [v + (mpmath.cos(angle) if k % features % 2 else mpmath.sin(angle))
            for k, (v, angle) in enumerate(zip(x, angles, strict=True))]


def exact_position_embedding(layer, x, p, shape):
    return [v + p["weight"][k // shape[1]][k % shape[1]] for k, v in enumerate(x)]


def exact_heads(layer, x, p, shape):
    """Compute each head as an attention of its own columns, of a series that attends to itself."""
    (x,), ((steps, features),) = x, shape
    query, keys, values = ([products(x[t * features:(t + 1) * features], p[f"{name}_weight"], p[f"{name}_bias"])
                            for t in range(steps)] for name in ("query", "key", "value"))
    a, size = [], len(query[0]) // layer.heads
    for t in range(steps):
        seen, joined = range(t + 1 if layer.causal else steps), []
        for own in (slice(head * size, (head + 1) * size) for head in range(layer.heads)):
            powers = [mpmath.exp(mpmath.fdot(query[t][own], keys[j][own]) / mpmath.sqrt(size)) for j in seen]
            columns = zip(*(values[j][own] for j in seen), strict=True)
            joined += [mpmath.fdot(powers, column) / sum(powers) for column in columns]
        a += products(joined, p["output_weight"], p["output_bias"])
    return a


def exact_attention(layer, x, p, shape):
    """Compute the weights of each query, of a series that attends to itself."""
    (x,), ((steps, features),) = x, shape
    rows, a = [x[t * features:(t + 1) * features] for t in range(steps)], []
    for t, q in enumerate(rows):
        seen = rows[:t + 1] if layer.causal else rows
        if layer.score == "dot":
            scores = [mpmath.fdot(q, k) / mpmath.sqrt(features) for k in seen]
        else:
            scores = [sum(w * mpmath.tanh(u + v) for w, u, v in zip(p["weight"], q, k, strict=True)) for k in seen]
        powers = [mpmath.exp(score) for score in scores]
        a += [mpmath.fdot(powers, column) / sum(powers) for column in zip(*seen, strict=True)]
    return a


EXACT_STEPS = {"SimpleRNN": exact_simple_step, "GRU": exact_gru_step, "LSTM": exact_lstm_step}

# The computation of each layer for a sample, before its activation.
EXACT_LAYERS = {
    "Add": of_each(lambda *x: sum(x)),
    "Subtract": of_each(lambda x, y: x - y),
    "Average": of_each(lambda *x: sum(x) / len(x)),
    "Multiply": of_each(lambda *x: mpmath.fprod(x)),
    "Maximum": of_each(max),
    "Concatenate": lambda layer, x, p, shape: [number for each in x for number in each],
    "Slice": exact_slice,
    "Dot": exact_dot,
    "Dense": exact_dense,
    "Activation": lambda layer, x, p, shape: x,
    "BatchNorm": exact_channel_norm,
    "Dropout": lambda layer, x, p, shape: x,
    "LayerNorm": exact_pixel_norm,
    "ZeroPad2D": exact_image(naive.zero_pad2d_forward, "padding"),
    "Pad2D": exact_image(naive.pad2d_forward, "padding", "mode", "value"),
    "UpSample2D": exact_image(naive.up_sample2d_forward, "size"),
    **dict.fromkeys(["GaussianNoise", "RandomFlip", "RandomShift"], lambda layer, x, p, shape: x),
    "RandomCrop": exact_crop,
    "Rescale": lambda layer, x, p, shape: [v * mpmath.mpf(layer.scale) + mpmath.mpf(layer.offset) for v in x],
    "Normalize": lambda layer, x, p, shape: [(v - p["mean"][k % shape[-1]]) * p["scale"][k % shape[-1]]
                                             for k, v in enumerate(x)],
    "GroupNorm": exact_group_norm,
    "Attention": exact_attention,
    "AttentionPool": exact_attention_pool,
    "MultiHeadAttention": exact_heads,
    "PositionEmbedding": exact_position_embedding,
    "PositionalEncoding": exact_positions,
    "LastStep": lambda layer, x, p, shape: x[-math.prod(shape[1:]):],
    **dict.fromkeys(EXACT_STEPS, exact_recurrence),
    "Flatten": lambda layer, x, p, shape: x,
    "Reshape": lambda layer, x, p, shape: x,
    **dict.fromkeys(["Conv1D", "Conv2D", "DepthwiseConv2D", "ConvTranspose2D"], exact_convolution),
    **dict.fromkeys(["MaxPool1D", "MaxPool2D", "GlobalMaxPool"], exact_pool(naive.max_pool2d_forward)),
    **dict.fromkeys(["AveragePool1D", "AveragePool2D", "GlobalAveragePool"], exact_pool(naive.average_pool2d_forward)),
}


def test_every_layer_is_among_the_exact_ones():
    assert set(EXACT_LAYERS) == set(layers) - set(TOKENS)  # those only take numbers from their weights


def exact_outputs(net, row):
    """Return the outputs for one sample, in multiple precision."""
    with mpmath.workdps(exact.DIGITS):
        tensors = [exact.numbers(row)]
        for index, layer, reads, _ in net.wiring.steps:
            given = [tensors[tensor] for tensor in reads]
            a, shape = (given, [net.shapes[tensor] for tensor in reads]) if layer.joins else (given[0], net.shapes[reads[0]])
            arrays = {name.split(".", 1)[1]: exact.numbers(view) for name, view in {**net.parameters, **net.state}.items()
                      if name.startswith(f"{index}.")}
            z, record = EXACT_LAYERS[type(layer).__name__](layer, a, arrays, shape), layer.activation_record
            value = exact.exact(record.value)
            tensors.append(value(z) if record.rowwise else [value(each) for each in z])
        return [float(each) for each in tensors[-1]]


def assert_forward_is_exact(stack, inputs):
    net = Network(stack, inputs=inputs, dtype="float64", loss=None, seed=SEED)
    rng = np.random.default_rng(SEED)
    for view in (*net.parameters.values(), *net.state.values()):
        view[...] += rng.uniform(0.05, 0.3, view.shape)
    X = 2 * rng.normal(size=(3, inputs))
    expected = np.array([exact_outputs(net, row) for row in X])
    assert (np.abs(net.forward(X) - expected) <= 1e-12 * np.maximum(1, np.abs(expected))).all(), stack


@pytest.mark.parametrize("name", activations)
def test_networks_of_every_activation(name):
    assert_forward_is_exact([Dense(33, name), Dense(17, name), Dense(3, name)], 17)


@pytest.mark.parametrize("name", LAYERS)
def test_networks_of_every_layer(name):
    last = 3 if len(placed(name, 3)) == 1 else 12
    stack = [*placed(name, 33), Dense(20, "tanh"), *placed(name, 20), Dense(last)]
    assert_forward_is_exact(stack + placed(name, last) * LAYERS[name].can_be_last, 33)


def test_a_network_of_long_sums():
    assert_forward_is_exact([Dense(3, "tanh"), Dense(1030, "relu"), Dense(2, "softmax")], 520)
