"""What layers that join several tensors have in common."""

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
            raise ValueError(f"{self!r} joins tensors of one shape, and here they are {listed(shapes)}: a number is not "
                             "repeated to fit; repeat it, as in Concatenate()(gate, gate), or write a CustomLayer")
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


def listed(shapes):
    return " and ".join(map(str, shapes))


def axis_of(layer, axis, shape):
    """Return an axis of a sample of this shape, counted from 0."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{layer!r} has axis={axis}, and a sample of shape {shape} has the axes 0 to {len(shape) - 1}")
    return axis % len(shape)
