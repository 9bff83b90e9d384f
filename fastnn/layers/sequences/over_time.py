"""The common part of layers that make one row of each sequence."""

from ..base import Layer


class OverTime(Layer):
    """Base class of layers from sequences (steps, …) to samples (…), which must have a step at least."""

    def __repr__(self):
        return f"{type(self).__name__}()"

    def works_over_time(self, shape):
        return True

    def steps_needed(self, shape, after):
        return 1

    def output_shape(self, shape):
        if len(shape) < 2:
            raise ValueError(f"{self!r} takes sequences (steps, features), and here a sample has the shape {shape}; give "
                             "inputs=(None, features) for sequences of any length, (steps, features) for those of one")
        return shape[1:]
