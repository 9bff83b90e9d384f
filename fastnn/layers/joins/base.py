"""What layers that join several tensors have in common."""

import numpy as np

from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer


class Join(Layer):
    """Base class of layers that join several tensors. Their methods get the shapes of all of them.

    Attributes
    ----------
    least, most : int
        How many tensors it takes. One that takes a single tensor can stand in a list of layers.
    """

    joins = True
    adds_gradient = True
    least = 2
    most = 1 << 20

    def output_shape(self, shapes):
        """Return the shape of the output: that of all tensors."""
        self.check_count(shapes)
        if len(set(shapes)) > 1:
            raise ValueError(f"{self!r} joins tensors of one shape, and here they are {listed(shapes)}; {repair(shapes)}")
        return shapes[0]

    def check_count(self, shapes):
        """Refuse a number of tensors that it does not join."""
        if not 2 <= len(shapes) <= self.most:
            raise ValueError(f"{self!r} joins 2 {'' if self.most == 2 else 'or more '}tensors, and here there "
                             f"{'is 1' if len(shapes) == 1 else f'are {len(shapes)}'}")


class PairwiseJoin(Join):
    """Base class of joins that are computed two tensors at a time: the result of the first two and the third, …

    A subclass has `row`, the function that makes the row of two tensors.
    """

    def lower(self, program, index, given, activation):
        result, *others = (program.in_arena(x) for x in given)
        for y in others:
            a = program.tensor(result.shape)
            program.emit(type(self).row(
                program.dtype, program.parts(program.batch * a.features, NUMBERS_PER_PART), x=result.offset, y=y.offset,
                a=a.offset, features=a.features, da=a.gradient, dx=result.gradient, dy=y.gradient, adds_x=result.adds,
                adds_y=y.adds,
            ))
            result = a
        return result


def repair(shapes):
    """Return what to do so that tensors of these shapes can be joined."""
    try:
        whole = np.broadcast_shapes(*shapes)
    except ValueError:
        return (f"give them one width, as with Dense({shapes[0][0]})" if {*map(len, shapes)} == {1} else
                "bring them to one shape, as with Dense, Conv2D or Reshape")
    others = {shape for shape in shapes if shape != whole}
    if len(others) > 1 or len(whole) not in (1, 3):
        return "nothing is repeated to fit; make a layer of your own that reads both, see fastnn.CustomLayer"
    small, = others
    return f"nothing is repeated to fit; repeat what has the shape {small}, called x here, by {repetition(small, whole)}"


def repetition(shape, whole):
    """Return the code that repeats a node x of a shape to that of features or of an image, as NumPy would."""
    same_axes = (*[1] * (len(whole) - len(shape)), *shape)
    code = "x" if same_axes == shape else f"Reshape({same_axes})(x)"
    if same_axes[:-1] != whole[:-1]:
        code = f"UpSample2D({tuple(size // own for size, own in zip(whole[:-1], same_axes, strict=False))})({code})"
    return code if same_axes[-1] == whole[-1] else f"Concatenate()(*[{code}] * {whole[-1]})"


def listed(shapes):
    return " and ".join(map(str, shapes))


def axis_of(layer, axis, shape):
    """Return an axis of a sample of this shape, counted from 0."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{layer!r} has axis={axis}, and a sample of shape {shape} has the axes 0 to {len(shape) - 1}")
    return axis % len(shape)
