"""Values whose numbers stand in another order than a layer gives them: heads of attention, steps before samples, parts.

An `Arranged` value holds, for each of its numbers, where it comes from: the sample and the place in it. So whatever a graph
does to split heads, such as merging them with the samples, is followed number by number. The batch has `walk.samples`
samples, a number that divides no size of the graph's inputs where the graph leaves it open.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ..layers import Slice
from .chain import Layer, Signal, UnknownForm, UnknownNode, scaled
from .channel_order import last_shape
from .images import applied, channels_last, image, in_one_order, steps
from .joins import as_in_graph
from .recognition import PROBE, evaluate
from .registry import StepsFirst, constant, operators

MOST = 1 << 25  # numbers of a value
MOVING = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Gather", "ArrayFeatureExtractor"}
BATCH = -(2**20)  # of sizes, the number of samples: see `shapes`


@dataclass(frozen=True, eq=False)
class Arranged:
    """The numbers of a signal in any order, or some of them.

    Attributes
    ----------
    x : Signal
    index : array
        For each number its place in x, in the graph's order: sample · (numbers of a sample) + number.
    samples : int
    reason : str
        What to say if they are needed in an order that a layer gives.
    """

    x: Signal
    index: np.ndarray
    samples: int
    reason: str = ""
    made: dict = field(default_factory=dict, init=False, repr=False)

    @property
    def shape(self):
        """The shape of a sample, if the batch is the first axis."""
        return self.index.shape[1:]

    def moved(self, index):
        """Return these numbers in another order; a signal if each sample is whole and the batch stands first."""
        made = Arranged(self.x, index, self.samples, self.reason)
        pattern = made.pattern()
        whole = pattern is not None and len(pattern) == math.prod(self.x.shape)
        return made.permuted(pattern) if whole and len(np.unique(pattern)) == len(pattern) else made

    def pattern(self):
        """Return for each number of a sample its place in the sample of x, if all samples have the same; else None."""
        if self.index.ndim == 0 or self.index.shape[0] != self.samples or self.index.size == 0:
            return None
        rows = self.index.reshape(self.samples, -1)
        first, numbers = rows[0], math.prod(self.x.shape)
        alike = (rows == first + numbers * np.arange(self.samples)[:, None]).all() and first.max() < numbers
        return first if alike else None

    def permuted(self, pattern):
        """Return the signal of all numbers of each sample in another order."""
        memory = np.argsort(pattern)[np.arange(len(pattern)) if self.x.memory is None else self.x.memory]
        return replace(self.x, shape=self.shape, memory=None if (memory == np.arange(len(memory))).all() else memory)

    def settled(self):
        """Return the signal of these numbers: a slice along an axis. Raise UnknownForm for others."""
        if "settled" not in self.made:
            self.made["settled"] = self.sliced()
        return self.made["settled"]

    def sliced(self):
        pattern, shape = self.pattern(), self.x.shape
        whole = np.arange(math.prod(shape)).reshape(shape)
        for axis in range(len(shape)) if pattern is not None else ():
            start = int(np.unravel_index(pattern[0], shape)[axis])
            stop = start + len(pattern) * shape[axis] // whole.size
            if stop > start and np.array_equal(whole.take(range(start, min(stop, shape[axis])), axis).ravel(), pattern):
                return replace(self.part(axis, start, stop), shape=self.shape)
        if pattern is not None and len(shape) == 1 and whole.size <= 4096:  # some features: a product with ones and zeros
            picks = np.zeros((whole.size, len(pattern)))
            picks[pattern, np.arange(len(pattern))] = 1
            return replace(self.x.product(picks, 0.0), shape=self.shape)
        if self.reason:
            raise UnknownNode(self.reason)
        raise UnknownForm("it takes numbers in an order that no layer here gives them")

    def part(self, axis, start, stop):
        """Return the signal of the elements from start to stop along an axis of x."""
        x = self.x
        if len(x.shape) == 1:
            source = x.as_stage().flat().finish("identity")
            if x.memory is not None:
                raise UnknownForm("it takes a part of an image that has been flattened")
            return Signal(scaled(Layer(source, Slice(start, stop), {}), stop - start), (stop - start,), PROBE)
        if x.memory is None and len(x.shape) == 2:
            source, shape = steps(None, x)
            return as_in_graph(applied(source, Slice(start, stop, axis - 2), shape))
        source, shape = image(None, x)
        return applied(source, Slice(start, stop, (axis - 1) % len(shape)), shape)

    def rows(self):
        """Return for each row its number among the steps of all samples, if the last axis has whole steps; else None."""
        features = self.x.shape[-1]
        if len(self.x.shape) != 2 or self.index.shape[-1:] != (features,):
            return None
        first = self.index[..., :1]
        whole = (first % features == 0).all() and (self.index == first + np.arange(features)).all()
        return first // features if whole else None


def arranged(walk, x):
    """Return a value as numbers of a signal of steps or features, whose own order is that of its layer."""
    if isinstance(x, Arranged):
        return x
    first = isinstance(x, StepsFirst)
    x = x.signal if first else x
    if walk.samples * math.prod(x.shape) > MOST:
        raise UnknownForm(f"it rearranges {x.shape} numbers a sample, more than are followed")
    numbers, base = np.arange(walk.samples * math.prod(x.shape)), x
    index = numbers.reshape(walk.samples, -1)
    shape = x.stage.shape
    if shape is None and len(x.shape) == 2 and in_one_order(x.memory, channels_last(x.shape)):
        shape = last_shape(x.shape)  # one axis of features, of which the graph has made steps, and has transposed them
    if shape is not None:
        base, index = replace(x, shape=shape, memory=None), index if x.memory is None else index[:, np.argsort(x.memory)]
    index = index.reshape(walk.samples, *x.shape)
    return Arranged(base, index.swapaxes(0, 1) if first else index, walk.samples)


def moved(walk, node, operands):
    """Return the value of a node that moves numbers, by moving their places."""
    x, *others = operands
    x = arranged(walk, x)
    if any(not (other is None or isinstance(other, np.ndarray)) for other in others):
        raise UnknownForm("it moves numbers by what comes from the input")
    if node.op_type == "Reshape":
        others[0] = sizes_in(walk, others[0])
    if node.op_type == "ArrayFeatureExtractor":
        return x.moved(x.index[..., constant(others[0], "index").reshape(-1)])
    if node.op_type == "Split":
        return tuple(x.moved(part) for part in parts_of(walk, node, x.index, *others))
    index = evaluate(node, [x.index, *others], walk.opsets)
    if index.size > x.index.size:
        raise UnknownForm("it repeats numbers")
    return x.moved(index)


def reshaped(walk, node, operands):
    """Return the value of a Reshape, whether it keeps samples apart or not."""
    try:
        return operators["", "Reshape"](walk, node, operands)
    except UnknownForm as error:
        try:
            made = moved(walk, node, operands)
        except (UnknownForm, ValueError, RuntimeError):
            raise error from None
        return replace(made, reason=f"{walk.here}, cannot be taken: {error}") if isinstance(made, Arranged) else made


def sizes_in(walk, sizes):
    """Return the sizes of a Reshape for the samples that are followed."""
    sizes = np.array(constant(sizes, "shape"), np.int64)
    batches = sizes < -1
    if (sizes[batches] % BATCH).any():
        raise UnknownForm(f"it gives its input the shape {sizes.tolist()}")
    sizes[batches] = sizes[batches] // BATCH * walk.samples
    return sizes


def parts_of(walk, node, index, given=None):
    """Return the parts into which a Split divides an array."""
    attributes = {each.name: each for each in node.attribute}
    axis = attributes["axis"].i if "axis" in attributes else 0
    sizes = list(attributes["split"].ints) if "split" in attributes else None
    if given is not None:
        sizes = constant(given, "split").tolist()
    if sizes is None:
        size = -(-index.shape[axis] // len(node.output))
        sizes = [size] * (len(node.output) - 1)
    else:
        sizes = sizes[:-1]
    return np.split(index, np.cumsum(sizes), axis=axis)


def applied_inside(walk, node, operands):
    """Return the value of a node that computes number by number, or step by step, on the signal whose numbers they are."""
    values = [x for x in operands if isinstance(x, (Arranged, StepsFirst))]
    values = [arranged(walk, x) for x in values]
    first, rows = values[0], values[0].rows()
    same = all(x.index.shape == first.index.shape and (x.index == first.index).all() for x in values)
    constants = [x for x in operands if isinstance(x, np.ndarray)]
    if len(values) + len(constants) + sum(x is None for x in operands) != len(operands) or not same:
        return None
    if rows is None and (len(constants) != len([x for x in constants if x.size == 1]) or node.op_type in STEPWISE):
        return None
    inner = iter(values)
    known = operators["", node.op_type]
    result = known(walk, node, [next(inner).x if isinstance(x, (Arranged, StepsFirst)) else x for x in operands])
    if not isinstance(result, Signal):
        return None
    if result.shape == first.x.shape and result.memory is first.x.memory:
        return Arranged(result, first.index, first.samples)
    if rows is None or len(result.shape) != 2 or result.memory is not None:
        return None
    features = result.shape[-1]
    return Arranged(result, rows * features + np.arange(features), first.samples)


STEPWISE = {"MatMul", "Gemm", "LayerNormalization", "Softmax", "LogSoftmax"}
