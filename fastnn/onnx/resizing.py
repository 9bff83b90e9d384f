"""Images of whole multiples of their size: Resize and Upsample, of which layers here repeat pixels."""

import math

import numpy as np

from ..layers import Reshape, UpSample2D
from .chain import Layer, UnknownForm
from .images import applied, image
from .registry import constant, operator, signal

# The place in the image of each pixel of the result, and the pixel taken there
PLACES = {"asymmetric": lambda i, factor: i / factor, "half_pixel": lambda i, factor: (i + 0.5) / factor - 0.5}
PLACES |= dict.fromkeys(["pytorch_half_pixel", "half_pixel_symmetric"], PLACES["half_pixel"])
ROUNDED = {"floor": np.floor, "ceil": np.ceil, "round_prefer_floor": lambda x: np.ceil(x - 0.5),
           "round_prefer_ceil": lambda x: np.floor(x + 0.5)}


@operator("Upsample")
def upsample(walk, node, x, given=None, *, scales=None, mode="nearest"):
    return resize(walk, node, x, None, np.array(scales) if given is None else given, mode=mode,
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")


@operator("Resize", without_effect=["cubic_coeff_a", "exclude_outside", "extrapolation_value"])
def resize(walk, node, x, region=None, scales=None, sizes=None, *, mode="nearest",
           coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_floor"):
    x = signal(x)
    rank = len(x.shape) + 1
    words = [word.decode() if isinstance(word, bytes) else word
             for word in (mode, coordinate_transformation_mode, nearest_mode)]
    if sizes is not None and np.size(sizes):
        wanted = [int(size) for size in constant(sizes, "sizes").reshape(-1)]
        factors = [1, *(after / before for before, after in zip(x.shape, wanted[1:], strict=True))]
    else:
        factors = [float(factor) for factor in constant(scales, "scales").reshape(-1)]
    if words[0] != "nearest" or len(factors) != rank or rank not in (3, 4) or factors[:2] != [1, 1]:
        raise UnknownForm(f"it resizes by {factors} with mode {words[0]!r}; layers here repeat the pixels of images")
    for size, factor in zip(x.shape[1:], factors[2:], strict=True):
        if not repeats(size, factor, *words[1:]):
            raise UnknownForm(f"it resizes by {factors} with {words[1]!r} and {words[2]!r}, which does not repeat each "
                              "pixel the same number of times")
    source, shape = image(walk, x)
    if rank == 4:
        return applied(source, UpSample2D(tuple(map(int, factors[2:]))), shape)
    spec, wide = UpSample2D((1, int(factors[2]))), (1, *shape)  # a series is an image of height 1
    longer = spec.output_shape(wide)
    return applied(Layer(Layer(source, Reshape(wide), {}), spec, {}), Reshape(longer[1:]), longer)


def repeats(size, factor, places, rounded):
    """Whether each of `size` pixels is taken `factor` times in succession."""
    if factor < 1 or factor != math.floor(factor) or places not in PLACES:
        return factor == 1
    i = np.arange(min(size, 3) * int(factor))
    taken = np.clip(ROUNDED[rounded](PLACES[places](i, factor)), 0, size - 1)
    return bool((taken == i // int(factor)).all())
