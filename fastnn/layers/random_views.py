"""Images seen otherwise in each step of training: mirrored, shifted or cropped."""

from dataclasses import dataclass

from ..checks import true_or_false, whole_number
from ..kernels.layers.dropout import advance_row
from ..kernels.layers.random_views import random_view_row
from ..runtime.threads import NUMBERS_PER_PART
from .base import Layer, register
from .windows import image_shape, lists, per_axis, shorter


class RandomView(Layer):
    """Base of the layers that see images otherwise in training; in prediction they see the middle of them."""

    can_be_last = False
    draws = True
    functions = "random_view_forward", "random_view_backward"
    mirrors = False, False

    def size(self, shape):
        """(height, width) of what is seen of an image of this shape."""
        return shape[:2]

    def ranges(self, shape):
        """((least, most), (least, most)) of the row and of the column at which what is seen begins."""
        return (0, 0), (0, 0)

    def output_shape(self, shape):
        return (*self.size(image_shape(self, shape)), shape[2])

    def lower(self, program, index, x, activation):
        size, word = self.size(x.shape), program.network.vectors.random_word(index)
        if not program.as_in_training and size == x.shape[:2]:
            return x
        x = program.in_arena(x)
        a = program.tensor((*size, x.shape[2]))
        down, across = self.ranges(x.shape) if program.as_in_training else middle(x.shape, size)
        program.emit(random_view_row(
            program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x.shape, size, down=down,
            across=across, mirrors=self.mirrors if program.as_in_training else (False, False), word=word, x=x.offset,
            a=a.offset, da=a.gradient, dx=x.gradient if program.training else None,
        ))
        if program.as_in_training:
            program.emit_last(advance_row(program.dtype, word))
        return a

    def onnx(self, graph, x, parameters):
        size = self.size(graph.shape)
        if size == graph.shape[:2]:
            return x
        starts = [begin for begin, _ in middle(graph.shape, size)]
        ends = [start + number for start, number in zip(starts, size, strict=True)]
        return graph("Slice", x, *(graph.tensor(name, values, "int64") for name, values in
                                   (("starts", starts), ("ends", ends), ("axes", [1, 2]))))


def middle(shape, size):
    """Where the middle of an image begins, as `ranges` has it."""
    return tuple(((whole - part) // 2,) * 2 for whole, part in zip(shape, size, strict=False))


@register
@dataclass(frozen=True)
class RandomFlip(RandomView):
    """Mirror images in training, each with probability ½; in prediction they stay as they are.

    What is mirrored in a step depends on the network's seed and on how many steps it has trained, not on threads.

    Parameters
    ----------
    horizontal : bool, default True
        Whether left and right are exchanged.
    vertical : bool, default False
        Whether top and bottom are.

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
            raise ValueError("RandomFlip(horizontal=False, vertical=False) mirrors nothing; leave the layer out")

    @property
    def mirrors(self):
        return self.vertical, self.horizontal


@register
@dataclass(frozen=True)
class RandomShift(RandomView):
    """Shift images in training, each by random numbers of pixels; in prediction they stay as they are.

    Pixels that come in at the edges are 0. What is drawn in a step depends on the network's seed and on how many steps it
    has trained, not on threads.

    Parameters
    ----------
    pixels : int or (int, int)
        How many pixels at most, up and down and to the left and right.

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
            raise ValueError(f"{self!r} may shift an image of {height}×{width} pixels out of sight; take less")
        return height, width, channels

    def config(self):
        return {"layer": "RandomShift", "pixels": lists(self.pixels)}


@register
@dataclass(frozen=True)
class RandomCrop(RandomView):
    """Keep a part of each image, in training at a random place, in prediction from the middle.

    What is drawn in a step depends on the network's seed and on how many steps it has trained, not on threads.

    Parameters
    ----------
    height, width : int
        Of the part.

    Examples
    --------
    >>> from fastnn import Dense, Flatten, Network, RandomCrop
    >>> Network([RandomCrop(24, 24), Flatten(), Dense(10)], inputs=(28, 28, 1)).shapes
    [(28, 28, 1), (24, 24, 1), (576,), (10,)]
    """

    height: int
    width: int

    def __post_init__(self):
        for name in ("height", "width"):
            object.__setattr__(self, name, whole_number(f"RandomCrop({name}=...)", getattr(self, name)))

    def size(self, shape):
        return self.height, self.width

    def ranges(self, shape):
        return (0, shape[0] - self.height), (0, shape[1] - self.width)

    def output_shape(self, shape):
        height, width, channels = image_shape(self, shape)
        if self.height > height or self.width > width:
            raise ValueError(f"{self!r} is larger than an image of {height}×{width} pixels; take a smaller part, or put a "
                             "ZeroPad2D before it")
        return self.height, self.width, channels
