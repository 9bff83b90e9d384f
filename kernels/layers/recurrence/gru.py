"""The gated recurrent unit (Cho et al. 2014), a row of gates n, z, r, c at a time:

    z = σ(x Wz + h Uz + bz)    r = σ(x Wr + h Ur + br)    h' = z h + (1 − z) n
    reset after the product (cuDNN, Keras, PyTorch)    c = h Un + b'n     n = tanh(x Wn + bn + r c)
    reset before the product (Cho et al.)              c = r h            n = tanh(x Wn + bn + c Un)

Reset after the product, z and r have a bias of the recurrent product too, and all three recurrent products are one. The
weights have the columns z, r, n.
"""

from ...compiling.jit import Kernel, jit
from ...compiling.trace import fma
from ...elementwise.elementary import compiled_tanh, sigmoids_and_tanhs
from ...processor.target import ITEM_BYTES
from .backward import backward_builder, weights_builder
from .cell import RECURRENCE, Layout
from .forward import at, copies, forward_builder, parameter
from .gate_vectors import over_units
from .recurrent_product import recurrent_product
from .weights import packed_size, product_by_panels

N, Z, R, C = range(4)  # blocks of a row
AFTER = Layout(blocks=4, gates=3, inputs=((N, 2, 1), (Z, 0, 2)), recurrent=((Z, 0, 3),), direct=True)
BEFORE = Layout(blocks=4, gates=3, inputs=((N, 2, 1), (Z, 0, 2)), recurrent=((Z, 0, 2), (N, 2, 1)), direct=True)


def gates_after(at):
    z, r = sigmoids_and_tanhs([at["z"], at["r"]], [])
    at["z"], at["r"], at["n"] = z, r, fma(r, at["c"], at["n"])


def gates_after_backward(at):
    # forward: n = tanh(n + r c), h' = n + z (h − n)
    z, r, n, c, h, dh = (at[name] for name in ("z", "r", "n", "c", "h", "dh"))
    dn = dh * (1.0 - z) * fma(-n, n, n.convert(1.0))
    at["n"], at["c"] = dn, dn * r
    at["z"] = dh * (h - n) * (z * (1.0 - z))
    at["r"] = dn * c * (r * (1.0 - r))
    at["dh"] = dh * z


def resets(at):
    z, r = sigmoids_and_tanhs([at["z"], at["r"]], [])
    at["z"], at["r"], at["c"] = z, r, r * at["h"]


def state(at):
    n, h = compiled_tanh(at["n"]), at["h"]
    at["n"] = n
    at["h_next"] = fma(at["z"], h - n, n)


def candidate_before_backward(at):
    # forward: n = tanh(n + c Un), h' = n + z (h − n)
    z, n, h, dh = (at[name] for name in ("z", "n", "h", "dh"))
    at["n"] = dh * (1.0 - z) * fma(-n, n, n.convert(1.0))
    at["z"] = dh * (h - n) * (z * (1.0 - z))
    at["dh"] = dh * z


def resets_before_backward(at):
    # forward: c = r h, where h is what the products read
    r, dc = at["r"], at["dc"]
    at["dread"] = fma(dc, r, at["dread"])
    at["r"] = dc * at["read"] * (r * (1.0 - r))


def blocks(dtype):
    """Return the compiled function that returns the addresses of the blocks of a row, each with the distance of rows."""
    item = ITEM_BYTES[dtype]

    @jit(inline=True)
    def of(gates, units):
        width = 4 * units
        return (gates, width, gates + item * units, width, gates + item * 2 * units, width, gates + item * 3 * units, width)

    return of


NAMES = "n", "z", "r", "c"


def cell_after(dtype, packed=True):
    item, copy, of = ITEM_BYTES[dtype], copies(dtype), blocks(dtype)
    add_recurrent = recurrent_product(dtype, AFTER, 0, packed)
    formula = over_units(dtype, [gates_after, state], (*NAMES, "h", "h_next"))

    @jit(inline=True)
    def gate(row, call, rows, gates, h, c):
        units = row.out_features
        for i in range(rows):
            copy(gates + item * (i * 4 + C) * units, parameter(call, row.recurrent_bias + 2 * units), units)
        add_recurrent(row, call, gates + item * units, 4 * units, h, units, rows)

    @jit(inline=True)
    def finish(row, call, rows, gates, h, c, h_next, c_next):
        formula((rows, row.out_features, *of(gates, row.out_features), h, row.out_features, h_next, row.out_features))

    return gate, finish


def back_after(dtype):
    item, multiply, of = ITEM_BYTES[dtype], product_by_panels(dtype), blocks(dtype)
    formula = over_units(dtype, [gates_after_backward], (*NAMES, "h", "dh"))

    @jit(inline=True)
    def back(row, call, rows, gates, h, read, c, dh, dc, dread):
        units = row.out_features
        formula((rows, units, *of(gates, units), h, units, dh, units))
        multiply(dread, units, gates + item * units, 4 * units, at(call, row.weight_out_t), dread, units, rows, units,
                 3 * units)

    return back


def cell_before(dtype, packed=True):
    item, of = ITEM_BYTES[dtype], blocks(dtype)
    add_z_and_r, add_n = (recurrent_product(dtype, BEFORE, number, packed) for number in range(2))
    reset, formula = over_units(dtype, [resets], (*NAMES, "h")), over_units(dtype, [state], (*NAMES, "h", "h_next"))

    @jit(inline=True)
    def gate(row, call, rows, gates, h, c):
        units = row.out_features
        width = 4 * units
        add_z_and_r(row, call, gates + item * units, width, h, units, rows)
        reset((rows, units, *of(gates, units), h, units))
        add_n(row, call, gates, width, gates + item * C * units, width, rows)

    @jit(inline=True)
    def finish(row, call, rows, gates, h, c, h_next, c_next):
        formula((rows, row.out_features, *of(gates, row.out_features), h, row.out_features, h_next, row.out_features))

    return gate, finish


def back_before(dtype):
    item, multiply, of, packed = ITEM_BYTES[dtype], product_by_panels(dtype), blocks(dtype), packed_size(dtype)
    candidate = over_units(dtype, [candidate_before_backward], (*NAMES, "h", "dh"))
    reset = over_units(dtype, [resets_before_backward], (*NAMES, "read", "dread", "dc"))

    @jit(inline=True)
    def back(row, call, rows, gates, h, read, c, dh, dc, dread):
        units = row.out_features
        width = 4 * units
        candidate((rows, units, *of(gates, units), h, units, dh, units))
        multiply(dc, units, gates, width, at(call, row.weight_out_t + packed(2 * units, units)), 0, 0, rows, units, units)
        reset((rows, units, *of(gates, units), read, units, dread, units, dc, units))
        multiply(dread, units, gates + item * units, width, at(call, row.weight_out_t), dread, units, rows, units, 2 * units)

    return back


gru_forward = Kernel("gru_forward", forward_builder(AFTER, cell_after), RECURRENCE.arguments)
gru_backward = Kernel("gru_backward", backward_builder(AFTER, back_after), RECURRENCE.arguments)
gru_weights = Kernel("gru_weights", weights_builder(AFTER, second_bias=True), RECURRENCE.arguments)
gru_before_forward = Kernel("gru_before_forward", forward_builder(BEFORE, cell_before), RECURRENCE.arguments)
gru_before_backward = Kernel("gru_before_backward", backward_builder(BEFORE, back_before), RECURRENCE.arguments)
gru_before_weights = Kernel("gru_before_weights", weights_builder(BEFORE, before=True), RECURRENCE.arguments)
