"""Random convolutional networks have the loss and the gradients of PyTorch's autograd."""

import random

import numpy as np
import pytest

from fastnn import (
    Activation,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool2D,
    Network,
    Rescale,
    UpSample2D,
    ZeroPad2D,
)
from fastnn.layers.windows import per_axis

torch = pytest.importorskip("torch")
functional = torch.nn.functional
SEEDS = [0, 1, 2, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 300))]
ACTIVATIONS = {"identity": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": functional.silu,
               "relu": torch.relu, "gelu": functional.gelu, "elu": functional.elu, "softplus": functional.softplus}
LIMIT = 1e-10  # relative to the largest number of a tensor


def random_layer(draw, channels):
    """Return a layer for images of so many channels; it may be too large for the image."""
    activation = draw.choice([*ACTIVATIONS])
    kernel, stride = (draw.randint(1, 4), draw.randint(1, 5)), (draw.choice([1, 1, 2]), draw.choice([1, 1, 2, 3]))
    dilation, padding = draw.choice([1, 1, (1, 2), 2]), draw.choice([0, 1, (2, 0), (1, 2)])
    groups = draw.choice([each for each in (1, 1, 2, 3) if channels % each == 0])
    pool = {"stride": draw.choice([None, 1, 2]), "padding": draw.choice([0, 0, 1]), "ceil_mode": draw.random() < 0.3}
    return draw.choice([
        lambda: Conv2D(groups * draw.randint(1, 6), kernel, activation, stride=stride, padding=padding, dilation=dilation,
                       groups=groups),
        lambda: Conv2D(draw.choice([8, 17, 33]), draw.choice([1, 3]), activation, padding=draw.choice([0, 1])),
        lambda: DepthwiseConv2D(kernel, activation, stride=stride, padding=padding, dilation=dilation),
        lambda: ConvTranspose2D(groups * draw.randint(1, 4), kernel, activation, stride=stride, dilation=dilation,
                                groups=groups),
        lambda: MaxPool2D(draw.randint(2, 3), **pool),
        lambda: AveragePool2D(draw.randint(2, 3), count_padding=draw.random() < 0.5, **pool),
        BatchNorm, LayerNorm, lambda: GroupNorm(groups), lambda: Activation(activation), lambda: Rescale(0.7, 0.1),
        lambda: UpSample2D((1, 2)), lambda: ZeroPad2D(((0, 1), (2, 0))),
    ])()


def random_net(seed):
    """Return a network of three to eight layers on images, and the end of a classifier."""
    draw = random.Random(seed)
    shape = draw.randint(5, 12), draw.randint(5, 12), draw.choice([1, 2, 3, 4, 6])
    layers, current, wanted = [], shape, draw.randint(3, 8)
    while len(layers) < wanted:
        layer = random_layer(draw, current[-1])
        try:
            after = layer.output_shape(current)
        except ValueError:
            continue
        constant = isinstance(layer, LayerNorm) and current[-1] == 1  # behind it gradients are 0 but for rounding errors
        if 1 <= min(after) and np.prod(after) <= 4000 and not constant:
            layers, current = [*layers, layer], after
    layers += [draw.choice([Flatten, GlobalAveragePool, GlobalMaxPool])(), Dense(3, "softmax")]
    net = Network(layers, inputs=shape, dtype="float64", seed=seed)
    numbers = np.random.default_rng(seed)
    for view in net.parameters.values():
        view[...] += numbers.uniform(-0.3, 0.3, size=view.shape)
    return net, numbers.normal(size=(draw.randint(2, 19), *shape))


def in_torch(layer, x, p):
    """Return what a layer makes of x, channels first, before its activation; p: its parameters by name."""
    name = type(layer).__name__
    if name in ("Conv2D", "DepthwiseConv2D", "ConvTranspose2D"):
        options = {"stride": layer.stride, "dilation": layer.dilation}
        weight, pads = p["weight"].permute(3, 2, 0, 1).contiguous(), [each[0] for each in layer.padding]
        if name == "ConvTranspose2D":
            return functional.conv_transpose2d(x, weight, p["bias"], groups=layer.groups, **options)
        groups = x.shape[1] if name == "DepthwiseConv2D" else layer.groups
        return functional.conv2d(x, weight, p["bias"], padding=pads, groups=groups, **options)
    if name in ("MaxPool2D", "AveragePool2D"):
        kernel = per_axis("", layer.kernel_size, 2)
        stride, pad = kernel if layer.stride is None else per_axis("", layer.stride, 2), layer.padding
        if name == "MaxPool2D":
            return functional.max_pool2d(x, kernel, stride, pad, ceil_mode=layer.ceil_mode)
        return functional.avg_pool2d(x, kernel, stride, pad, layer.ceil_mode, layer.count_padding)
    return {
        "BatchNorm": lambda: functional.batch_norm(x, None, None, *p.values(), True, 0.1, layer.epsilon),
        "LayerNorm": lambda: normalized(x[:, None], 2, layer, p).reshape(x.shape),
        "GroupNorm": lambda: normalized(x.unflatten(1, (layer.groups, -1)), (2, 3, 4), layer, p).reshape(x.shape),
        "Activation": lambda: x, "Rescale": lambda: layer.scale * x + layer.offset,
        "UpSample2D": lambda: x.repeat_interleave(2, dim=3), "ZeroPad2D": lambda: functional.pad(x, (2, 0, 0, 1)),
        "Flatten": lambda: x.permute(0, 2, 3, 1).flatten(1), "GlobalAveragePool": lambda: x.mean((2, 3)),
        "GlobalMaxPool": lambda: x.flatten(2).max(-1)[0],  # ties go to the first
        "Dense": lambda: x @ p["weight"] + p["bias"],
    }[name]()


def normalized(x, axes, layer, p):
    """Return x (samples, groups, channels, height, width) normalized over axes: PyTorch's own crash for one channel."""
    centered = x - x.mean(axes, keepdim=True)
    x = centered / ((centered ** 2).mean(axes, keepdim=True) + layer.epsilon).sqrt()
    scale, shift = (view.reshape(x.shape[1:3])[..., None, None] for view in p.values())
    return x * scale + shift


def worst(seed):
    """Return the largest difference of a loss or gradient, relative to the largest number of its tensor."""
    net, X = random_net(seed)
    y = np.arange(len(X)) % 3
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    parameters = {name: torch.tensor(view.copy(), requires_grad=True) for name, view in net.parameters.items()}
    x = torch.tensor(X).permute(0, 3, 1, 2)
    for index, layer in enumerate(net.layers):
        own = {name.partition(".")[2]: view for name, view in parameters.items() if name.startswith(f"{index}.")}
        z = in_torch(layer, x, own)
        last = index == len(net.layers) - 1
        x = z if last else ACTIVATIONS[getattr(layer, "activation", "identity")](z)
    total = functional.cross_entropy(x, torch.tensor(y))
    total.backward()
    found = [abs(loss - total.item()) / max(abs(total.item()), 1e-3)]
    # before a normalization a shift has the gradient 0, and a scale one of the size of epsilon: differences of larger
    # numbers, so they are compared with the others
    largest = max(np.abs(parameter.grad.numpy()).max() for parameter in parameters.values())
    for name, parameter in parameters.items():
        expected = parameter.grad.numpy()
        found.append(np.abs(gradients[name] - expected).max() / max(np.abs(expected).max(), 1e-2 * largest))
    return max(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_and_gradients(seed):
    assert worst(seed) <= LIMIT
