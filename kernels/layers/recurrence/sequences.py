"""The order in which a recurrent layer computes sequences: sorted by length, time-major, without padding.

The sequences of a batch are sorted by length, longest first, stably. Step t has a row for each sequence with more than t
steps, so its rows are the first ones of the sorted sequences, and packed row `base[t] + j` is step t of sorted sequence j.
A part computes adjacent sorted sequences; at each step its rows are contiguous.

A row of the table writes this order to integers in the arena; those of the layers read it.
"""

from ...compiling.jit import Kernel, address_of, integer, integers, jit, view
from ...interpreter.axes import axis_offsets
from ...interpreter.table import Kind
from ...processor.target import ITEM_BYTES

ORDER = Kind(
    "recurrence_order",
    "order",  # in the arena: integers, see `order_numbers`
    "capacity",  # largest number of sequences
    "axis",  # in the arena: the record of the sequences' steps
)

# The integers of an order: its header, then for each sorted sequence its number, its first step and its length; then for
# each step its first packed row, and a place for sorting.
SAMPLES, STEPS, LONGEST, HEADER = 0, 1, 2, 4
WORD = 8


def order_numbers(dtype, capacity, longest):
    """Return how many elements of the arena an order takes."""
    return (HEADER + 3 * capacity + 2 * (longest + 2)) * WORD // ITEM_BYTES[dtype]


@jit(inline=True)
def order_of(call, order):
    """Return the address of the order at an offset of the arena."""
    return address_of(view(call.arena, order, 1))


@jit(inline=True)
def numbers_of(order, capacity):
    """The number of each sorted sequence in the batch."""
    return view(integers(order), HEADER, capacity)


@jit(inline=True)
def firsts_of(order, capacity):
    """The first step of each sorted sequence, counted over the sequences in the order of the batch."""
    return view(integers(order), HEADER + capacity, capacity)


@jit(inline=True)
def lengths_of(order, capacity):
    return view(integers(order), HEADER + 2 * capacity, capacity)


@jit(inline=True)
def bases_of(order, capacity):
    """The first packed row of each step; the last element is the number of rows."""
    return view(integers(order), HEADER + 3 * capacity, integer(order, LONGEST) + 1)


def build_order(dtype):
    def recurrence_order(row, call, part, parts):
        offsets, capacity, place = axis_offsets(call, row.axis), row.capacity, order_of(call, row.order)
        samples = len(offsets) - 1
        numbers, firsts, lengths = numbers_of(place, capacity), firsts_of(place, capacity), lengths_of(place, capacity)
        header = view(integers(place), 0, HEADER)
        longest = 0
        for i in range(samples):
            longest = max(longest, offsets[i + 1] - offsets[i])
        header[SAMPLES], header[LONGEST] = samples, longest
        base = view(integers(place), HEADER + 3 * capacity, longest + 2)
        free = view(integers(place), HEADER + 3 * capacity + longest + 2, longest + 2)
        base[:] = 0
        for i in range(samples):
            base[offsets[i + 1] - offsets[i]] += 1
        longer = 0  # the number of sequences with more than t steps, which are those before the sequences of t steps
        for t in range(longest, -1, -1):
            count = base[t]
            free[t] = base[t] = longer
            longer += count
        rows = 0
        for t in range(longest + 1):
            living = base[t]
            base[t] = rows
            rows += living
        header[STEPS] = rows
        for i in range(samples):
            length = offsets[i + 1] - offsets[i]
            j = free[length]
            free[length] = j + 1
            numbers[j], lengths[j] = i, length
            firsts[j] = offsets[i]

    return recurrence_order


@jit
def share_of_sequences(order, capacity, part, parts):
    """Return the range of sorted sequences of a part: about as many steps as every other part has."""
    samples = integer(order, SAMPLES)
    if parts == 1:
        return 0, samples
    lengths, steps = lengths_of(order, capacity), integer(order, STEPS)
    begin, end, so_far = samples, samples, 0
    for j in range(samples):
        if begin == samples and so_far * parts >= part * steps:
            begin = j
        if so_far * parts >= (part + 1) * steps and part + 1 < parts:
            end = j
            break
        so_far += lengths[j]
    return min(begin, end), end


recurrence_order = Kernel("recurrence_order", build_order, ORDER.arguments)


def order_row(dtype, *, order, capacity, axis):
    """Return the row that writes the order of the sequences of an axis."""
    return ORDER.row({"forward": (recurrence_order.address(dtype), 1)}, order=order, capacity=capacity, axis=axis)
