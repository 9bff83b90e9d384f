"""The machine code of the micro-kernel: its sums stay in registers, for every shape of tile."""

import re

import pytest

from fastnn.checks import DTYPES
from fastnn.kernels.compiling.jit import Kernel
from fastnn.kernels.processor.target import target
from fastnn.kernels.products.convolution.segments import segment_product_kernel
from fastnn.kernels.products.product import product_kernel

FUNCTION = re.compile(r"\n_?(fastnn_(?:segment_)?tile_\w+):(.*?)\n\s*ret", re.DOTALL)
BLOCK = re.compile(r"\n(\.?L\w+):(.*?)(?=\n\.?L\w+:|\Z)", re.DOTALL)
SPILLED = re.compile(r"mov[au]p[sd]\s+%[xyz]mm\d+, -?\d*\(%[re][sb]p\)")


def loops(code):
    """Return the blocks that end with a jump to themselves."""
    return [block for label, block in BLOCK.findall(code) if re.search(rf"\n\s*j\w+\s+{re.escape(label)}\b", block)]


@pytest.mark.skipif(target()[0] != "x86_64", reason="reads the assembly of x86-64 only")
@pytest.mark.parametrize("kernel", [product_kernel, segment_product_kernel], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_sum_leaves_its_register_within_the_loop(dtype, kernel):
    # compiled again, because a kernel from the cache has no assembly
    kernel = Kernel(f"{kernel.name}_to_be_read", kernel.build, kernel.arguments, cached=False)
    code = kernel.ready(dtype)._library.get_asm_str()
    tiles = {name: loops(body) for name, body in FUNCTION.findall(code)}
    # without masked loads, the loop of a masked tile is several blocks
    read = {name: found for name, found in tiles.items() if found or "masked" not in name}
    assert len(read) > 15
    assert all(read.values()), "a tile without a loop"
    spilled = {name: spills for name, (loop, *_) in read.items() if (spills := SPILLED.findall(loop))}
    assert not spilled
