"""Layers on images and series with options drawn at random: values and gradients are those of PyTorch.

"same" and ceil_mode are written out here by their definition, since PyTorch pads both sides alike.
"""

import numpy as np
import pytest
from drawn_layers import KINDS, drawn_network

from fastnn import (
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    DepthwiseConv2D,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    Pad2D,
    UpSample2D,
    ZeroPad2D,
)

torch = pytest.importorskip("torch")
functional = torch.nn.functional
SEEDS = [*range(len(KINDS)), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(len(KINDS), 1600))]
TOLERANCE = {"float64": 1e-11, "float32": 1e-4}  # relative to the largest number of a tensor
ACTIVATIONS = {"identity": lambda z: z, "tanh": torch.tanh, "silu": functional.silu,
               "softplus": lambda z: functional.softplus(z, threshold=700)}  # beyond 20 it rounds to z else


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


def worst(seed, dtype):
    """Return the largest differences of the outputs and of each gradient, relative to the largest number of each."""
    net, samples = drawn_network(seed, dtype)
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
        layer, found = drawn_network(seed, dtype)[0].layers[2], worst(seed, dtype)
        # normalized over two numbers or a few, gradients are small differences of large numbers
        limit = 10 * tolerance if isinstance(layer, (LayerNorm, GroupNorm, BatchNorm)) else tolerance
        assert max(found.values()) <= limit, (dtype, found, layer)
