"""The loops over the steps of sequences, forward and back, and the products of one step."""

from ..records import shape, to_lists
from ..rungs import check_recurrence, check_recurrent_gradient

Vector = list[float]
Matrix = list[Vector]


def zeros_like(nested):
    """Return zeros of the shape of nested lists."""
    return [zeros_like(item) for item in nested] if isinstance(nested, list) else 0.0


def add_product(total: Vector, x: Vector, weight: Matrix, first: int = 0) -> Vector:
    """total += x @ weight[:, first:], for as many columns as total has."""
    for j in range(len(total)):
        for k in range(len(x)):
            total[j] += x[k] * weight[k][first + j]
    return total


def add_gradients(dx: Vector, dweight: Matrix, dz: Vector, x: Vector, weight: Matrix, first: int = 0) -> None:
    """Add the gradients of z = x @ weight[:, first:]: dx += dz weightᵀ, dweight += xᵀ dz."""
    for j in range(len(dz)):
        for k in range(len(x)):
            dx[k] += dz[j] * weight[k][first + j]
            dweight[k][first + j] += x[k] * dz[j]


def rows_of(offsets: list[int], i: int, reverse: bool) -> list[int]:
    """Return the rows of sequence i in the order in which it runs through them."""
    rows = list(range(offsets[i], offsets[i + 1]))
    return rows[::-1] if reverse else rows


def prepared(gates, x, offsets, weight, recurrent_weight, initial, input_mask, state_mask, **vectors):
    """Return (x, offsets, weight, recurrent_weight, initial, masks, vectors) as lists, checked."""
    x, weight, recurrent_weight = to_lists(x), to_lists(weight), to_lists(recurrent_weight)
    offsets, initial = [int(number) for number in offsets], to_lists(initial)
    masks = to_lists(input_mask), to_lists(state_mask)
    vectors = {name: to_lists(vector) for name, vector in vectors.items()}
    in_features = (len(x), len(x[0])) if x else (0, len(weight))
    check_recurrence(in_features, offsets, gates, shape(weight), shape(recurrent_weight), initial=initial,
                     input_mask=masks[0], state_mask=masks[1], **vectors)
    return x, offsets, weight, recurrent_weight, initial, masks, vectors


def masked(vector: Vector, mask: Matrix | None, i: int) -> Vector:
    """Return a vector times the mask of sequence i, if there is one."""
    return vector if mask is None else [number * factor for number, factor in zip(vector, mask[i], strict=True)]


def through_time(step, x, offsets, initial, masks, out_features, states, return_sequences, reverse, given=1):
    """Run step(x, read, *states) -> (states, what to keep) over each sequence; states: their number.

    masks: of x, and of h in `read`, which the recurrent product reads. given: of how many of the states an output consists.
    """
    outputs, last, kept = [None] * len(x), [], []
    for i in range(len(offsets) - 1):
        first = initial[i] if initial is not None else [0.0] * (states * out_features)
        now = [first[k * out_features:(k + 1) * out_features] for k in range(states)]
        kept.append([])
        for row in rows_of(offsets, i, reverse):
            now, saved = step(masked(x[row], masks[0], i), masked(now[0], masks[1], i), *now)
            outputs[row] = joined(now[:given])
            kept[i].append(saved)
        last.append(joined(now[:given]))
    return outputs if return_sequences else last, kept


def joined(vectors):
    """Return vectors one behind the other."""
    return [number for vector in vectors for number in vector]


def back_through_time(back, da, x, offsets, kept, masks, out_features, states, return_sequences, reverse, given=1):
    """Run back(*dstates, kept) -> (dx, dread, dstates) over each sequence, from its last step; return dx and dinitial."""
    da, dx, dinitial = to_lists(da), zeros_like(x), []
    samples = len(offsets) - 1
    width = given * out_features
    check_recurrent_gradient((len(da), len(da[0]) if da else width), (len(x),), samples, width, return_sequences)
    for i in range(samples):
        dstates = [[0.0] * out_features for _ in range(states)]
        if not return_sequences:
            add_to_states(dstates, da[i], given)
        for row, saved in reversed(list(zip(rows_of(offsets, i, reverse), kept[i], strict=True))):
            if return_sequences:
                add_to_states(dstates, da[row], given)
            dx[row], dread, dstates = back(*dstates, saved)
            dx[row] = masked(dx[row], masks[0], i)
            add_to_states(dstates, masked(dread, masks[1], i), 1)
        dinitial.append(joined(dstates))
    return dx, dinitial


def add_to_states(dstates: Matrix, da: Vector, given: int) -> None:
    """Add the gradient of an output to those of the states that it consists of."""
    for k in range(given):
        for j in range(len(dstates[k])):
            dstates[k][j] += da[k * len(dstates[k]) + j]
