"""A weight laid out panel by panel, each as wide as a tile and without gaps, for a product that many samples pass through.

As it lies, a wide weight is read in pieces a long way apart, a page of address translation for each. Over 252 samples its
panels took 1024 by 1024 from 103 to 109 GFLOP/s, 2048 by 2048 from 89 to 105 (in float64 from 50 to 56). To lay them out
takes as long as some 40 samples.
"""

from .dense import IN_FEATURES, OUT_FEATURES, PACKED, WEIGHT, dense_forward
from .jit import Kernel, address_of, view
from .linear import panel_columns
from .pack import packing
from .table import FORWARD, OPERANDS, make_row, phase_arguments, share
from .target import ITEM_BYTES, vector_lanes

WIDE = 2048  # bytes of a row of the weight, at least


def build_pack_weight(dtype):
    pack, item, panel = packing(dtype), ITEM_BYTES[dtype], panel_columns(dtype)

    def pack_weight(row, parameters, gradients, arena, results, capacity, first, batch, accumulate, part, parts):
        in_features, out_features = row[IN_FEATURES], row[OUT_FEATURES]
        weight = address_of(view(parameters, row[WEIGHT], 1))
        begin, end = share(out_features, part, parts, panel)
        for j in range(begin, end, panel):
            pack(row[PACKED] + item * in_features * j, weight + item * j, out_features, in_features, min(panel, end - j))

    return pack_weight


pack_weight = Kernel("pack_weight", build_pack_weight, phase_arguments)


def is_wide(dtype, row):
    """Whether the row is one of a dense layer with a weight that is worth laying out so."""
    return row[FORWARD] == dense_forward.address(dtype) and row[OUT_FEATURES] * ITEM_BYTES[dtype] >= WIDE


def packed_size(dtype, row):
    """How many numbers the panels of the layer of this row take up: the last is filled up to whole vectors."""
    lanes = vector_lanes(dtype)
    return int(row[IN_FEATURES] * -(-row[OUT_FEATURES] // lanes) * lanes)


def pack_row(dtype, parts, dense):
    """The row that lays out the weight of the dense layer of a row, at the address that stands in that row as PACKED."""
    row = make_row({FORWARD: (pack_weight.address(dtype), parts)}, {})
    row[OPERANDS:] = dense[OPERANDS:]
    return row
