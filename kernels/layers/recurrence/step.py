"""One step of a recurrent layer whose state is kept: h, c = cell(x, h, c), for one or several sequences at once.

The products read the weights where they lie, so nothing is packed, and the parameters may change between steps. Sums and
formulas are those of the pass over whole sequences, in the same order: a sequence that is fed step by step has the same
bits.
"""

from ...compiling.jit import REAL, Kernel, jit, typed_pointer, view
from ...interpreter.table import Kind
from ...processor.target import ITEM_BYTES
from ...products.product import call_product, product_kernel
from . import gru, lstm, simple_rnn
from .forward import at, copies, parameter
from .recurrent_product import chain_of

STEP = Kind(
    "recurrence_step",
    "x", "a", "gates", "h", "c",  # in the arena; h and c are kept from step to step
    "weight", "recurrent_weight", "bias", "recurrent_bias", "peepholes",  # among the parameters
    "in_features", "out_features", "gives_cells",
    "activation",  # address of the kernel, of a SimpleRNN
)


def step_builder(layout, cell, second_bias=False):
    """Return the builder of a step of a cell. second_bias: whether there is a bias of the recurrent product."""
    block_count, gate_count, of_inputs = layout.blocks, layout.gates, layout.inputs

    def build(dtype):
        item, copy, number = ITEM_BYTES[dtype], copies(dtype), typed_pointer(REAL[dtype])
        gate, finish = cell(dtype, packed=False)

        @jit
        def start_from_biases(row, call, gates, source, size):
            start = view(number(gates), 0, size)
            bias = view(call.parameters, row.bias + source * row.out_features, size)
            for j in range(size):
                start[j] = bias[j]
            if second_bias and source == 0:  # the one of n is added to the recurrent product, which r multiplies
                bias = view(call.parameters, row.recurrent_bias, size)
                for j in range(size):
                    start[j] += bias[j]

        def recurrence_step(row, call, part, parts):
            # x (rows, in_features); h, c, a (rows, out_features), or a both of them; gates (rows, blocks · out_features)
            rows, inputs, units = call.batch, row.in_features, row.out_features
            width, x, gates = block_count * units, at(call, row.x), at(call, row.gates)
            h, c = at(call, row.h), at(call, row.c)
            for block, source, count in of_inputs:
                to, size = gates + item * block * units, count * units
                for i in range(rows):
                    start_from_biases(row, call, to + item * i * width, source, size)
                weight = parameter(call, row.weight + source * units)
                call_product(number(to), (to, width, x, inputs, 1, weight, gate_count * units, to, width, rows, size, inputs,
                                          chain_of(inputs)))
            gate(row, call, rows, gates, h, c)
            finish(row, call, rows, gates, h, c, h, c)
            a = at(call, row.a)
            if row.gives_cells == 0:
                copy(a, h, rows * units)
            else:
                for i in range(rows):
                    to, place = a + item * i * 2 * units, item * i * units
                    copy(to, h + place, units)
                    copy(to + item * units, c + place, units)

        return recurrence_step

    return build


def step_kernel(name, *arguments, **options):
    return Kernel(f"{name}_step", step_builder(*arguments, **options), STEP.arguments, needs=[product_kernel])


STEPS = {
    "simple_rnn": step_kernel("simple_rnn", simple_rnn.SIMPLE, simple_rnn.cell),
    "gru": step_kernel("gru", gru.AFTER, gru.cell_after, second_bias=True),
    "gru_before": step_kernel("gru_before", gru.BEFORE, gru.cell_before),
    "lstm": step_kernel("lstm", lstm.PLAIN, lstm.cell),
    "lstm_peephole": step_kernel("lstm_peephole", lstm.PEEPHOLES, lstm.with_peepholes(lstm.cell)),
}


def step_row(dtype, cell, *, activation=None, **operands):
    """Return the row of a step of a cell, by its name. operands: those of `STEP`; missing ones are 0."""
    given = dict.fromkeys(STEP.names, 0) | operands
    given["activation"] = 0 if activation is None else activation.forward.address(dtype)
    return STEP.row({"forward": (STEPS[cell].address(dtype), 1)}, **given)
