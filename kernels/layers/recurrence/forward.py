"""The forward phase of a recurrent layer: the loop over time, for some sorted sequences, in one kernel.

The inputs' part of the gates is one product for the steps of a block, or one for each step. Then at each step the recurrent
product starts from that part, and the cell's formulas run while the gates are in the cache. Only sequences that still live
have rows.

Dropout multiplies the inputs, and the states that the recurrent product reads, by masks that are the same at all steps.
"""

from ...compiling.jit import REAL, address_of, integer, jit, typed_pointer, view
from ...processor.target import ITEM_BYTES
from .sequences import LONGEST, SAMPLES, STEPS, bases_of, firsts_of, lengths_of, numbers_of, order_of, share_of_sequences
from .weights import product_by_panels

BLOCK_ROWS = 64  # rows of the inputs' product: enough to read the weight from the second-level cache rarely


def copies(dtype):
    """Return the compiled function copy(to, source, size), of numbers at addresses."""
    number = typed_pointer(REAL[dtype])

    @jit(inline=True)
    def copy(to, source, size):
        written, given = view(number(to), 0, size), view(number(source), 0, size)
        for i in range(size):
            written[i] = given[i]

    return copy


def multiplies(dtype):
    """Return the compiled function multiply(to, source, factor, size), of numbers at addresses: to = source · factor."""
    number = typed_pointer(REAL[dtype])

    @jit(inline=True)
    def multiply(to, source, factor, size):
        written, given, factors = view(number(to), 0, size), view(number(source), 0, size), view(number(factor), 0, size)
        for i in range(size):
            written[i] = given[i] * factors[i]

    return multiply


@jit(inline=True)
def at(call, offset):
    """Return the address at an offset of the arena."""
    return address_of(view(call.arena, offset, 1))


@jit(inline=True)
def parameter(call, offset):
    return address_of(view(call.parameters, offset, 1))


@jit(inline=True)
def position(row, firsts, lengths, j, t):
    """Return the row of step t of sorted sequence j among the inputs; backwards, step 0 reads the last one."""
    return firsts[j] + (lengths[j] - 1 - t if row.backwards != 0 else t)


@jit(inline=True)
def living(base, t, begin, end):
    """Return how many of the sorted sequences begin … end − 1 have more than t steps."""
    count = base[t + 1] - base[t] if t + 1 < len(base) else 0
    return max(0, min(end, count) - begin)


def forward_builder(layout, cell):
    """Return the builder of the forward phase. cell: dtype -> (gate, finish); see `gru`."""
    cells, block_count, gate_count = layout.cells, layout.blocks, layout.gates

    def build(dtype):
        item, copy, multiply = ITEM_BYTES[dtype], copies(dtype), product_by_panels(dtype)
        number, masked = typed_pointer(REAL[dtype]), multiplies(dtype)
        gate, finish = cell(dtype)

        @jit
        def zero(to, size):
            view(number(to), 0, size)[:] = 0

        @jit
        def keep_last(row, call, number, h, c):
            units = row.out_features
            to = at(call, row.last + number * (2 if cells else 1) * units)
            copy(to, h, units)
            if cells:
                copy(to + item * units, c, units)

        def recurrence_forward(row, call, part, parts):
            # x (steps, in_features); a (steps or sequences, out_features); gates (rows, blocks · out_features)
            order, capacity = order_of(call, row.order), row.capacity
            samples, longest, base = integer(order, SAMPLES), integer(order, LONGEST), bases_of(order, capacity)
            numbers, firsts, lengths = numbers_of(order, capacity), firsts_of(order, capacity), lengths_of(order, capacity)
            begin, end = share_of_sequences(order, capacity, part, parts)
            inputs, units = row.in_features, row.out_features
            width, gates = block_count * units, gate_count * units
            kept = integer(order, STEPS) <= row.kept
            x = at(call, row.x)
            a, carry, carry_cells = at(call, row.a), at(call, row.carry), at(call, row.carry_cells)
            states, cell_states = at(call, row.states), at(call, row.cells)
            for j in range(begin, end):
                empty = lengths[j] == 0  # then it has no packed row
                to, to_cell = (carry, carry_cells) if empty else (states, cell_states)
                to, to_cell = to + item * j * units, to_cell + item * j * units
                if row.has_initial != 0:
                    given = at(call, row.initial + numbers[j] * (2 if cells else 1) * units)
                    copy(to, given, units)
                    if cells:
                        copy(to_cell, given + item * units, units)
                else:
                    zero(to, units)
                    if cells:
                        zero(to_cell, units)
                if empty and row.keeps_last != 0:
                    keep_last(row, call, numbers[j], to, to_cell)
                if empty and row.sequences == 0:
                    copy(a + item * numbers[j] * row.a_row, to, units)
                    if cells and row.gives_cells != 0:
                        copy(a + item * (numbers[j] * row.a_row + units), to_cell, units)
            ready = 0
            for t in range(longest):
                rows = living(base, t, begin, end)
                if rows == 0:
                    break
                if t == ready:
                    ready = t + 1
                    # the rows of several steps are adjacent if one part computes all sequences
                    while (begin == 0 and end == samples and kept and ready < longest
                           and base[ready] - base[t] < BLOCK_ROWS):
                        ready += 1
                    first = (base[t] if kept else 0) + begin
                    for s in range(t, ready):
                        to = (base[s] if kept else 0) + begin
                        for i in range(living(base, s, begin, end)):
                            source = position(row, firsts, lengths, begin + i, s)
                            packed, given = at(call, row.packed_x + (to + i) * inputs), x + item * source * inputs
                            if row.drops_inputs != 0:
                                masked(packed, given, at(call, row.input_mask + numbers[begin + i] * inputs), inputs)
                            else:
                                copy(packed, given, inputs)
                    count = base[ready] - base[t] if ready > t + 1 else rows
                    multiply(at(call, row.gates + first * width), width, at(call, row.packed_x + first * inputs), inputs,
                             at(call, row.weight_in), at(call, row.shift), 0, count, gates, inputs)
                here = (base[t] if kept else t % 2 * samples) + begin
                following = (base[t + 1] if kept else (t + 1) % 2 * samples) + begin
                at_gates = at(call, row.gates + ((base[t] if kept else 0) + begin) * width)
                h, h_next = states + item * here * units, states + item * following * units
                c, c_next = cell_states + item * here * units, cell_states + item * following * units
                read = h  # the states that the recurrent product reads
                if row.drops_states != 0:
                    read = at(call, row.states_read + here * units)
                    for i in range(rows):
                        place = item * i * units
                        masked(read + place, h + place, at(call, row.state_mask + numbers[begin + i] * units), units)
                gate(row, call, rows, at_gates, read, c)
                left = living(base, t + 1, begin, end)
                if left > 0:
                    finish(row, call, left, at_gates, h, c, h_next, c_next)
                if rows > left:  # the last step of these sequences
                    skip = item * left * units
                    finish(row, call, rows - left, at_gates + item * left * width, h + skip, c + skip,
                           carry + item * begin * units + skip, carry_cells + item * begin * units + skip)
                for i in range(rows):
                    if row.keeps_last != 0 and i >= left:
                        place = item * (begin + i) * units
                        keep_last(row, call, numbers[begin + i], carry + place, carry_cells + place)
                    if row.sequences == 0 and i < left:
                        continue
                    if row.sequences != 0:
                        to = a + item * position(row, firsts, lengths, begin + i, t) * row.a_row
                    else:
                        to = a + item * numbers[begin + i] * row.a_row
                    place = item * i * units
                    copy(to, (h_next if i < left else carry + item * begin * units) + place, units)
                    if cells and row.gives_cells != 0:
                        copy(to + item * units, (c_next if i < left else carry_cells + item * begin * units) + place, units)

        return recurrence_forward

    return build
