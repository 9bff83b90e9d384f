"""The gradient of a depthwise weight of few taps, with all sums of a vector of channels in registers.

    weight[i, j] += Σ a[r line + i down, x pixel + j across] dz[r, x]          bias += Σ dz[r, x]

A dz is loaded once, not once for each tap. Pixels at the sides give to the taps inside, as in `depthwise_tile`. Every sum is
one chain over the pixels, so that its bits depend only on the sizes of the image.
"""

from numba.core import cgutils

from ..tile import tile_intrinsic
from .depthwise_tile import DepthwiseEmitter, few_taps_shapes

POINTERS = "weight", "bias", "a", "dz"
# As those of `depthwise_tile`.
INTEGERS = ("vectors", "lines", "band", "pixels", "begin", "end", "dz_line", "dz_pixel", "a_line", "a_pixel", "a_down",
            "a_across", "weight_down", "weight_across", "first", "step", "tap", "size", "last")


class DepthwiseWeightEmitter(DepthwiseEmitter):
    """Emits the variants for up to MOST × MOST taps."""

    family, pointers, integers, result, prefetched = "depthwise_weight", POINTERS, INTEGERS, "dz", True

    def of_vector(self, builder, of, mask, steps, every):
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

        return body


def depthwise_weight_tile(dtype, across, filled):
    """The intrinsic tile((number of the shape, 1 or HALF, masked, *POINTERS, *INTEGERS)), which adds to weight and bias."""
    return tile_intrinsic(dtype, DepthwiseWeightEmitter, few_taps_shapes(across, filled))
