"""The backward phases of a recurrent layer: back through time, and the gradients of the weights.

Back through time, a part holds the gradients of its sequences' states. At each step the cell's formulas replace the gates by
their gradients, and the product with the transposed recurrent weight adds to the gradient of the state before. The gradients
of the weights are products over all packed rows, in one order for any number of threads.
"""

from ...compiling.jit import REAL, address_of, integer, jit, typed_pointer, view
from ...compiling.share import share
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.packing import stack_memory
from ...products.product import call_product, chain_length
from ..joins.add import NOTHING, WRITE
from .forward import at, copies, living, multiplies, position
from .sequences import LONGEST, STEPS, bases_of, firsts_of, lengths_of, numbers_of, order_of, share_of_sequences
from .weights import product_by_panels


def backward_builder(layout, cell):
    """Return the builder of the phase back through time.

    cell: dtype -> back(row, call, rows, gates, h, read, c, dh, dc, dread); see `gru`. read: the states that the recurrent
    product reads; its gradient is added to dread. Without dropout these are h and dh.
    """
    cells, direct, block_count, gate_count = layout.cells, layout.direct, layout.blocks, layout.gates

    def build(dtype):
        item, copy, multiply, number = ITEM_BYTES[dtype], copies(dtype), product_by_panels(dtype), typed_pointer(REAL[dtype])
        masked, back = multiplies(dtype), cell(dtype)

        @jit(inline=True)
        def add(to, source, size):
            total, summand = view(number(to), 0, size), view(number(source), 0, size)
            for i in range(size):
                total[i] += summand[i]

        @jit(inline=True)
        def zero(to, size):
            view(number(to), 0, size)[:] = 0

        @jit(inline=True)
        def add_masked(to, source, factor, size):
            total, summand, factors = view(number(to), 0, size), view(number(source), 0, size), view(number(factor), 0, size)
            for i in range(size):
                total[i] += summand[i] * factors[i]

        def recurrence_backward(row, call, part, parts):
            # forward: see `forward`; gates (rows, blocks · out_features), da (steps or sequences, out_features)
            order, capacity = order_of(call, row.order), row.capacity
            longest, base = integer(order, LONGEST), bases_of(order, capacity)
            numbers, firsts, lengths = numbers_of(order, capacity), firsts_of(order, capacity), lengths_of(order, capacity)
            begin, end = share_of_sequences(order, capacity, part, parts)
            inputs, units = row.in_features, row.out_features
            width, gates = block_count * units, gate_count * units
            da = at(call, row.da)
            dh, dc = at(call, row.carry + begin * units), at(call, row.carry_cells + begin * units)
            for j in range(begin, end):
                place = item * (j - begin) * units
                if row.sequences != 0:
                    zero(dh + place, units)
                else:
                    copy(dh + place, da + item * numbers[j] * row.a_row, units)
                if cells:
                    if row.sequences == 0 and row.gives_cells != 0:
                        copy(dc + place, da + item * (numbers[j] * row.a_row + units), units)
                    else:
                        zero(dc + place, units)
            for t in range(longest - 1, -1, -1):
                rows = living(base, t, begin, end)
                if rows == 0:
                    continue
                first = base[t] + begin
                if row.sequences != 0:
                    for i in range(rows):
                        given = da + item * position(row, firsts, lengths, begin + i, t) * row.a_row
                        add(dh + item * i * units, given, units)
                        if cells and row.gives_cells != 0:
                            add(dc + item * i * units, given + item * units, units)
                at_gates = at(call, row.gates + first * width)
                h, c = at(call, row.states + first * units), at(call, row.cells + first * units)
                if row.drops_states == 0:
                    back(row, call, rows, at_gates, h, h, c, dh, dc, dh)
                else:
                    dread = at(call, row.carry_read + begin * units)
                    zero(dread, rows * units)
                    back(row, call, rows, at_gates, h, at(call, row.states_read + first * units), c, dh, dc, dread)
                    for i in range(rows):
                        place, mask = item * i * units, at(call, row.state_mask + numbers[begin + i] * units)
                        if direct:
                            add_masked(dh + place, dread + place, mask, units)
                        else:
                            masked(dh + place, dread + place, mask, units)
                if row.wants_dx != 0:
                    own = at(call, row.carry_x + begin * inputs)
                    multiply(own, inputs, at_gates, width, at(call, row.weight_in_t), 0, 0, rows, inputs, gates)
                    for i in range(rows):
                        to = at(call, row.dx + position(row, firsts, lengths, begin + i, t) * inputs)
                        if row.drops_inputs != 0:
                            place = own + item * i * inputs
                            masked(place, place, at(call, row.input_mask + numbers[begin + i] * inputs), inputs)
                        if row.adds != 0:
                            add(to, own + item * i * inputs, inputs)
                        else:
                            copy(to, own + item * i * inputs, inputs)
            if row.to_initial != NOTHING:
                for j in range(begin, end):
                    place = item * (j - begin) * units
                    to = at(call, row.dinitial + numbers[j] * (2 if cells else 1) * units)
                    if row.to_initial == WRITE:
                        copy(to, dh + place, units)
                        if cells:
                            copy(to + item * units, dc + place, units)
                    else:
                        add(to, dh + place, units)
                        if cells:
                            add(to + item * units, dc + place, units)

        return recurrence_backward

    return build


def weights_builder(layout, before=False, second_bias=False, peepholes=False):
    """Return the builder of the phase of the weights' gradients.

    before: whether the last recurrent product reads the last block of a row instead of the state. second_bias: whether there
    is a bias of the recurrent product.
    """
    block_count, gate_count, of_inputs, recurrent = layout.blocks, layout.gates, layout.inputs, layout.recurrent

    def build(dtype):
        item, number, lanes = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), vector_lanes(dtype)

        @jit
        def gradient(call, to, columns, a, a_row, dz, dz_row, begin, end, left, right, rows):
            """dweight[begin:end, left:right] = aᵀ dz. to: the offset of dweight[0, 0], whose rows have so many columns."""
            if begin >= end or left >= right:
                return
            place = address_of(view(call.gradients, to + begin * columns + left, 1))
            if rows == 0:
                if call.accumulate == 0:
                    for i in range(end - begin):
                        view(number(place + item * i * columns), 0, right - left)[:] = 0
                return
            call_product(number(place), (place, columns, a + item * begin, 1, a_row, dz + item * left, dz_row,
                                         place if call.accumulate != 0 else 0, columns, end - begin, right - left, rows,
                                         chain_length(rows)))

        @jit
        def sums(call, to, dz, dz_row, left, right, rows, one):
            """dbias[left:right] = Σ dz: a product with a one, whose address is `one`, keeps the sums in registers."""
            if left >= right:
                return
            total = view(call.gradients, to + left, right - left)
            if call.accumulate == 0:
                total[:] = 0
            place = address_of(total)
            call_product(number(place), (place, 0, one, 0, 0, dz + item * left, dz_row, place, 0, 1, right - left, rows,
                                         rows))

        @jit
        def weighted_sums(call, to, dz, dz_row, c, c_row, begin, end, rows):
            """dpeephole[begin:end] = Σ dz c over the rows."""
            total = view(call.gradients, to + begin, end - begin)
            if call.accumulate == 0:
                total[:] = 0
            for i in range(rows):
                given = view(number(dz + item * (i * dz_row + begin)), 0, end - begin)
                factor = view(number(c + item * (i * c_row + begin)), 0, end - begin)
                for j in range(end - begin):
                    total[j] += given[j] * factor[j]

        def recurrence_weights(row, call, part, parts):
            # dweight = xᵀ dgates, drecurrent_weight = statesᵀ dgates, dbias = Σ dgates
            rows = integer(order_of(call, row.order), STEPS)
            inputs, units = row.in_features, row.out_features
            columns, width, gates = gate_count * units, block_count * units, at(call, row.gates)
            x, h = at(call, row.packed_x), at(call, row.states_read if row.drops_states != 0 else row.states)
            # A part has some columns of both weights, or some rows of them if there are more rows than columns. Threads keep
            # the gates of their own sequences in their caches: by columns, a thread fetches only its columns of the others'.
            begin, end, left, right = 0, inputs + units, 0, columns
            if columns >= inputs + units:
                left, right = share(columns, part, parts, lanes)
            else:
                begin, end = share(inputs + units, part, parts, 1)
            for block, source, count in of_inputs:
                dz, first, last = gates + item * (block - source) * units, source * units, (source + count) * units
                gradient(call, row.weight, columns, x, inputs, dz, width, begin, min(end, inputs), max(left, first),
                         min(right, last), rows)
            begin, end = max(begin - inputs, 0), end - inputs
            for block, source, count in recurrent:
                a, a_row = h, units
                if before and block == 0:
                    a, a_row = gates + item * (width - units), width
                dz, first, last = gates + item * (block - source) * units, source * units, (source + count) * units
                gradient(call, row.recurrent_weight, columns, a, a_row, dz, width, begin, end, max(left, first),
                         min(right, last), rows)
            one = stack_memory(item)
            view(number(one), 0, 1)[0] = 1
            left, right = share(columns, part, parts, lanes)
            for block, source, count in of_inputs:
                dz, first, last = gates + item * (block - source) * units, source * units, (source + count) * units
                sums(call, row.bias, dz, width, max(left, first), min(right, last), rows, one)
            if second_bias:
                for block, source, count in recurrent:
                    dz, first, last = gates + item * (block - source) * units, source * units, (source + count) * units
                    sums(call, row.recurrent_bias, dz, width, max(left, first), min(right, last), rows, one)
            begin, end = share(units, part, parts, lanes)
            if peepholes:
                c = at(call, row.cells)
                weighted_sums(call, row.peepholes, gates, width, c, units, begin, end, rows)
                weighted_sums(call, row.peepholes + units, gates + item * units, width, c, units, begin, end, rows)
                weighted_sums(call, row.peepholes + 2 * units, gates + item * 3 * units, width,
                              gates + item * (width - units), width, begin, end, rows)

        return recurrence_weights

    return build
