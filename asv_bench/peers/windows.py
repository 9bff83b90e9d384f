"""The convolutions of the nets: kinds, sizes and paddings."""

import math
from dataclasses import dataclass

# The blocks of a net that are convolutions. ("conv", channels, kernel) has no padding, and relu. ("same", channels, kernel,
# stride) and ("valid", …), with and without padding, have batch normalization and then relu, and so has ("each", kernel,
# stride), where a channel depends on one channel. ("each valid", kernel, stride) has nothing else.
KINDS = "conv", "same", "valid", "each", "each valid"


@dataclass(frozen=True)
class Windows:
    """A convolution; sizes are down and across. groups: 1, or the number of channels."""

    channels: int
    features: int
    kernel: tuple[int, int]
    stride: int
    padding: tuple[tuple[int, int], tuple[int, int]]
    groups: int
    normalized: bool
    activated: bool
    out_shape: tuple[int, int, int]

    @property
    def multiply_adds(self):
        """Return their number for a sample."""
        return math.prod(self.out_shape) * math.prod(self.kernel) * self.channels // self.groups


def windows(kind, *numbers, shape):
    """Return the convolution of a block, for samples of a shape (height, width, channels)."""
    *sizes, channels = shape
    each = kind.startswith("each")
    features, kernel, stride = (*((channels, *numbers) if each else numbers), 1)[:3]
    kernel = tuple(kernel) if isinstance(kernel, (tuple, list)) else (kernel, kernel)
    padding = [sides(size, width, stride) if kind in ("same", "each") else (0, 0)
               for size, width in zip(sizes, kernel, strict=True)]
    out = [(size + sum(pads) - width) // stride + 1 for size, pads, width in zip(sizes, padding, kernel, strict=True)]
    return Windows(channels, features, kernel, stride, tuple(padding), channels if each else 1,
                   kind in ("same", "valid", "each"), kind != "each valid", (*out, features))


def sides(size, kernel, stride):
    """Return the padding of ⌈size / stride⌉ windows: for an odd kernel alike on both sides, as in PyTorch."""
    if kernel % 2:
        return kernel // 2, kernel // 2
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2
