"""The long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000), a row i, f, g, o, tanh c' at a time:

    i = σ(x Wi + h Ui + bi)    f = σ(x Wf + h Uf + bf)    g = tanh(x Wg + h Ug + bg)    o = σ(x Wo + h Uo + bo)
    c' = f c + i g             h' = o tanh c'

With peepholes (Gers and Schmidhuber 2000), p c is added to i and f before σ, and p c' to o; a row then has c' too.
"""

from functools import partial

from ...compiling.jit import Kernel, jit
from ...compiling.trace import fma
from ...elementwise.elementary import compiled_tanh, sigmoids_and_tanhs
from ...processor.target import ITEM_BYTES
from .backward import backward_builder, weights_builder
from .cell import RECURRENCE, Layout
from .forward import at, forward_builder, parameter
from .gate_vectors import over_units
from .recurrent_product import recurrent_product
from .weights import product_by_panels

PLAIN = Layout(blocks=5, gates=4, inputs=((0, 0, 4),), recurrent=((0, 0, 4),), cells=True)
PEEPHOLES = Layout(blocks=6, gates=4, inputs=((0, 0, 4),), recurrent=((0, 0, 4),), cells=True)
GATES = "i", "f", "g", "o", "tanh_c"
WEIGHTS = "to_i", "to_f", "to_o"  # of the peepholes


def forward_formulas(peepholes):
    def gates(at):
        c = at["c"]
        i, f, g = at["i"], at["f"], at["g"]
        if peepholes:
            i, f = fma(at["to_i"], c, i), fma(at["to_f"], c, f)
            i, f, g = sigmoids_and_tanhs([i, f], [g])
        else:
            i, f, at["o"], g = sigmoids_and_tanhs([i, f, at["o"]], [g])
        at["i"], at["f"], at["g"], at["c_next"] = i, f, g, fma(f, c, i * g)

    def state(at):
        c, o = at["c_next"], at["o"]
        if peepholes:
            at["c_kept"] = c
            o, tanh_c = sigmoids_and_tanhs([fma(at["to_o"], c, o)], [c])
            at["o"] = o
        else:
            tanh_c = compiled_tanh(c)
        at["tanh_c"], at["h_next"] = tanh_c, o * tanh_c

    return gates, state


def backward_formula(peepholes):
    def formula(at):
        # forward: c' = f c + i g, h' = o tanh c'
        i, f, g, o, tanh_c, c, dh, dc = (at[name] for name in (*GATES, "c", "dh", "dc"))
        do = dh * tanh_c * (o * (1.0 - o))
        dc = fma(dh * o, fma(-tanh_c, tanh_c, o.convert(1.0)), dc)
        if peepholes:
            dc = fma(do, at["to_o"], dc)
        di, df = dc * g * (i * (1.0 - i)), dc * c * (f * (1.0 - f))
        at["i"], at["f"], at["g"], at["o"] = di, df, dc * i * fma(-g, g, g.convert(1.0)), do
        dc = dc * f
        at["dc"] = fma(di, at["to_i"], fma(df, at["to_f"], dc)) if peepholes else dc

    return formula


def blocks(dtype, peepholes):
    item, count = ITEM_BYTES[dtype], 6 if peepholes else 5

    @jit(inline=True)
    def of(gates, units):
        width, step = count * units, item * units
        return (gates, width, gates + step, width, gates + 2 * step, width, gates + 3 * step, width, gates + 4 * step, width)

    return of


def cell(dtype, packed=True, peepholes=False):
    item, of, width = ITEM_BYTES[dtype], blocks(dtype, peepholes), 6 if peepholes else 5
    add_recurrent = recurrent_product(dtype, PLAIN, 0, packed)
    more = (*WEIGHTS, "c_kept") if peepholes else ()
    formula = over_units(dtype, forward_formulas(peepholes), (*GATES, "c", "h_next", "c_next", *more))

    @jit(inline=True)
    def gate(row, call, rows, gates, h, c):
        units = row.out_features
        add_recurrent(row, call, gates, width * units, h, units, rows)

    @jit(inline=True)
    def finish(row, call, rows, gates, h, c, h_next, c_next):
        units = row.out_features
        arrays = (rows, units, *of(gates, units), c, units, h_next, units, c_next, units)
        if peepholes:
            p, step = parameter(call, row.peepholes), item * units
            formula((*arrays, p, 0, p + step, 0, p + 2 * step, 0, gates + 5 * step, 6 * units))
        else:
            formula(arrays)

    return gate, finish


def back(dtype, peepholes=False):
    item, multiply, of, width = ITEM_BYTES[dtype], product_by_panels(dtype), blocks(dtype, peepholes), 6 if peepholes else 5
    more = WEIGHTS if peepholes else ()
    formula = over_units(dtype, [backward_formula(peepholes)], (*GATES, "c", "dh", "dc", *more))

    @jit(inline=True)
    def backward(row, call, rows, gates, h, read, c, dh, dc, dread):
        units = row.out_features
        arrays = (rows, units, *of(gates, units), c, units, dh, units, dc, units)
        if peepholes:
            p, step = parameter(call, row.peepholes), item * units
            formula((*arrays, p, 0, p + step, 0, p + 2 * step, 0))
        else:
            formula(arrays)
        multiply(dread, units, gates, width * units, at(call, row.weight_out_t), 0, 0, rows, units, 4 * units)

    return backward


def with_peepholes(cell):
    return partial(cell, peepholes=True)


lstm_forward = Kernel("lstm_forward", forward_builder(PLAIN, cell), RECURRENCE.arguments)
lstm_backward = Kernel("lstm_backward", backward_builder(PLAIN, back), RECURRENCE.arguments)
lstm_weights = Kernel("lstm_weights", weights_builder(PLAIN), RECURRENCE.arguments)
lstm_peephole_forward = Kernel("lstm_peephole_forward", forward_builder(PEEPHOLES, with_peepholes(cell)),
                               RECURRENCE.arguments)
lstm_peephole_backward = Kernel("lstm_peephole_backward", backward_builder(PEEPHOLES, with_peepholes(back)),
                                RECURRENCE.arguments)
lstm_peephole_weights = Kernel("lstm_peephole_weights", weights_builder(PEEPHOLES, peepholes=True), RECURRENCE.arguments)
