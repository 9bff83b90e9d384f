"""The gradients of weight and bias of a depthwise convolution, of each block of samples; see `products.convolution`."""

from functools import partial

from ...compiling.jit import REAL, Kernel, address_of, offset, typed_pointer, view
from ...compiling.share import share
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.convolution.depthwise_tile import ACROSS, FILLED, MOST, across_for, filled_by
from ...products.convolution.depthwise_weight import weight_by_few_taps, weight_by_segments
from ...products.convolution.segments import elementwise_product_kernel
from ...products.packing import stack_memory
from .conv2d import CONVOLUTION, blocks_of, gradients_of, image_size, input_of, pixel_sum, scratch_of, windows_size
from .normalized import normalize_lines, normalized_input


def build(dtype, way, few):
    """few: whether the way sums the bias, and takes one sample at a time."""
    item, lanes, number = ITEM_BYTES[dtype], vector_lanes(dtype), typed_pointer(REAL[dtype])
    add_to, total, read = way(dtype), pixel_sum(dtype), normalized_input(dtype)

    def depthwise_weight(row, call, part, parts):
        """As `weight_by_blocks`; a part has some vectors of channels of some blocks."""
        channels, kernel, pixels = row.channels, row.bias - row.weight, row.out_pixels
        in_image, in_windows, transposed = image_size(row), windows_size(row), row.transposed != 0
        summed = few and not transposed
        x, dz = input_of(row, call, in_windows if transposed else in_image), address_of(view(call.arena, row.dz, 1))
        image, windows = (dz, x) if transposed else (x, dz)
        scratch = scratch_of(row, call, part)
        unused = stack_memory(item * channels)  # for the bias, if the windows are not dz
        view(number(unused), 0, channels)[:] = 0
        blocks, vectors = blocks_of(call.batch, row.most_blocks), (channels + lanes - 1) // lanes
        unit, end = share(blocks * vectors, part, parts, 1)
        while unit < end:
            block, first = unit // vectors, unit % vectors
            last = min(first + end - unit, vectors)
            unit += last - first
            top, bottom = share(call.batch, block, blocks, 1)
            to, dbias, add = gradients_of(row, call, block, blocks)
            channel, count = first * lanes, min(last * lanes, channels) - first * lanes
            if not add:
                for tap in range(0, kernel, channels):
                    to[tap + channel:tap + channel + count] = 0
            if summed and not add:
                dbias[channel:channel + count] = 0
            if not summed and first == 0:
                total(dbias, offset(call.arena, row.dz + top * pixels * channels), (bottom - top) * pixels, add)
            weight, bias = address_of(to) + item * channel, address_of(dbias) + item * channel if summed else unused
            step = 1 if few else row.together  # samples
            for n in range(top, bottom, step):
                samples, of_windows = min(step, bottom - n), windows + item * (n * in_windows + channel)
                of_image = read(row, call, scratch, samples, image + item * n * in_image) + item * channel
                add_to(row, weight, bias, of_image, of_windows, samples, count)

    return depthwise_weight


depthwise_weight_by_segments = Kernel("depthwise_weight", partial(build, way=weight_by_segments, few=False),
                                      CONVOLUTION.arguments, needs=[elementwise_product_kernel, normalize_lines])
depthwise_weight_by_few_taps = {
    (across, filled): Kernel(f"depthwise_weight_{across[0]}_{across[1]}_{'_'.join(filled)}", partial(
        build, way=partial(weight_by_few_taps, across=across, filled=filled), few=True), CONVOLUTION.arguments,
        needs=[normalize_lines])
    for across in ACROSS for filled in FILLED}


def depthwise_weight_kernel(dtype, rows, columns, channels):
    """The kernel of the gradient of the weight. rows, columns: `Windows`."""
    if max(rows.kernel, columns.kernel) > MOST or rows.kernel * columns.kernel <= MOST:  # so few sums wait for one another
        return depthwise_weight_by_segments
    return depthwise_weight_by_few_taps[across_for([columns.kernel]), filled_by(channels, dtype)]
