"""Windows over the steps of sequences of any length, for convolutions and pools."""

from dataclasses import asdict, dataclass

import numpy as np

from ..windows import padding_of, per_axis, span_of


@dataclass(frozen=True)
class StepWindows:
    """Windows of `kernel` steps; same: whether there are ⌈steps / stride⌉, with as much padding as they need."""

    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    same: bool

    @classmethod
    def of(cls, layer, stride):
        """Return the windows of a layer with these options; stride: a number, or a tuple with one."""
        kernel, dilation, stride = (per_axis("", each, 1)[0] for each in (layer.kernel_size, layer.dilation, stride))
        padding = padding_of("", layer.padding, 1, ("valid", "same", "causal"))
        sides = {"valid": (0, 0), "same": (0, 0), "causal": (span_of(kernel, dilation) - 1, 0)}
        before, after = sides[padding] if isinstance(padding, str) else padding[0]
        return cls(kernel, stride, dilation, before, after, padding == "same")

    @property
    def sizes(self):
        """The operands of rows of the table."""
        return asdict(self)

    @property
    def span(self):
        """The number of steps from the first tap of a window to its last."""
        return span_of(self.kernel, self.dilation)

    @property
    def sides(self):
        """How many steps are padded before and after any sequence; raise ValueError if that depends on its length."""
        if not self.same:
            return self.before, self.after
        before = (self.span - 1) // 2
        if max(self.span - self.stride, 0) // 2 != before:
            raise ValueError("padding='same' with this stride begins at another step for sequences of other lengths")
        return before, self.span - 1 - before

    @property
    def keep_steps(self):
        """Whether any sequence has as many windows as steps."""
        return self.stride == 1 and (self.same or self.before + self.after + 1 == self.span)

    def count(self, steps):
        """Return the numbers of windows of sequences of so many steps, an array or a number."""
        if self.same:
            return -(-steps // self.stride)
        free = steps + self.before + self.after - self.span
        return np.maximum(free // self.stride + 1, 0)

    def needed(self, windows):
        """Return the least number of steps of a sequence with so many windows."""
        if windows == 0:
            return 0
        last = (windows - 1) * self.stride
        return last + 1 if self.same else max(last + self.span - self.before - self.after, 0)

    def largest(self, rows, samples):
        """Return the largest number of windows of so many sequences with `rows` steps together."""
        padding = self.before + self.after + self.stride
        return (rows + samples * padding) // self.stride + samples
