"""Random flips, shifts and crops of images in training."""

from dataclasses import dataclass

from ...checks import true_or_false, whole_number
from ...kernels.layers.randomness.dropout import advance_row
from ...kernels.layers.randomness.random_views import random_view_row
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register
from ..windows import image_shape, lists, per_axis, shorter


class RandomView(Layer):
    """Base class of layers that take a random view of each image in training and the center in prediction."""

    can_be_last = False
    draws = True
    functions = "random_view_forward", "random_view_backward"
    mirrors = False, False

    def size(self, shape):
        """Return the height and width of the view of an image of this shape."""
        return shape[:2]

    def ranges(self, shape):
        """Return the (least, most) first row and the (least, most) first column of a view."""
        return (0, 0), (0, 0)

    def output_shape(self, shape):
        return (*self.size(image_shape(self, shape)), shape[2])

    def lower(self, program, index, x, activation):
        size = self.size(x.shape)
        if not program.as_in_training and size == x.shape[:2]:
            return x
        x, (word, ahead) = program.in_arena(x), program.random_word(index)
        a = program.tensor((*size, x.shape[2]))
        down, across = self.ranges(x.shape) if program.as_in_training else center(x.shape, size)
        program.emit(random_view_row(
            program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x.shape, size, down=down,
            across=across, mirrors=self.mirrors if program.as_in_training else (False, False), word=word, ahead=ahead,
            x=x.offset, a=a.offset, da=a.gradient, dx=x.gradient if program.training else None,
        ))
        if program.as_in_training:
            program.emit_last(advance_row(program.dtype, word))
        return a

    def onnx(self, graph, x, parameters):
        size = self.size(graph.shape)
        if size == graph.shape[:2]:
            return x
        starts = [begin for begin, _ in center(graph.shape, size)]
        ends = [start + number for start, number in zip(starts, size, strict=True)]
        return graph("Slice", x, *(graph.tensor(name, values, "int64") for name, values in
                                   (("starts", starts), ("ends", ends), ("axes", [1, 2]))))


def center(shape, size):
    """Return the `ranges` of the center of an image."""
    return tuple(((whole - part) // 2,) * 2 for whole, part in zip(shape, size, strict=False))


@register
@dataclass(frozen=True)
class RandomFlip(RandomView):
    """Flip images in training, each with probability ½. In prediction they are unchanged.

    The flips of a step depend on the network's seed and the number of its training steps, not on threads.

    Parameters
    ----------
    horizontal : bool, default True
        Whether to flip left and right.
    vertical : bool, default False
        Whether to flip top and bottom.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, Network, RandomFlip
    >>> net = Network([RandomFlip(), Flatten(), Dense(10, "softmax")], inputs=(32, 32, 3))
    """

    horizontal: bool = True
    vertical: bool = False

    def __post_init__(self):
        for name in ("horizontal", "vertical"):
            true_or_false(f"RandomFlip({name}=...)", getattr(self, name))
        if not (self.horizontal or self.vertical):
            raise ValueError("RandomFlip(horizontal=False, vertical=False) flips nothing; omit the layer")

    @property
    def mirrors(self):
        return self.vertical, self.horizontal


@register
@dataclass(frozen=True)
class RandomShift(RandomView):
    """Shift each image by a random number of pixels in training. In prediction images are unchanged.

    Pixels that are shifted in at the edges are 0. The shifts of a step depend on the network's seed and the number of its
    training steps, not on threads.

    Parameters
    ----------
    pixels : int or (int, int)
        The largest shift; or (the largest up and down, the largest left and right).

    Examples
    --------
    >>> from fastnn import Dense, Flatten, Network, RandomShift
    >>> net = Network([RandomShift(2), Flatten(), Dense(10, "softmax")], inputs=(28, 28, 1))
    """

    pixels: int | tuple[int, int]

    def __post_init__(self):
        object.__setattr__(self, "pixels", shorter(per_axis("RandomShift(pixels=...)", self.pixels, 2, least=0)))

    def __repr__(self):
        return f"RandomShift({self.pixels!r})"

    def ranges(self, shape):
        return tuple((-most, most) for most in per_axis("", self.pixels, 2, least=0))

    def output_shape(self, shape):
        height, width, channels = image_shape(self, shape)
        down, across = per_axis("", self.pixels, 2, least=0)
        if down >= height or across >= width:
            raise ValueError(f"{self!r} may shift an image of {height}×{width} pixels out completely; use fewer pixels")
        return height, width, channels

    def config(self):
        return {"layer": "RandomShift", "pixels": lists(self.pixels)}


@register
@dataclass(frozen=True)
class RandomCrop(RandomView):
    """Crop images: at a random position in training, at the center in prediction.

    The positions of a step depend on the network's seed and the number of its training steps, not on threads.

    Parameters
    ----------
    height : int or pair of int
        The height of the crop, or (height, width).
    width : int, optional
        By default as the height: a square.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, Network, RandomCrop
    >>> Network([RandomCrop(24, 24), Flatten(), Dense(10)], inputs=(28, 28, 1)).shapes
    [(28, 28, 1), (24, 24, 1), (576,), (10,)]
    """

    height: int
    width: int | None = None

    def __post_init__(self):
        if isinstance(self.height, (tuple, list)) and self.width is None and len(self.height) == 2:
            height, width = self.height
            object.__setattr__(self, "height", height)
            object.__setattr__(self, "width", width)
        elif self.width is None:
            object.__setattr__(self, "width", self.height)
        for name in ("height", "width"):
            object.__setattr__(self, name, whole_number(f"RandomCrop({name}=...)", getattr(self, name)))

    def size(self, shape):
        return self.height, self.width

    def ranges(self, shape):
        return (0, shape[0] - self.height), (0, shape[1] - self.width)

    def output_shape(self, shape):
        height, width, channels = image_shape(self, shape)
        if self.height > height or self.width > width:
            raise ValueError(f"{self!r} is larger than an image of {height}×{width} pixels; use a smaller crop, or put a "
                             "ZeroPad2D before it")
        return self.height, self.width, channels
