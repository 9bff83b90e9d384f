"""Axes of rows: samples, and the steps of sequences, of which a batch has as many as its sequences have together."""

from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..kernels.compiling.objects import WORD
from ..kernels.interpreter import axes as kernels
from ..kernels.layers.recurrence.sequences import order_numbers, order_row
from ..kernels.layers.sequences.step_windows import measure_windows_row
from ..runtime.threads import GATHERED_PER_PART


@dataclass(frozen=True)
class Axis:
    """Rows of a batch that are not its samples.

    Attributes
    ----------
    place : int
        The offset in the arena of its record, which compiled code reads with `axis_offsets` and `axis_rows`.
    rows : int
        The largest number of rows of a batch.
    longest : int
        The largest number of rows of a sample.
    """

    place: int
    rows: int
    longest: int


class Rows:
    """The part of a `Program` that knows what its rows are: samples, or the steps of an axis.

    Everything that is lowered is for the rows of the current axis, None for samples: tensors are on that axis, and rows of
    the table that are emitted compute as many rows as it has.

    Attributes
    ----------
    samples : int
        The largest number of samples in a batch.
    axis : Axis or None
    batch : int
        The largest number of rows of that axis in a batch.
    """

    axis = emitted_axis = count_of_samples = None

    def __init__(self, samples):
        self.samples = self.batch = samples
        self.axes_of_series, self.orders = {}, {}

    def set_axis(self, axis):
        self.axis, self.batch = axis, self.samples if axis is None else axis.rows

    @contextmanager
    def on(self, axis):
        """Lower for the rows of another axis; None for samples."""
        before = self.axis
        self.set_axis(axis)
        try:
            yield
        finally:
            self.set_axis(before)

    def new_axis(self, rows, longest):
        """Return an axis with memory for its record; the caller emits the row that writes it."""
        place = self.take_integers(kernels.OFFSETS + self.samples + 1)
        if self.count_of_samples is None:
            self.count_of_samples = self.bytes_of(place) + WORD * kernels.SAMPLES
        return Axis(place, rows, longest)

    def steps_of(self, x):
        """Return a tensor of the steps of x: x itself, or the same memory if its samples are series (steps, …)."""
        if x.axis is not None:
            return x
        x, (steps, *shape) = self.in_arena(x), x.shape
        if steps not in self.axes_of_series:
            with self.on(None):
                axis = self.axes_of_series[steps] = self.new_axis(self.samples * steps, steps)
                self.emit(kernels.measure_row(self.dtype, axis=axis.place, steps=steps))
        return replace(x, shape=(*shape,), axis=self.axes_of_series[steps])

    def order_of(self, axis):
        """Return the place in the arena of the order in which recurrent layers compute the sequences of an axis."""
        if axis not in self.orders:
            with self.on(None):
                self.orders[axis] = self.arena.take(order_numbers(self.dtype, self.samples, axis.longest))
                self.emit(order_row(self.dtype, order=self.orders[axis], capacity=self.samples, axis=axis.place))
        return self.orders[axis]

    def like(self, a, x):
        """Return a tensor of steps, made from `steps_of(x)`, in the form of x: of series if x is."""
        return a if x.axis is not None else replace(a, shape=(x.shape[0], *a.shape), axis=None)

    def windows_of(self, axis, windows):
        """Return the axis of `StepWindows` over the steps of another axis, of which a row of the table writes the record.

        Where each sequence has as many windows as steps, it is the same axis, so that both can be joined.
        """
        if windows.keep_steps:
            return axis
        with self.on(None):
            found = self.new_axis(windows.largest(axis.rows, self.samples), int(windows.largest(axis.longest, 1)))
            self.emit(measure_windows_row(self.dtype, axis=axis.place, windows=found.place, **windows.sizes))
        return found

    def emit_steps(self, x, source=0):
        """Emit the rows that gather the steps of a batch to the tensor x."""
        self.emit(kernels.measure_row(self.dtype, axis=x.axis.place, source=source))
        self.emit(kernels.gather_steps_row(self.dtype, self.parts(x.axis.rows * x.features, GATHERED_PER_PART),
                                           axis=x.axis.place, source=source, x=x.offset, features=x.features))

    def take_integers(self, count):
        """Reserve memory for integers in the arena."""
        return self.arena.take(-(-count * WORD // self.arena.dtype.itemsize))

    def bytes_of(self, offset):
        """Return an offset into the arena in bytes."""
        return offset * self.arena.dtype.itemsize

    def count_of(self, axis):
        """Return where the number of rows of an axis stands in the arena, in bytes."""
        return self.count_of_samples if axis is None else self.bytes_of(axis.place) + WORD * kernels.ROWS

    def switch(self, before, after):
        """Return the row after which rows of the table are for another axis."""
        return kernels.switch_row(before=self.count_of(before), after=self.count_of(after))

    def go_to_axis(self):
        """Emit a switch, where the rows emitted last are for another axis than the current one."""
        self.rows.append(self.switch(self.emitted_axis, self.axis))
        self.emitted_axis = self.axis

    def with_switches(self, row):
        """Return rows that run one for the current axis after the backward pass, in which rows are samples."""
        if self.axis is None:
            return [row]
        return [self.switch(None, self.axis), row, self.switch(self.axis, None)]
