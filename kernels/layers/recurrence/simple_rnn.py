"""The simple recurrent layer (Elman 1990), a row z, a at a time: z = x W + h U + b, h' = a = g(z)."""

from ...compiling.jit import REAL, Kernel, call_at, jit, typed_pointer
from ...processor.target import ITEM_BYTES
from .backward import backward_builder, weights_builder
from .cell import RECURRENCE, Layout
from .forward import at, copies, forward_builder
from .recurrent_product import recurrent_product
from .weights import product_by_panels

SIMPLE = Layout(blocks=2, gates=1, inputs=((0, 0, 1),), recurrent=((0, 0, 1),))


def cell(dtype, packed=True):
    item, copy, number = ITEM_BYTES[dtype], copies(dtype), typed_pointer(REAL[dtype])
    add_recurrent = recurrent_product(dtype, SIMPLE, 0, packed)

    @jit(inline=True)
    def gate(row, call, rows, gates, h, c):
        add_recurrent(row, call, gates, 2 * row.out_features, h, row.out_features, rows)

    @jit(inline=True)
    def finish(row, call, rows, gates, h, c, h_next, c_next):
        units = row.out_features
        for i in range(rows):
            z = gates + item * i * 2 * units
            a = z + item * units
            call_at(row.activation, (number(a), number(z), 1, units))
            copy(h_next + item * i * units, a, units)

    return gate, finish


def back(dtype):
    item, multiply, copy, number = ITEM_BYTES[dtype], product_by_panels(dtype), copies(dtype), typed_pointer(REAL[dtype])

    @jit(inline=True)
    def backward(row, call, rows, gates, h, read, c, dh, dc, dread):
        # forward: z = x W + h U + b, h' = g(z)
        units = row.out_features
        for i in range(rows):
            z, dz = gates + item * i * 2 * units, dh + item * i * units
            call_at(row.activation_backward, (number(dz), number(z), number(z + item * units), 1, units))
            copy(z, dz, units)
        multiply(dread, units, gates, 2 * units, at(call, row.weight_out_t), 0, 0, rows, units, units)

    return backward


simple_rnn_forward = Kernel("simple_rnn_forward", forward_builder(SIMPLE, cell), RECURRENCE.arguments)
simple_rnn_backward = Kernel("simple_rnn_backward", backward_builder(SIMPLE, back), RECURRENCE.arguments)
simple_rnn_weights = Kernel("simple_rnn_weights", weights_builder(SIMPLE), RECURRENCE.arguments)
