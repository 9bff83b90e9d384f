"""Joins of several tensors, and slices, as pure Python loops over nested lists."""

import math

from .records import each_number, each_row, shape, to_lists
from .rungs import check_joined, check_parts, check_slice

TINY = 1e-6  # smallest length of a vector whose direction counts


def weighted_sum_forward(tensors, factors):
    """Compute a = Σ factor · x, element by element.

    Parameters
    ----------
    tensors : list of arrays (batch, …) of one shape
    factors : list of float
        One for each tensor.

    Returns
    -------
    a : (batch, …)

    Examples
    --------
    >>> weighted_sum_forward([[[1.0, 2.0]], [[10.0, 20.0]]], factors=[1.0, -1.0])
    [[-9.0, -18.0]]
    """
    tensors = joined_lists(tensors)
    check_factors(tensors, factors)
    return each_number(lambda *numbers: sum(f * x for f, x in zip(factors, numbers, strict=True)), *tensors)


def weighted_sum_backward(da, factors):
    """Compute the gradient of each tensor of `weighted_sum_forward`, a list: dx = factor · da."""
    da = to_lists(da)
    return [each_number(lambda number, factor=factor: factor * number, da) for factor in factors]


def multiply_forward(tensors):
    """Compute the product of tensors of one shape, element by element.

    Examples
    --------
    >>> multiply_forward([[[1.0, 2.0]], [[10.0, 20.0]]])
    [[10.0, 40.0]]
    """
    return each_number(lambda *numbers: math.prod(numbers), *joined_lists(tensors))


def multiply_backward(da, tensors):
    """Compute the gradient of each tensor of `multiply_forward`, a list: da times the product of the others."""
    tensors = joined_lists(tensors)
    check_joined(shape(to_lists(da)), shape(tensors[0]))
    return [each_number(lambda number, *others: number * math.prod(others), to_lists(da), *tensors[:k], *tensors[k + 1:])
            for k in range(len(tensors))]


def maximum_forward(tensors):
    """Compute the largest of tensors of one shape, element by element.

    Examples
    --------
    >>> maximum_forward([[[1.0, 20.0]], [[10.0, 2.0]]])
    [[10.0, 20.0]]
    """
    return each_number(max, *joined_lists(tensors))


def maximum_backward(da, tensors):
    """Compute the gradient of each tensor of `maximum_forward`, a list.

    It goes to the largest element. Two equal ones share it by halves: the first tensors, taken as one, and the next tensor.

    Examples
    --------
    >>> maximum_backward([[1.0, 1.0, 1.0]], [[[1.0, 5.0, 3.0]], [[2.0, 4.0, 3.0]]])
    [[[0.0, 1.0, 0.5]], [[1.0, 0.0, 0.5]]]
    """
    tensors = joined_lists(tensors)
    check_joined(shape(to_lists(da)), shape(tensors[0]))

    def gradients(number, *numbers):
        found = []
        for k in range(len(numbers) - 1, 0, -1):
            before = max(numbers[:k])
            own = 0.5 if before == numbers[k] else float(before < numbers[k])
            found.insert(0, number * own)
            number *= 1.0 - own
        return [number, *found]

    return [each_number(lambda *numbers, k=k: gradients(*numbers)[k], to_lists(da), *tensors) for k in range(len(tensors))]


def concatenate_forward(tensors, axis=-1):
    """Put tensors one after the other along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> concatenate_forward([[[1.0, 2.0]], [[3.0]]])
    [[1.0, 2.0, 3.0]]
    """
    tensors = [to_lists(x) for x in tensors]
    place = check_parts([shape(x) for x in tensors], axis)

    def along(nested, depth):
        if depth == 0:
            return [item for each in nested for item in each]
        return [along(inner, depth - 1) for inner in zip(*nested, strict=True)]

    return along(tensors, place)


def concatenate_backward(da, sizes, axis=-1):
    """Compute the gradient of each tensor of `concatenate_forward`, a list; sizes: their sizes along the axis.

    Examples
    --------
    >>> concatenate_backward([[1.0, 2.0, 3.0]], sizes=[2, 1])
    [[[1.0, 2.0]], [[3.0]]]
    """
    found, start = [], 0
    for size in sizes:
        found.append(slice_forward(da, start, start + size, axis))
        start += size
    return found


def slice_forward(x, start, stop, axis=-1):
    """Take the elements start … stop − 1 along an axis of a sample: 0 is the first after the batch, -1 the last.

    Examples
    --------
    >>> slice_forward([[1.0, 2.0, 3.0]], start=1, stop=3)
    [[2.0, 3.0]]
    """
    x = to_lists(x)
    place = check_parts([shape(x)], axis)
    check_slice(shape(x)[place], start, stop)

    def along(nested, depth):
        return nested[start:stop] if depth == 0 else [along(inner, depth - 1) for inner in nested]

    return along(x, place)


def slice_backward(da, size, start, axis=-1):
    """Compute the gradient of `slice_forward`: da, and zeros elsewhere. size: that of x along the axis.

    Examples
    --------
    >>> slice_backward([[2.0, 3.0]], size=4, start=1)
    [[0.0, 2.0, 3.0, 0.0]]
    """
    da = to_lists(da)
    place = check_parts([shape(da)], axis)
    check_slice(size, start, start + shape(da)[place])

    def along(nested, depth):
        if depth > 0:
            return [along(inner, depth - 1) for inner in nested]
        nothing = each_number(lambda number: 0.0, nested[0])
        return [nothing] * start + nested + [nothing] * (size - start - len(nested))

    return along(da, place)


def dot_forward(x, y, normalize=False):
    """Compute the dot product along the last axis, a = Σ x y (batch, …, 1), or the cosine of the angle.

    normalize: whether to divide by the lengths of x and y, which count as at least 1e-6.

    Examples
    --------
    >>> dot_forward([[3.0, 4.0]], [[4.0, 3.0]]), dot_forward([[3.0, 4.0]], [[4.0, 3.0]], normalize=True)
    ([[24.0]], [[0.96]])
    """
    x, y = joined_lists([x, y])

    def cosine(x, y):
        product = sum(x[j] * y[j] for j in range(len(x)))
        return [product / (length(x) * length(y)) if normalize else product]

    return each_row(cosine, x, y)


def dot_backward(da, x, y, normalize=False):
    """Compute the gradients of `dot_forward` from da (batch, …, 1): (dx, dy)."""
    x, y = joined_lists([x, y])

    def gradient(da, x, y):
        if not normalize:
            return [da[0] * number for number in y]
        a = sum(x[j] * y[j] for j in range(len(x))) / (length(x) * length(y))
        along = a / length(x) ** 2 if length(x) > TINY else 0.0
        return [da[0] * (y[j] / (length(x) * length(y)) - along * x[j]) for j in range(len(x))]

    da = to_lists(da)
    return each_row(gradient, da, x, y), each_row(gradient, da, y, x)


def length(x):
    return max(math.sqrt(sum(number * number for number in x)), TINY)


def joined_lists(tensors):
    """Return tensors of one shape as nested lists."""
    tensors = [to_lists(x) for x in tensors]
    check_joined(*map(shape, tensors))
    return tensors


def check_factors(tensors, factors):
    if len(factors) != len(tensors):
        raise ValueError(f"factors has {len(factors)} numbers; there are {len(tensors)} tensors: give one for each")
