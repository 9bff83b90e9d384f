"""Layer normalization of each sample: a = scale · x̂ + shift, x̂ = (x − mean) inverse, inverse = 1 / √(variance + ε).

x, a, da (batch · pixels, features); scale, shift (features,); mean, inverse (batch · pixels,); C-contiguous. Mean and
variance are those of a row over its features (Ba, Kiros and Hinton 2016). Backward replaces da by dx in place. It also sums
da and da x̂ over a block of samples, sums (blocks, 2, features); the last phase adds these over the blocks in order, so that
no gradient depends on the number of parts.
"""

from ...compiling.jit import Kernel, address_of, jit, view
from ...compiling.record import FLOAT
from ...compiling.share import share
from ...interpreter.table import Kind
from ...processor.target import vector_lanes
from .row_vectors import backward_rows, forward_rows

BLOCK = 8  # rows of a block, at least: its sums then take a quarter of the memory of the rows

LAYER_NORM = Kind(
    "layer_norm",
    "x", "a", "da", "mean", "inverse", "sums",  # in the arena
    "scale", "shift",  # among the parameters
    "pixels", "features",
    epsilon=FLOAT,
)


@jit(inline=True)
def place(memory, offset):
    """Return the address of an element."""
    return address_of(view(memory, offset, 1))


@jit(inline=True)
def samples_of_block(pixels):
    return max(1, BLOCK // pixels)


def build_forward(dtype):
    normalize = forward_rows(dtype)

    def layer_norm_forward(row, call, part, parts):
        features, rows = row.features, call.batch * row.pixels
        begin, end = share(rows, part, parts, 1)
        arena, parameters = call.arena, call.parameters
        normalize((place(arena, row.a + begin * features), place(arena, row.x + begin * features),
                   place(arena, row.mean + begin), place(arena, row.inverse + begin),
                   place(parameters, row.scale), place(parameters, row.shift), end - begin, features), row.epsilon)

    return layer_norm_forward


def build_backward_input(dtype):
    backward = backward_rows(dtype)

    def layer_norm_backward_input(row, call, part, parts):
        features, size, arena = row.features, samples_of_block(row.pixels) * row.pixels, call.arena
        rows = call.batch * row.pixels
        begin, end = share((rows + size - 1) // size, part, parts, 1)
        for block in range(begin, end):
            first, sums = block * size, row.sums + 2 * block * features
            view(arena, sums, 2 * features)[:] = 0
            backward((place(arena, row.da + first * features), place(arena, row.x + first * features),
                      place(arena, row.mean + first), place(arena, row.inverse + first), place(call.parameters, row.scale),
                      place(arena, sums), place(arena, sums + features), min(size, rows - first), features))

    return layer_norm_backward_input


def build_backward_weight(dtype):
    lanes = vector_lanes(dtype)

    def backward_weight(row, call, part, parts):
        """dshift = Σ da, dscale = Σ da x̂, over the blocks in order; each part has its own features."""
        features, size = row.features, samples_of_block(row.pixels)
        begin, end = share(features, part, parts, lanes)
        width = end - begin
        dscale, dshift = view(call.gradients, row.scale + begin, width), view(call.gradients, row.shift + begin, width)
        if call.accumulate == 0:
            dscale[:], dshift[:] = 0, 0
        for block in range((call.batch + size - 1) // size):
            sum_da = view(call.arena, row.sums + 2 * block * features + begin, width)
            sum_normalized = view(call.arena, row.sums + (2 * block + 1) * features + begin, width)
            for j in range(width):
                dshift[j] += sum_da[j]
            for j in range(width):
                dscale[j] += sum_normalized[j]

    return backward_weight


layer_norm_forward = Kernel("layer_norm_forward", build_forward, LAYER_NORM.arguments)
layer_norm_backward_input = Kernel("layer_norm_backward_input", build_backward_input, LAYER_NORM.arguments)
layer_norm_backward_weight = Kernel("layer_norm_backward_weight", build_backward_weight, LAYER_NORM.arguments)


def statistics_size(features, pixels, batch):
    """Return how many elements of the arena a row needs for batches of at most so many samples."""
    blocks = -(-batch // max(1, BLOCK // pixels))
    return 2 * batch * pixels + 2 * blocks * features


def layer_norm_row(dtype, parts, *, x, a, da, statistics, batch, scale, features, epsilon, pixels=1):
    """Return the row of a layer normalization; all arguments except epsilon are offsets and sizes.

    statistics: offset of `statistics_size` elements in the arena. scale: offset in the parameters; shift follows it.
    """
    phases = {"forward": layer_norm_forward, "backward_first": layer_norm_backward_input,
              "backward_third": layer_norm_backward_weight}
    mean, inverse, sums = range(statistics, statistics + 3 * batch * pixels, batch * pixels)
    return LAYER_NORM.row({phase: (kernel.address(dtype), parts) for phase, kernel in phases.items()},
                          x=x, a=a, da=da, mean=mean, inverse=inverse, sums=sums, scale=scale, shift=scale + features,
                          features=features, epsilon=epsilon, pixels=pixels)
