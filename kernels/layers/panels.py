"""A weight packed into panels of the width of a tile, without gaps, for products with many samples.

The parts of a wide weight that a tile reads are far apart in memory, each on a different page. For 252 samples, panels raise
1024 by 1024 from 103 to 109 GFLOP/s and 2048 by 2048 from 89 to 105 (in float64 from 50 to 56). Packing takes as long as
about 40 samples.
"""

from ..compiling.jit import Kernel, address_of, view
from ..compiling.share import share
from ..interpreter.table import Kind
from ..processor.target import ITEM_BYTES, vector_lanes
from ..products.linear import panel_columns
from ..products.packing import packing
from .dense import DENSE, dense_forward

PACK_WEIGHT = Kind("pack_weight", "weight", "in_features", "out_features", "packed")
WIDE = 2048  # smallest size of a row of the weight, in bytes


def build_pack_weight(dtype):
    pack, item, panel = packing(dtype), ITEM_BYTES[dtype], panel_columns(dtype)

    def pack_weight(row, call, part, parts):
        in_features, out_features = row.in_features, row.out_features
        weight = address_of(view(call.parameters, row.weight, (in_features, out_features)))
        begin, end = share(out_features, part, parts, panel)
        for j in range(begin, end, panel):
            pack(row.packed + item * in_features * j, weight + item * j, out_features, in_features, min(panel, end - j))

    return pack_weight


pack_weight = Kernel("pack_weight", build_pack_weight, PACK_WEIGHT.arguments)


def is_wide(dtype, row):
    """Return whether the row belongs to a dense layer with a weight that is worth packing."""
    if row.dtype is not DENSE.dtype or row["out_features"] * ITEM_BYTES[dtype] < WIDE:
        return False
    return bool(row["forward"]["kernel"] == dense_forward.address(dtype))


def packed_size(dtype, dense):
    """Return the number of elements of the panels of this layer; the last panel is padded to whole vectors."""
    lanes = vector_lanes(dtype)
    return int(dense["in_features"] * -(-dense["out_features"] // lanes) * lanes)


def pack_row(dtype, parts, dense):
    """Return the row that packs the weight of a dense layer into the memory `packed` of its row."""
    return PACK_WEIGHT.row({"forward": (pack_weight.address(dtype), parts)},
                           **{name: dense[name] for name in ("weight", "in_features", "out_features", "packed")})
