"""The phases of a convolution, a = g(x ∗ weight + bias), as rows of the table. The mathematics is in `products.convolution`.

Each part computes some lines of the output, counted over all samples. For the gradient of the weight, the samples are
divided into blocks, and each block has a partial gradient. Another row of the table adds these in order. The blocks do not
depend on the number of threads, so the bits do not either.
"""

from ...compiling.jit import REAL, Kernel, address_of, call_at, jit, offset, typed_pointer, view
from ...compiling.share import share
from ...interpreter.table import Kind
from ...processor.target import ITEM_BYTES, vector_lanes
from ...products.convolution.one_tap import one_tap_lines, pixel_rows, weight_of_pixels
from ...products.convolution.overlapping import packing_rows, to_image_by_overlapping
from ...products.convolution.to_image import packing_for_image, to_image
from ...products.convolution.to_weight import to_weight
from ...products.convolution.to_windows import to_windows
from ...products.packing import stack_memory
from ...products.transpose import transpose_kernel
from .normalized import normalize_lines, normalized_input, samples_at_once

CONVOLUTION = Kind(
    "convolution",
    "x", "z", "a", "dz", "dx", "packed", "partials",  # in the arena; x is FROM_DATA if the samples are read from the data
    "scratch", "scratch_size",  # also in the arena; each part has its own
    "weight", "bias",  # among the parameters
    "height", "width", "channels", "rows", "columns", "features",  # of an image and of its windows
    "out_pixels", "out_features",  # of z: those of the windows, or if transposed of the image
    "kernel_height", "kernel_width", "stride_y", "stride_x", "dilation_y", "dilation_x", "top", "left", "groups",
    "transposed",  # whether x is the windows and z the image
    "elementwise",  # whether it is depthwise: channel j of the windows depends only on channel j of the image
    "window_band", "image_band",  # number of lines of the windows and of the image computed at a time
    "most_blocks",  # largest number of blocks of samples, for the gradient of the weight
    "together",  # number of samples that the gradient of the weight reads at a time
    "one_tap",  # whether the windows are the pixels of the image, see `products.convolution.one_tap`
    "overlapping",  # whether the image is computed from windows that overlap, see `products.convolution.overlapping`
    "pixel_windows",  # address of the kernel of the windows with pixels in the lanes, see `by_pixels`; 0 if features are
    "activation", "activation_backward", "product", "image_product",  # addresses of kernels, 0 for none
    # with a max pool, see `pooled`: the positions in the arena, whether the activation comes before the pool, the vectors of
    # a patch, the lines of the pool whose patches are in memory at a time
    "kept", "activates_first", "patch_vectors", "patch_band",
    "normalized", "line",  # the constants that x is normalized by, in the arena, see `normalized`, 0 for none; their size
)


FROM_DATA = -1
BLOCK = 4  # samples of a block; more if there would be too many blocks
PIXELS = 8  # number of partial sums in `pixel_sum`


@jit(inline=True)
def blocks_of(batch, most):
    """The number of blocks of samples for the gradient of the weight, whatever the number of threads."""
    return min((batch + BLOCK - 1) // BLOCK, most)


@jit(inline=True)
def gradients_of(row, call, block, blocks):
    """The gradients of weight and bias that a block writes, and whether it adds to what is there."""
    kernel, features = row.bias - row.weight, row.out_features
    if blocks > 1:
        place = row.partials + block * (kernel + features)
        return view(call.arena, place, kernel), view(call.arena, place + kernel, features), False
    return view(call.gradients, row.weight, kernel), view(call.gradients, row.bias, features), call.accumulate != 0


@jit(inline=True)
def input_of(row, call, size):
    """The address of the samples, of `size` numbers each."""
    if row.x == FROM_DATA:
        return address_of(view(call.X, call.first * size, 1))
    return address_of(view(call.arena, row.x, 1))


@jit(inline=True)
def scratch_of(row, call, part):
    return address_of(view(call.arena, row.scratch + part * row.scratch_size, 1))


@jit(inline=True)
def image_size(row):
    return row.height * row.width * row.channels


@jit(inline=True)
def windows_size(row):
    return row.rows * row.columns * row.features


def windows_by_bands(dtype):
    """The compiled function that computes lines begin … end − 1 of the windows, counted over all samples."""
    item, number, windows_of = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), to_windows(dtype)
    pixels_of = pixel_rows(dtype)

    @jit
    def make(row, windows, image, weight, start, scratch, begin, end, activated):
        """activated: the address for the activation of the windows, or 0."""
        size, line_size = image_size(row), row.columns * row.features
        while begin < end:
            sample, line = begin // row.rows, begin % row.rows
            lines = min(row.window_band, row.rows - line, end - begin)
            to = windows + item * begin * line_size
            if row.one_tap != 0 and row.pixel_windows == 0:
                lines = min(one_tap_lines(row.columns), end - begin)
                source = image + item * begin * row.columns * row.channels
                pixels_of(row, to, source, weight, start, lines * row.columns, False)
            elif row.pixel_windows != 0:
                call_at(row.pixel_windows, (row, to, image + item * sample * size, weight, start, scratch, line, lines))
            else:
                windows_of(row, to, image + item * sample * size, weight, start, scratch, line, lines)
            if activated != 0:
                a = activated + item * begin * line_size
                call_at(row.activation, (number(a), number(to), lines * row.columns, row.features))
            begin += lines

    return make


def image_by_bands(dtype):
    """The compiled function that computes lines begin … end − 1 of the images, counted over all samples."""
    item, number, image_of = ITEM_BYTES[dtype], typed_pointer(REAL[dtype]), to_image(dtype)
    by_overlapping, pixels_of = to_image_by_overlapping(dtype), pixel_rows(dtype)

    @jit
    def make(row, image, windows, packed, start, scratch, begin, end, activated):
        """activated: the address for the activation of the images, or 0."""
        windows_sample, image_sample, line_size = windows_size(row), image_size(row), row.width * row.channels
        while begin < end:
            sample, line = begin // row.height, begin % row.height
            lines = min(row.image_band, row.height - line, end - begin)
            to, source = image + item * sample * image_sample, windows + item * sample * windows_sample
            if row.one_tap != 0:
                lines = min(one_tap_lines(row.width), end - begin)
                to, source = image + item * begin * line_size, windows + item * begin * row.columns * row.features
                pixels_of(row, to, source, packed, start, lines * row.width, True)
            elif row.overlapping != 0:
                by_overlapping(row, to, source, packed, start, scratch, line, lines)
            else:
                image_of(row, to, source, packed, start, scratch, line, lines)
            if activated != 0:
                z, a = image + item * begin * line_size, activated + item * begin * line_size
                call_at(row.activation, (number(a), number(z), lines * row.width, row.channels))
            begin += lines

    return make


def pixel_sum(dtype):
    """The compiled function that sums the pixels of images, for each channel."""
    item, number = ITEM_BYTES[dtype], typed_pointer(REAL[dtype])

    @jit
    def total(sums, images, pixels, add):
        """sums (channels,) = Σ images (pixels, channels), added to what sums holds if `add`."""
        # pixel i is added to partial sum i mod PIXELS: with few channels a single pixel does not fill a vector
        channels = len(sums)
        wide = PIXELS * channels
        parts = view(number(stack_memory(item * wide)), 0, wide)
        parts[:] = 0
        whole = pixels - pixels % (4 * PIXELS)
        for i in range(0, whole, 4 * PIXELS):
            a, b = view(images, i * channels, wide), view(images, (i + PIXELS) * channels, wide)
            c, d = view(images, (i + 2 * PIXELS) * channels, wide), view(images, (i + 3 * PIXELS) * channels, wide)
            for j in range(wide):
                parts[j] = parts[j] + a[j] + b[j] + c[j] + d[j]
        if not add:
            sums[:] = 0
        for i in range(PIXELS):
            for j in range(channels):
                sums[j] += parts[i * channels + j]
        for i in range(whole, pixels):
            rest = view(images, i * channels, channels)
            for j in range(channels):
                sums[j] += rest[j]

    return total


def weight_by_blocks(dtype, transposed):
    """The kernel of the gradients of weight and bias of each block. dz is the windows, or if transposed the image."""
    item, weight_of, total = ITEM_BYTES[dtype], to_weight(dtype), pixel_sum(dtype)
    weight_of_one_tap, read = weight_of_pixels(dtype), normalized_input(dtype)

    def backward_weight(row, call, part, parts):
        taps, in_image, in_windows = row.kernel_height, image_size(row), windows_size(row)
        out_features, pixels = row.out_features, row.out_pixels
        x, dz = input_of(row, call, in_windows if transposed else in_image), address_of(view(call.arena, row.dz, 1))
        image, windows = (dz, x) if transposed else (x, dz)
        scratch = scratch_of(row, call, part)
        blocks = blocks_of(call.batch, row.most_blocks)
        unit, end = share(blocks * taps, part, parts, 1)
        while unit < end:  # kernel rows of a block, or all of them
            block, first = unit // taps, unit % taps
            last = min(first + end - unit, taps)
            unit += last - first
            top, bottom = share(call.batch, block, blocks, 1)
            to, dbias, add = gradients_of(row, call, block, blocks)
            if first == 0:
                total(dbias, offset(call.arena, row.dz + top * pixels * out_features), (bottom - top) * pixels, add)
            if row.one_tap != 0 and row.normalized == 0:
                weight_of_one_tap(row, address_of(to), image + item * top * in_image, windows + item * top * in_windows,
                                  (bottom - top) * pixels, (call.batch - top) * pixels, add)
                continue
            step = samples_at_once(row)
            for n in range(top, bottom, step):
                samples = min(step, bottom - n)
                source = read(row, call, scratch, samples, image + item * n * in_image)
                if row.one_tap != 0:
                    weight_of_one_tap(row, address_of(to), source, windows + item * n * in_windows, samples * pixels,
                                      samples * pixels, add)
                    add = True
                    continue
                for line in range(0, row.rows, row.window_band):
                    lines = min(row.window_band, row.rows - line)
                    weight_of(row, address_of(to), source,
                              windows + item * (n * in_windows + line * row.columns * row.features), scratch, line, lines,
                              samples, first, last, add)
                    add = True

    return backward_weight


def build_sum(dtype):
    lanes = vector_lanes(dtype)

    def convolution_sum(row, call, part, parts):
        """Add the gradients of the blocks, in order. The gradient of the bias follows that of the weight in memory."""
        size, blocks = row.bias - row.weight + row.out_features, blocks_of(call.batch, row.most_blocks)
        if blocks == 1:  # its gradient is the sum
            return
        begin, end = share(size, part, parts, lanes)
        total = view(call.gradients, row.weight + begin, end - begin)
        if call.accumulate == 0:
            total[:] = 0
        for block in range(blocks):
            summand = view(call.arena, row.partials + block * size + begin, end - begin)
            for i in range(end - begin):
                total[i] += summand[i]

    return convolution_sum


def build_pack(dtype):
    pack_weight, pack_rows = packing_for_image(dtype), packing_rows(dtype)

    def pack_for_image(row, call, part, parts):
        """Pack the weight for `to_image`."""
        packed, weight = view(call.arena, row.packed, 1), view(call.parameters, row.weight, 1)
        if row.overlapping != 0:
            begin, end = share(row.kernel_height, part, parts, 1)
            pack_rows(row, address_of(packed), address_of(weight), begin, end)
            return
        begin, end = share(row.kernel_height * row.kernel_width, part, parts, 1)
        pack_weight(row, address_of(packed), address_of(weight), begin, end)

    return pack_for_image


def build_backward_output(dtype):
    def convolution_backward_output(row, call, part, parts):
        """dz = da g'(z), in place."""
        features = row.out_features
        begin, end = share(call.batch * row.out_pixels, part, parts, 1)
        dz, z = offset(call.arena, row.dz + begin * features), offset(call.arena, row.z + begin * features)
        a = offset(call.arena, row.a + begin * features)
        call_at(row.activation_backward, (dz, z, a, end - begin, features))

    return convolution_backward_output


def build_forward(dtype):
    item, make, read = ITEM_BYTES[dtype], windows_by_bands(dtype), normalized_input(dtype)

    def convolution_forward(row, call, part, parts):
        begin, end = share(call.batch * row.rows, part, parts, 1)
        z, a = address_of(view(call.arena, row.z, 1)), address_of(view(call.arena, row.a, 1)) if row.activation != 0 else 0
        weight, bias = address_of(view(call.parameters, row.weight, 1)), address_of(view(call.parameters, row.bias, 1))
        x, scratch = input_of(row, call, image_size(row)), scratch_of(row, call, part)
        lines = samples_at_once(row) * row.rows if row.normalized != 0 else call.batch * row.rows
        while begin < end:
            n = begin // row.rows
            place, first, last = item * n * windows_size(row), n * row.rows, min(n * row.rows + lines, end)
            image = read(row, call, scratch, (last - first + row.rows - 1) // row.rows, x + item * n * image_size(row))
            make(row, z + place, image, weight, bias, scratch, begin - first, last - first, a + place if a != 0 else 0)
            begin = last

    return convolution_forward


def build_backward_input(dtype):
    make = image_by_bands(dtype)

    def convolution_backward_input(row, call, part, parts):
        begin, end = share(call.batch * row.height, part, parts, 1)
        dx, dz = address_of(view(call.arena, row.dx, 1)), address_of(view(call.arena, row.dz, 1))
        weight = address_of(view(call.parameters, row.weight, 1))
        packed = weight if row.elementwise != 0 else address_of(view(call.arena, row.packed, 1))
        make(row, dx, dz, packed, 0, scratch_of(row, call, part), begin, end, 0)

    return convolution_backward_input


def build_backward_weight(dtype):
    return weight_by_blocks(dtype, transposed=False)


pack_for_image = Kernel("pack_for_image", build_pack, CONVOLUTION.arguments, needs=[transpose_kernel])
convolution_forward = Kernel("convolution_forward", build_forward, CONVOLUTION.arguments, needs=[normalize_lines])
convolution_backward_output = Kernel("convolution_backward_output", build_backward_output, CONVOLUTION.arguments)
convolution_backward_input = Kernel("convolution_backward_input", build_backward_input, CONVOLUTION.arguments)
convolution_backward_weight = Kernel("convolution_backward_weight", build_backward_weight, CONVOLUTION.arguments,
                                     needs=[normalize_lines])
convolution_sum = Kernel("convolution_sum", build_sum, CONVOLUTION.arguments)
