"""The recurrent product of a step, z += h @ recurrent_weight, by the packed weight or by the one among the parameters.

A pass over whole sequences packs the weight once. A single step, whose parameters may change before the next one, reads it
where it lies. Every sum is the same chain in both, so the bits are the same.
"""

from ...compiling.jit import REAL, jit, typed_pointer
from ...products.product import call_product, chain_length
from .forward import at, parameter
from .weights import LONGEST, packed_size, product_by_panels


def recurrent_product(dtype, layout, number, packed):
    """Return the compiled function of product `number` of a layout: add(row, call, z, z_row, h, h_row, rows)."""
    multiply, size, real = product_by_panels(dtype), packed_size(dtype), typed_pointer(REAL[dtype])
    (_, source, count), gate_count = layout.recurrent[number], layout.gates

    @jit(inline=True)
    def add_packed(row, call, z, z_row, h, h_row, rows):
        units = row.out_features
        weight = at(call, row.weight_out + size(units, source * units))  # behind that of the products before
        multiply(z, z_row, h, h_row, weight, z, z_row, rows, count * units, units)

    @jit(inline=True)
    def add_in_place(row, call, z, z_row, h, h_row, rows):
        units = row.out_features
        weight, length = parameter(call, row.recurrent_weight + source * units), chain_of(units)
        call_product(real(z), (z, z_row, h, h_row, 1, weight, gate_count * units, z, z_row, rows, count * units, units,
                               length))

    return add_packed if packed else add_in_place


@jit(inline=True)
def chain_of(k):
    """Return the length of the chains of a sum of k terms, as `product_by_panels` has them."""
    return k if k <= LONGEST else chain_length(k)
