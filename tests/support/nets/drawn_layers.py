"""Layers on images and series with options drawn at random, each in a network whose parameters are its samples.

Sides are padded separately, strides pass over pixels, kernels reach beyond the image, groups and channels are of any number.
The samples are the weight of a dense layer before the layer, so that the gradients of every pixel are those of a parameter.
"""

import random

import numpy as np

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

KINDS = [Conv2D, DepthwiseConv2D, ConvTranspose2D, Conv1D, MaxPool2D, AveragePool2D, MaxPool1D, AveragePool1D, Pad2D,
         ZeroPad2D, UpSample2D, GlobalMaxPool, GlobalAveragePool, LayerNorm, GroupNorm, BatchNorm]
ACTIVATIONS = ["identity", "tanh", "silu", "softplus"]


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
        more = {"groups": groups, "activation": draw.choice(ACTIVATIONS)}
        if kind is ConvTranspose2D and padding != "same":
            more |= {"output_padding": tuple(draw.randint(0, 2) for _ in range(2))}
        if kind is Conv1D and draw.random() < 0.3:
            more |= {"padding": "causal"}
        layer = kind(groups * draw.randint(1, max(1, 40 // groups)), kernel, **options | more)
    else:
        layer = {
            DepthwiseConv2D: lambda: kind(kernel, draw.choice(ACTIVATIONS), multiplier=draw.randint(1, 3), **options),
            Pad2D: lambda: kind((sides(draw, 5), sides(draw, 5)), draw.choice(["constant", "edge", "reflect", "wrap"])),
            ZeroPad2D: lambda: kind((sides(draw, 3), sides(draw, 3))), UpSample2D: lambda: kind(stride),
            GroupNorm: lambda: kind(groups),
        }.get(kind, kind)()
    return layer, (*sizes, channels)


def drawn_network(seed, dtype):
    """Return a network of a random layer of a kind, in turn, that fits its random samples, and their number."""
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
