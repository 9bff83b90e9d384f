"""The steps of sequences of different lengths in an ONNX graph: values (batch, steps, …), padded behind the last step.

What stands in the padding may be anything, NaN included: layers that look at several steps leave it out by the lengths.
"""


class Padded:
    """The steps of sequences: those of an input, or windows over them.

    Parameters
    ----------
    graph : Graph
    name : str
        That of the size of the padded axis.
    x : str
        A value (batch, steps, …) with these steps.
    lengths : str or function
        The value (batch,) of the numbers of steps, of an input; or a function that adds it.
    """

    def __init__(self, graph, name, x, lengths):
        self.graph, self.name, self.x, self.given = graph, name, x, lengths
        self.of_input, self.is_read, self.made = isinstance(lengths, str), False, {}

    def once(self, key, make):
        if key not in self.made:
            with self.graph.within(f"{self.name}.{key}"):
                self.made[key] = make()
        return self.made[key]

    @property
    def lengths(self):
        """The numbers of steps (batch,), int64."""
        self.is_read = True
        return self.given if self.of_input else self.once("lengths", self.given)

    @property
    def sizes(self):
        """The sizes (batch, steps) of padded values."""
        return self.once("sizes", lambda: self.graph("Shape", self.x, start=0, end=2))

    @property
    def batch(self):
        """The number of sequences, as an array of one number."""
        return self.once("batch", lambda: self.graph("Shape", self.x, start=0, end=1))

    @property
    def positions(self):
        """The numbers of the steps (steps,), from 0 on."""
        def make():
            steps = self.graph("Squeeze", self.graph("Shape", self.x, start=1, end=2))
            return self.graph("Range", self.graph.integers("zero", 0), steps, self.graph.integers("one", 1))

        return self.once("positions", make)

    @property
    def mask(self):
        """Which steps a sequence has (batch, steps)."""
        return self.once("mask", lambda: self.graph("Less", self.positions, self.graph(
            "Unsqueeze", self.lengths, self.graph.integers("axis", [1]))))

    def keep(self, x, padding, axes=1):
        """Return the value x (batch, steps, …), `axes` of them behind the steps, with a number in the padding."""
        mask = self.mask
        if axes:
            mask = self.graph("Unsqueeze", mask, self.graph.integers("behind", [*range(2, 2 + axes)]))
        return self.graph("Where", mask, x, padding)

    def windows(self, windows, taps):
        """Return the steps of `StepWindows` over these, of which `taps` is a value."""
        if windows.keep_steps:
            return self
        graph, free = self.graph, sum(windows.sides) + windows.stride - windows.span

        def count():
            reached = graph("Max", graph("Add", self.lengths, graph.integers("free", free)), graph.integers("none", 0))
            return graph("Div", reached, graph.integers("stride", windows.stride))

        return Padded(graph, f"{graph.prefix}windows", taps, count)

    def taps(self, x, windows, padding):
        """Return a value (batch, windows, features) for each tap of the windows over x, with a number beyond the ends."""
        graph, (before, after) = self.graph, windows.sides
        if after:
            x = self.keep(x, padding)
        if before or after:
            x = graph("Pad", x, graph.integers("pads", [0, before, 0, 0, after, 0]), graph.number(padding))
        found, last = [], windows.span - 1
        for shift in range(0, windows.span, windows.dilation):
            bounds = ("starts", shift), ("ends", shift - last or 2**62), ("axes", 1), ("steps", windows.stride)
            found.append(graph("Slice", x, *(graph.integers(name, [number]) for name, number in bounds)))
        return found
