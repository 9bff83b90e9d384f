"""Random nets on images and series of one length: convolutions with any options, pools, normalizations, of odd sizes.

Every third net is narrow: many of its convolutions, most with a pool behind them, are of one channel to one feature, which
is a convolution of each channel for itself.
"""

import math
import random

from fastnn import (
    Activation,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
    Network,
    UpSample2D,
    ZeroPad2D,
)

CHANNELS = 1, 1, 1, 2, 3, 4, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40
ACTIVATIONS = "identity", "relu", "relu", "tanh", "sigmoid", "silu", "softplus", "leaky_relu"
MOST_NUMBERS, MOST_PARAMETERS = 5000, 20000  # of a sample after any layer; of a layer


def pair(draw, axes, some):
    return tuple(draw.choice(some) for _ in range(axes))


def padding(draw, axes):
    sides = tuple((draw.randint(0, 4), draw.randint(0, 4)) for _ in range(axes))
    return draw.choice(["valid", "same", "same", draw.randint(0, 3), sides, *["causal"] * (axes == 1)])


def convolution(draw, shape, narrow):
    """Return a convolution of any kind, which may not fit. narrow: whether it has as few features as can be."""
    axes, channels = len(shape) - 1, shape[-1]
    few = draw.random() < 0.3  # a kernel of one tap
    options = {
        "kernel": pair(draw, axes, [1] if few else [1, 2, 3, 3, 3, 4, 5, 7]),
        "stride": pair(draw, axes, [1, 1, 1, 1, 2, 3]) if draw.random() < 0.5 else 1,
        "dilation": pair(draw, axes, [1, 1, 2, 3]) if draw.random() < 0.4 else 1,
        "padding": padding(draw, axes), "activation": draw.choice(ACTIVATIONS),
    }
    kernel = options.pop("kernel")
    kind = Conv1D if axes == 1 else draw.choice([Conv2D] * 4 + [DepthwiseConv2D] * 2 + [ConvTranspose2D])
    if kind is DepthwiseConv2D:
        return kind(kernel, multiplier=draw.choice([1, 1, 2, 3]), **options)
    groups = draw.choice([n for n in range(1, channels + 1) if channels % n == 0]) if draw.random() < 0.3 else 1
    features = groups * draw.randint(1, max(1, 40 // groups)) if groups > 1 else draw.choice(CHANNELS)
    if narrow:
        features = groups if draw.random() < 0.8 else 2 * groups
    if kind is ConvTranspose2D and options["padding"] != "same":
        options["output_padding"] = pair(draw, axes, [0, 0, 1, 2])
    return kind(features, kernel, groups=groups, **options)


def pool(draw, shape):
    axes = len(shape) - 1
    largest, mean = (MaxPool1D, AveragePool1D) if axes == 1 else (MaxPool2D, AveragePool2D)
    if draw.random() < 0.6:
        return largest(2)
    options = {"stride": draw.choice([None, pair(draw, axes, [1, 2, 3])]), "ceil_mode": draw.random() < 0.5,
               "padding": draw.choice(["valid", "same", 1])}
    return draw.choice([largest, mean])(pair(draw, axes, [1, 2, 3, 4]), **options)


def other(draw, shape):
    channels = shape[-1]
    made = [lambda: LayerNorm(), lambda: Dropout(0.3, channels=draw.random() < 0.5), lambda: BatchNorm(),
            lambda: GroupNorm(draw.choice([n for n in range(1, channels + 1) if channels % n == 0])),
            lambda: Activation(draw.choice(ACTIVATIONS))]
    if len(shape) == 3:
        made += [lambda: UpSample2D(pair(draw, 2, [1, 2, 3])), lambda: ZeroPad2D(draw.randint(1, 2))]
    return draw.choice(made)()


def some_layers(draw, shape, narrow):
    """Return one to three layers that come after each other."""
    what = 0.15 + 0.7 * draw.random() if narrow else draw.random()  # mostly with a pool
    if what < 0.3:
        return [convolution(draw, shape, narrow)]
    if what < (0.4 if narrow else 0.55):
        return [convolution(draw, shape, narrow), BatchNorm(), Activation("relu")]
    if what < 0.85:
        return [convolution(draw, shape, narrow), pool(draw, shape)]
    return [draw.choice([pool, other])(draw, shape)]


def parameters_of(layer, shape):
    return sum(map(math.prod, layer.parameter_shapes(shape).values()))


def random_images(seed, dtype):
    """Return a network whose input is images (height, width, channels) or series (steps, channels)."""
    draw = random.Random(seed)
    axes, narrow = 1 if draw.random() < 0.2 else 2, seed % 3 == 0
    shape = inputs = *(draw.randint(1, 40 if axes == 1 else 15) for _ in range(axes)), draw.choice(CHANNELS)
    if narrow:
        shape = inputs = *(draw.randint(4, 20) for _ in range(axes)), 1
    layers, most = [], draw.randint(2, 7)
    while len(layers) < most:
        try:
            added, after = some_layers(draw, shape, narrow), shape
            for layer in added:
                before, after = after, layer.output_shape(after)
                if math.prod(after) > MOST_NUMBERS or parameters_of(layer, before) > MOST_PARAMETERS:
                    raise ValueError("too large")
        except ValueError:
            most -= draw.random() < 0.05  # a shape that nothing fits may end the net
            continue
        layers, shape = [*layers, *added], after
    if math.prod(shape) > 1000 or draw.random() < 0.3:
        layers.append(draw.choice([GlobalAveragePool, GlobalMaxPool])())
    return Network([*layers, Flatten(), Dense(3, "softmax")], inputs=inputs, dtype=dtype, seed=seed)
