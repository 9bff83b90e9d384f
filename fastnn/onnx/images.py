"""Operators on images and series, whose channels ONNX has first and the chain last.

A graph whose input has its channels first becomes a network that takes them last. Where a graph flattens an image, the rows
of the product behind it are put in the chain's order.
"""

import math
from dataclasses import replace

import numpy as np

from ..layers import (
    AveragePool1D,
    AveragePool2D,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    GlobalAveragePool,
    GlobalMaxPool,
    LastStep,
    MaxPool1D,
    MaxPool2D,
    Pad2D,
    Reshape,
    ZeroPad2D,
)
from ..layers.windows import padding_for, windows
from .chain import Entry, Layer, Signal, UnknownForm, is_identity, scaled
from .channel_order import first_shape, last_shape
from .recognition import PROBE
from .registry import StepsFirst, constant, operator, shortest_float, signal


def channels_last(shape):
    """Of each number of a sample with channels last its place with channels first, `shape`; None if they are one."""
    places = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), 0, -1).ravel()
    return None if (places[:-1] < places[1:]).all() else places


def in_one_order(memory, other):
    return memory is other or (memory is not None and other is not None and bool((memory == other).all()))


def image(walk, x):
    """(source, shape): the layer of x, which gives images or series of this shape, the channels last."""
    x = signal(x)
    if len(x.shape) not in (2, 3):
        raise UnknownForm(f"it takes samples of shape {x.shape}; layers here take images (channels, height, width) and "
                          "series (features, steps)")
    return in_order(x, last_shape(x.shape), channels_last(x.shape))


def steps(walk, x):
    """(source, shape): the layer of x, which gives series of this shape (steps, features), the features last in x too."""
    x = signal(x)
    if len(x.shape) != 2:
        raise UnknownForm(f"it takes samples of shape {x.shape}; layers here take series (steps, features)")
    return in_order(x, x.shape, None)


def by_steps(x):
    """The signal x whose stage has the shape (steps, features), and these in their order."""
    x = signal(x)
    if x.memory is None and x.stage.shape == x.shape:
        return x
    source, shape = steps(None, x)
    return Signal(scaled(source, math.prod(shape), shape=shape), shape, PROBE)


def in_order(x, shape, wanted):
    """(source, shape): the layer of x, whose outputs have this shape. wanted: the order of their numbers, as a `memory`."""
    entry = x.stage.source
    if isinstance(entry, Entry) and entry.inputs is None and x.memory is None and x.shape == entry.sizes:
        entry.inputs, x = shape, replace(x, memory=wanted)
    if not in_one_order(x.memory, wanted):
        x = reordered(x, wanted)
    stage = x.as_stage()
    if isinstance(stage.source, Entry):
        entry = stage.source
        if is_identity(stage):
            entry.inputs = entry.shape
            return entry if entry.inputs == shape else stage.once(shape, lambda: Layer(entry, Reshape(shape), {})), shape
        if entry.inputs == shape and stage.weight.ndim < 2:
            stage = stage.once((shape, "shaped"), lambda: replace(stage, shape=shape))
    return stage.shaped(shape), shape


def reordered(x, wanted):
    """The same signal with its numbers in another order: a product that gives it has its columns moved."""
    numbers = np.arange(math.prod(x.shape))
    order, stage = numbers if wanted is None else wanted, x.stage
    if stage.weight.ndim != 2:
        raise UnknownForm(f"it takes samples of shape {x.shape}, whose channels are not the last axis in the layers before")
    place = np.argsort(numbers if x.memory is None else x.memory)[order]  # of each number among the columns
    moved = replace(stage, weight=stage.weight[:, place], bias=np.broadcast_to(stage.bias, stage.features)[place])
    last = None if x.last is None else (x.last[0], reordered(x.last[1], wanted))
    return replace(x, stage=moved, memory=wanted, last=last)


def given_by(layer, shape):
    """The signal of what a layer gives, of this shape, the channels last."""
    first, features = first_shape(shape), math.prod(shape)
    return Signal(scaled(layer, features, shape=shape if len(shape) > 1 else None), first, PROBE,
                  memory=channels_last(first) if len(shape) > 1 else None)


def applied(source, spec, shape, parameters=None):
    """The signal that a layer gives for samples of this shape, the channels last."""
    return given_by(Layer(source, spec, parameters or {}), spec.output_shape(shape))


@operator("Transpose")
def transpose(walk, node, x, *, perm=None):
    if hasattr(x, "transposed"):
        return x.transposed(walk, node, perm and list(perm))
    x = signal(x)
    if perm is not None and list(perm) in ([1, 0, 2], [2, 0, 1]) and len(x.shape) == 2:
        return StepsFirst(x if list(perm) == [1, 0, 2] else transpose(walk, node, x, perm=[0, 2, 1]))
    perm = [*range(len(x.shape), -1, -1)] if perm is None else list(perm)
    if perm[0] != 0:
        raise UnknownForm(f"it moves the axis of samples: perm is {perm}")
    entry = x.stage.source
    if isinstance(entry, Entry) and entry.inputs is None and x.shape == entry.sizes:
        entry.inputs = x.shape
    numbers = np.arange(math.prod(x.shape))
    moved = numbers.reshape(x.shape).transpose([axis - 1 for axis in perm[1:]])
    memory = np.argsort(moved.ravel())[numbers if x.memory is None else x.memory]
    return replace(x, shape=moved.shape, memory=None if (memory == numbers).all() else memory)


def window_options(sizes, kernel_shape, strides, pads, dilations, auto_pad, ceil_mode=0):
    """Kernel, stride, dilation, padding and ceil mode of an operator that slides windows, a number for each axis."""
    axes = len(sizes)
    if len(kernel_shape) != axes:
        raise UnknownForm(f"its kernel {list(kernel_shape)} does not have as many axes as its images, {axes}")
    kernel, stride, dilation = (tuple(each or [1] * axes) for each in (kernel_shape, strides, dilations))
    word = auto_pad.decode() if isinstance(auto_pad, bytes) else auto_pad
    if word == "NOTSET":
        pads = list(pads or [0] * 2 * axes)
        padding = tuple(zip(pads[:axes], pads[axes:], strict=True))
        if any(size < 0 for size in pads):
            raise UnknownForm(f"its pads are {pads}; layers here take away nothing")
    elif word == "VALID":
        padding = "valid"
    else:
        found = windows(sizes, kernel, stride, dilation, {"SAME_UPPER": "same", "SAME_LOWER": "same_lower"}[word])
        padding, ceil_mode = tuple((axis.before, axis.after) for axis in found), 0
    return {"kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": padding, "ceil_mode": bool(ceil_mode)}


def kernel_of(weight, bias, out_channels):
    """Return the parameters of a convolution from ONNX's weight, (outer, inner, *kernel)."""
    weight = constant(weight, "weight")
    bias = np.zeros(out_channels, weight.dtype) if bias is None else constant(bias, "bias")
    return {"weight": np.transpose(weight, (*range(2, weight.ndim), 1, 0)), "bias": bias}


def convolved(source, spec, shape, parameters):
    """Return the signal of a convolution. Raise an error if its parameters do not fit the images."""
    for name, wanted in spec.parameter_shapes(shape).items():
        if parameters[name].shape != wanted:
            raise UnknownForm(f"its {name} does not fit images of {shape[-1]} channels")
    return applied(source, spec, shape, parameters)


@operator("Conv")
def convolution(walk, node, x, weight, bias=None, *, kernel_shape=None, strides=None, pads=None, dilations=None,
                auto_pad="NOTSET", group=1):
    source, shape = image(walk, x)
    out_channels, _, *kernel = constant(weight, "weight").shape
    options = window_options(shape[:-1], kernel_shape or kernel, strides, pads, dilations, auto_pad)
    del options["ceil_mode"]
    spec = (Conv1D, Conv2D)[len(shape) - 2](out_channels, groups=group, **options)
    return convolved(source, spec, shape, kernel_of(weight, bias, out_channels))


@operator("ConvTranspose")
def transposed_convolution(walk, node, x, weight, bias=None, *, kernel_shape=None, strides=None, pads=None, dilations=None,
                           auto_pad="NOTSET", group=1, output_padding=None, output_shape=None):
    source, shape = image(walk, x)
    _, inner, *kernel = constant(weight, "weight").shape
    parameters, axes = kernel_of(weight, bias, inner * group), len(kernel)
    word = auto_pad.decode() if isinstance(auto_pad, bytes) else auto_pad
    options = window_options(shape[:-1], kernel_shape or kernel, strides, pads, dilations, "NOTSET")
    del options["ceil_mode"]
    options["output_padding"] = tuple(output_padding or [0] * axes)
    if output_shape or word.startswith("SAME"):  # the padding is computed from the output's size
        sizes = [size * stride for size, stride in zip(shape, options["stride"], strict=False)]
        options["padding"], options["output_padding"] = padding_for(
            shape[:-1], (output_shape or sizes)[-axes:], options["kernel_size"], options["stride"], options["dilation"],
            word != "SAME_LOWER")
    if axes == 2:
        return convolved(source, ConvTranspose2D(inner * group, groups=group, **options), shape, parameters)
    first = {"padding": (0, 0), "output_padding": 0}
    options = {name: (first.get(name, 1), *value) for name, value in options.items()}
    spec, shape = ConvTranspose2D(inner * group, groups=group, **options), (1, *shape)  # a series is an image of height 1
    wide = convolved(Layer(source, Reshape(shape), {}), spec, shape, parameters | {"weight": parameters["weight"][None]})
    return applied(wide.stage.source, Reshape(spec.output_shape(shape)[1:]), spec.output_shape(shape))


@operator("MaxPool", without_effect=["storage_order"])
def max_pool(walk, node, x, *, kernel_shape, strides=None, pads=None, dilations=None, auto_pad="NOTSET", ceil_mode=0):
    source, shape = image(walk, x)
    options = window_options(shape[:-1], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    return applied(source, (MaxPool1D, MaxPool2D)[len(shape) - 2](**options), shape)


@operator("AveragePool")
def average_pool(walk, node, x, *, kernel_shape, strides=None, pads=None, dilations=None, auto_pad="NOTSET", ceil_mode=0,
                 count_include_pad=0):
    source, shape = image(walk, x)
    options = window_options(shape[:-1], kernel_shape, strides, pads, dilations, auto_pad, ceil_mode)
    options["count_padding"] = bool(count_include_pad)
    return applied(source, (AveragePool1D, AveragePool2D)[len(shape) - 2](**options), shape)


def over_pixels(walk, x, spec, keepdims=True):
    """What a pool over all pixels gives, these axes kept as axes of one."""
    source, shape = image(walk, x)
    pooled = applied(source, spec, shape)
    return replace(pooled, shape=pooled.shape + (1,) * (len(shape) - 1)) if keepdims else pooled


def picked_step(walk, node, x, index, axis):
    """What `LastStep` gives, where a node picks the last step of series, with features as the last axis of a sample of x."""
    rank = len(x.shape) + 1
    if rank != 3 or axis != 1 or index.ndim != 0 or int(index) not in (-1, x.shape[0] - 1):
        raise UnknownForm("it picks something else than the last step of series (steps, features)")
    return over_pixels(walk, transpose(walk, node, x, perm=[0, 2, 1]), LastStep(), keepdims=False)


@operator("Pad")
def pad(walk, node, x, given=None, number=None, axes=None, *, pads=None, mode="constant", value=0.0):
    """Pad images or series. The channels are the first or the last axis of a sample of x."""
    x, mode = signal(x), mode.decode() if isinstance(mode, bytes) else mode
    rank, pads = len(x.shape) + 1, [int(n) for n in (pads or np.reshape(constant(given, "pads"), -1))]
    axes = [*range(rank)] if axes is None else [int(axis) % rank for axis in np.reshape(constant(axes, "axes"), -1)]
    if number is not None:
        value = np.reshape(constant(number, "constant_value"), -1)[0]
    sides = {axis: (pads[k], pads[k + len(axes)]) for k, axis in enumerate(axes) if pads[k] or pads[k + len(axes)]}
    # the channels are last if axis 1 is padded, or if the chain has x in this order
    is_last = 1 in sides or (x.memory is None and x.stage.shape == x.shape)
    if is_last:
        x, sides = transpose(walk, node, x, perm=[0, rank - 1, *range(1, rank - 1)]), {k + 1: v for k, v in sides.items()}
    if rank not in (3, 4) or not {*sides} <= {*range(2, rank)} or min(pads) < 0:
        raise UnknownForm(f"it pads axes {axes} by {pads}; only the height and width of images and the steps of series can "
                          "be padded")
    source, shape = image(walk, x)
    padding = tuple(sides.get(axis, (0, 0)) for axis in range(2, rank))
    number = shortest_float(np.float32(value) if isinstance(value, float) else value) if mode == "constant" else 0.0
    wide = ((0, 0), *padding)[-2:]
    spec = ZeroPad2D(wide) if (mode, number) == ("constant", 0.0) else Pad2D(wide, mode, number)
    if rank == 4:
        padded = applied(source, spec, shape)
    else:  # a series is an image of height 1
        image_of = Layer(source, Reshape((1, *shape)), {})
        longer = spec.output_shape((1, *shape))
        padded = applied(Layer(image_of, spec, {}), Reshape(longer[1:]), longer)
    return transpose(walk, node, padded, perm=[0, *range(2, rank), 1]) if is_last else padded


@operator("GlobalMaxPool")
def global_max_pool(walk, node, x):
    return over_pixels(walk, x, GlobalMaxPool())


@operator("GlobalAveragePool")
def global_average_pool(walk, node, x):
    return over_pixels(walk, x, GlobalAveragePool())


def reduced(walk, node, x, axes, keepdims, spec):
    """Return the signal of `spec` where a reduction goes over all axes of x except samples and channels, else None."""
    rank = len(x.shape) + 1
    axes = sorted(axis + rank * (axis < 0) for axis in axes)
    if rank not in (3, 4) or axes not in ([*range(2, rank)], [*range(1, rank - 1)]):
        return None
    if axes[0] == 1:  # the channels are the last axis
        if keepdims:
            return None
        x = transpose(walk, node, x, perm=[0, rank - 1, *range(1, rank - 1)])
    return over_pixels(walk, x, spec, keepdims)


@operator("ReduceMax")
def largest_of_all(walk, node, x, given=None, *, axes=None, keepdims=1):
    axes = list(axes or ()) if given is None else np.reshape(given, -1).tolist()
    found = reduced(walk, node, signal(x), axes, keepdims, GlobalMaxPool())
    if found is None:
        raise UnknownForm("it takes another maximum than that of all pixels of a channel")
    return found
