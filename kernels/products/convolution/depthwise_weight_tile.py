"""The gradient of a depthwise weight of few taps, with all sums of a vector of channels in registers.

    weight[i, j] += Σ a[r line + i down, x pixel + j across] dz[r, x]          bias += Σ dz[r, x]

A dz is loaded once, not once for each tap. Pixels at the sides give to the taps inside, as in `depthwise_tile`. Every sum is
one chain over the pixels, so that its bits depend only on the sizes of the image.
"""

from llvmlite import ir
from numba.core import cgutils

from ..tile import tile_intrinsic
from .depthwise_tile import MOST, DepthwiseEmitter, few_taps_shapes

POINTERS = "weight", "bias", "a", "dz"
# As those of `depthwise_tile`.
INTEGERS = ("vectors", "lines", "band", "pixels", "begin", "end", "dz_line", "dz_pixel", "a_line", "a_pixel", "a_down",
            "a_across", "weight_down", "weight_across", "first", "step", "tap", "size", "last")


class DepthwiseWeightEmitter(DepthwiseEmitter):
    """Emits the variants for up to MOST × MOST taps."""

    family, pointers, integers = "depthwise_weight", POINTERS, INTEGERS

    def emit(self, function, rows, vectors, masked, padded):
        down, across = 1 + (rows - 1) // MOST, 1 + (rows - 1) % MOST
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        of = dict(zip((*self.pointers, *self.integers), function.args, strict=True))
        mask = self.lane_mask(builder, of["last"]) if masked else None
        steps, every = self.tap_steps(builder, of, down, across), [(i, j) for i in range(down) for j in range(across)]
        sums = {tap: cgutils.alloca_once(builder, self.vector) for tap in (*every, "bias")}

        def body(channel):
            places = {(i, j): self.at(builder, of["weight"], channel, (of["weight_down"], i), (of["weight_across"], j))
                      for i, j in every} | {"bias": self.at(builder, of["bias"], channel)}
            for tap, place in places.items():
                builder.store(self.load(builder, place, mask), sums[tap])

            def pixel_of(taps, place, given):
                given = self.load(builder, given, mask)
                builder.store(builder.fadd(builder.load(sums["bias"]), given), sums["bias"])
                for tap in taps:
                    pixel = self.load(builder, self.of_tap(builder, place, steps, tap), mask)
                    builder.store(self.multiply_add(builder, pixel, given, builder.load(sums[tap])), sums[tap])

            yield pixel_of
            for tap, place in places.items():
                self.store(builder, builder.load(sums[tap]), place, mask)

        self.each_pixel(builder, of, down, across, "dz", body)
        builder.ret_void()


def depthwise_weight_tile(dtype, across, filled):
    """The intrinsic tile((number of the shape, 1 or HALF, masked, *POINTERS, *INTEGERS)), which adds to weight and bias."""
    return tile_intrinsic(dtype, DepthwiseWeightEmitter, few_taps_shapes(across, filled))
