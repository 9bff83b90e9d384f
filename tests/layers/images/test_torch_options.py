"""Layers on images and series with options drawn at random: values and gradients are those of PyTorch.

Sides are padded separately, strides pass over pixels, kernels reach beyond the image, groups and channels are of any number.
The images are the weight of a dense layer before the layer, so that their gradients are compared too. "same" and ceil_mode
are written out here by their definition, since PyTorch pads both sides alike.
"""

import random

import numpy as np
import pytest

from fastnn import (
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    Network,
    Pad2D,
    Reshape,
    UpSample2D,
    ZeroPad2D,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional
KINDS = [Conv2D, DepthwiseConv2D, ConvTranspose2D, Conv1D, MaxPool2D, AveragePool2D, MaxPool1D, AveragePool1D, Pad2D,
         ZeroPad2D, UpSample2D, GlobalMaxPool, GlobalAveragePool, LayerNorm, GroupNorm, BatchNorm]
SEEDS = [*range(len(KINDS)), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(len(KINDS), 1600))]
TOLERANCE = {"float64": 1e-11, "float32": 1e-4}  # relative to the largest number of a tensor
ACTIVATIONS = {"identity": lambda z: z, "tanh": torch.tanh, "silu": functional.silu, "elu": functional.elu}


def sides(draw, most):
    return draw.randint(0, most), draw.randint(0, most)


def drawn(draw, kind):
    """Return a layer with options, which may not fit, and the shape of a sample, with any number of channels."""
    axes = 1 if kind in (Conv1D, MaxPool1D, AveragePool1D) else 2
    channels = draw.choice([1, 2, 3, 4, 6, 8, 12, 16, 17, 33, 64, 70])
    sizes = tuple(draw.randint(1, 11 if axes == 2 else 40) for _ in range(axes))
    kernel, stride, dilation = (tuple(draw.choice(some) for _ in range(axes))
                                for some in ([1, 2, 3, 3, 4, 5, 7], [1, 1, 1, 2, 3, 5], [1, 1, 1, 2, 3]))
    padding = draw.choice(["valid", "same", draw.randint(0, 3), tuple(sides(draw, 4) for _ in range(axes))])
    groups = draw.choice([each for each in range(1, channels + 1) if channels % each == 0])
    options = {"stride": stride, "dilation": dilation, "padding": padding}
    if kind in (MaxPool1D, MaxPool2D, AveragePool1D, AveragePool2D):
        more = {"ceil_mode": draw.random() < 0.5, "stride": draw.choice([None, stride])}
        more |= {"count_padding": draw.random() < 0.5} if kind in (AveragePool1D, AveragePool2D) else {}
        layer = kind(kernel, **options | more)
    elif kind in (Conv1D, Conv2D, ConvTranspose2D):
        more = {"groups": groups, "activation": draw.choice([*ACTIVATIONS])}
        if kind is ConvTranspose2D and padding != "same":
            more |= {"output_padding": tuple(draw.randint(0, 2) for _ in range(2))}
        if kind is Conv1D and draw.random() < 0.3:
            more |= {"padding": "causal"}
        layer = kind(groups * draw.randint(1, max(1, 40 // groups)), kernel, **options | more)
    else:
        layer = {
            DepthwiseConv2D: lambda: kind(kernel, draw.choice([*ACTIVATIONS]), multiplier=draw.randint(1, 3), **options),
            Pad2D: lambda: kind((sides(draw, 5), sides(draw, 5)), draw.choice(["constant", "edge", "reflect", "wrap"])),
            ZeroPad2D: lambda: kind((sides(draw, 3), sides(draw, 3))), UpSample2D: lambda: kind(stride),
            GroupNorm: lambda: kind(groups),
        }.get(kind, kind)()
    return layer, (*sizes, channels)


def before_and_after(layer, sizes, kernel, stride, dilation):
    """Return the padding of each axis, by the definitions of TensorFlow where it has a name."""
    if layer.padding == "valid":
        return [(0, 0)] * len(sizes)
    if layer.padding == "causal":
        return [((kernel[0] - 1) * dilation[0], 0)]
    if layer.padding == "same":
        totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
                  for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return pairs(layer.padding, len(sizes))


def pairs(padding, axes):
    """Return a padding in numbers as a pair for each axis."""
    given = [padding] * axes if isinstance(padding, int) else [padding] if axes == 1 and len(padding) == 2 and (
        isinstance(padding[0], int)) else [*padding]
    return [(each, each) if isinstance(each, int) else tuple(each) for each in given]


def each_axis(value, axes):
    return [value] * axes if isinstance(value, int) else [*value]


def padded(x, both, **options):
    """Return x (samples, channels, *sizes) with the pairs before and after each axis."""
    return functional.pad(x, [side for pair in reversed(both) for side in pair], **options)


def convolved(layer, x, weight, bias):
    axes = x.ndim - 2
    kernel, stride, dilation = (each_axis(value, axes) for value in (layer.kernel_size, layer.stride, layer.dilation))
    both = before_and_after(layer, x.shape[2:], kernel, stride, dilation)
    weight = weight.permute(*range(axes + 1, axes - 1, -1), *range(axes)).contiguous()
    groups = x.shape[1] if isinstance(layer, DepthwiseConv2D) else layer.groups
    function = functional.conv2d if axes == 2 else functional.conv1d
    return function(padded(x, both), weight, bias, stride=stride, dilation=dilation, groups=groups)


def transposed(layer, x, weight, bias):
    """Each pixel times the kernel, `stride` pixels apart; what the padding says is cut off, or is bias alone."""
    kernel, stride, dilation, more = (each_axis(value, 2) for value in (layer.kernel_size, layer.stride, layer.dilation,
                                                                        layer.output_padding))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if layer.padding == "same":
        before = [max(span - s, 0) // 2 for span, s in zip(spans, stride, strict=True)]
        sizes = [n * s for n, s in zip(x.shape[2:], stride, strict=True)]
    else:
        both = pairs(0 if layer.padding == "valid" else layer.padding, 2)
        before = [pair[0] for pair in both]
        sizes = [(n - 1) * s + span - sum(pair) + each
                 for n, s, span, pair, each in zip(x.shape[2:], stride, spans, both, more, strict=True)]
    full = functional.conv_transpose2d(x, weight.permute(3, 2, 0, 1).contiguous(), None, stride=stride, dilation=dilation,
                                       groups=layer.groups)
    missing = [(0, max(0, first + size - n)) for first, size, n in zip(before, sizes, full.shape[2:], strict=True)]
    full = padded(full, missing)
    return full[:, :, before[0]:before[0] + sizes[0], before[1]:before[1] + sizes[1]] + bias[:, None, None]


def pooled(layer, x):
    """The windows one by one: each begins before the end of the image, or none does and it is not counted."""
    axes = x.ndim - 2
    kernel, dilation = each_axis(layer.kernel_size, axes), each_axis(layer.dilation, axes)
    stride = kernel if layer.stride is None else each_axis(layer.stride, axes)
    both = before_and_after(layer, x.shape[2:], kernel, stride, dilation)
    taken = []
    for n, k, s, d, (before, after) in zip(x.shape[2:], kernel, stride, dilation, both, strict=True):
        end, span = n + after, (k - 1) * d + 1
        starts = [*range(-before, end - span + 1, s)]
        if layer.ceil_mode:
            more = starts[-1] + s if starts else -before
            if (starts[-1] + span if starts else -before) < end and more < n:
                starts.append(more)  # for the rest that no whole window reaches
            starts = [start for start in starts if start < n]
        taken.append([[start + i * d for i in range(k) if start + i * d < end] for start in starts])
    if axes == 1:
        x, taken = x[:, :, None], [[[0]], *taken]
    rows = [torch.stack([of_window(layer, x, rows, columns) for columns in taken[1]], dim=2) for rows in taken[0]]
    found = torch.stack(rows, dim=2)
    return found[:, :, 0] if axes == 1 else found


def of_window(layer, x, rows, columns):
    inside = [[place for place in places if 0 <= place < n] for places, n in zip((rows, columns), x.shape[2:], strict=True)]
    pixels = x[:, :, inside[0]][:, :, :, inside[1]].flatten(2)
    if isinstance(layer, (MaxPool1D, MaxPool2D)):
        return pixels.amax(2)
    return pixels.sum(2) / (len(rows) * len(columns) if layer.count_padding else pixels.shape[2])


def normalized(layer, x, axes, p):
    """Return x (samples, groups, channels, height, width) normalized over axes."""
    centered = x - x.mean(axes, keepdim=True)
    return (centered / ((centered ** 2).mean(axes, keepdim=True) + layer.epsilon).sqrt()).flatten(1, 2) * (
        p[0][:, None, None]) + p[1][:, None, None]


def around(layer, x):
    """Return x padded with its own pixels, as often as it takes; PyTorch takes less padding than pixels."""
    rows, columns = (np.pad(np.arange(n), both, mode=layer.mode)
                     for n, both in zip(x.shape[2:], pairs(layer.padding, 2), strict=True))
    return x[:, :, rows][:, :, :, columns]


def in_torch(layer, x, p):
    """Return what a layer makes of x (samples, channels, *sizes) before its activation; p: its parameters, in order."""
    if isinstance(layer, ConvTranspose2D):
        return transposed(layer, x, *p)
    if isinstance(layer, (Conv1D, Conv2D, DepthwiseConv2D)):
        return convolved(layer, x, *p)
    if hasattr(layer, "ceil_mode"):
        return pooled(layer, x)
    return {
        Pad2D: lambda: padded(x, pairs(layer.padding, 2)) if layer.mode == "constant" else around(layer, x),
        ZeroPad2D: lambda: padded(x, pairs(layer.padding, 2)),
        UpSample2D: lambda: x.repeat_interleave(each_axis(layer.size, 2)[0], 2).repeat_interleave(
            each_axis(layer.size, 2)[1], 3),
        GlobalMaxPool: lambda: x.flatten(2).amax(2), GlobalAveragePool: lambda: x.flatten(2).mean(2),
        LayerNorm: lambda: normalized(layer, x[:, None], 2, p),
        BatchNorm: lambda: normalized(layer, x[:, None], (0, 3, 4), p),
        GroupNorm: lambda: normalized(layer, x.unflatten(1, (layer.groups, -1)), (2, 3, 4), p),
    }[type(layer)]()


def made(seed, dtype):
    """Return a network of a random layer that fits its random samples, and their number."""
    draw = random.Random(seed)
    while True:
        layer, shape = drawn(draw, KINDS[seed % len(KINDS)])
        try:
            if np.prod(layer.output_shape(shape)) <= 6000:
                break
        except ValueError:
            continue
    samples, width = draw.choice([2, 3, 5, 16, 17]), int(np.prod(shape))
    net = Network([Dense(width), Reshape(shape), layer, Flatten()], inputs=samples, loss="squared_error", dtype="float64")
    numbers = np.random.default_rng(seed)
    for view in net.parameters.values():
        view[...] = numbers.normal(size=view.shape)
    return net.astype(dtype), samples


def worst(seed, dtype):
    """Return the largest differences of the outputs and of each gradient, relative to the largest number of each."""
    net, samples = made(seed, dtype)
    layer, shape = net.layers[2], net.shapes[2]
    y = np.random.default_rng(seed + 1).normal(size=(samples, net.outputs)).astype(dtype)
    X = np.eye(samples, dtype=dtype)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    exact = {name: torch.tensor(view.astype("float64"), requires_grad=True) for name, view in net.parameters.items()}
    x = (exact["0.weight"] + exact["0.bias"]).reshape(samples, *shape).movedim(-1, 1)
    out = ACTIVATIONS[getattr(layer, "activation", "identity")](in_torch(layer, x, [*exact.values()][2:]))
    out = out.movedim(1, -1).flatten(1)
    total = 0.5 * ((out - torch.tensor(y.astype("float64"))) ** 2).sum() / samples
    total.backward()
    found = {"loss": abs(loss / total.item() - 1)}
    if not isinstance(layer, BatchNorm):  # which predicts from running statistics
        found["outputs"] = relative(net.forward(X), out.detach().numpy())
    largest = max(float(tensor.grad.abs().max()) for tensor in exact.values())
    return found | {name: relative(gradients[name], tensor.grad.numpy(), 1e-3 * largest) for name, tensor in exact.items()}


def relative(found, expected, least=0.0):
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / max(np.abs(expected).max(), least, 1e-300)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_gradients(seed):
    for dtype, tolerance in TOLERANCE.items():
        found = worst(seed, dtype)
        assert max(found.values()) <= tolerance, (dtype, found, made(seed, dtype)[0].layers[2])
