"""The table rows of a convolution and of a transposed convolution, and the sizes of their bands and memory."""

from dataclasses import replace

from ...interpreter.table import with_phases
from ...processor.target import ITEM_BYTES, half_vectors_take_half, vector_lanes
from ...products.convolution.depthwise import depthwise_kernel
from ...products.convolution.one_tap import one_tap_lines
from ...products.convolution.overlapping import scratch_numbers
from ...products.convolution.patches import patch_size, patch_vectors
from ...products.convolution.planes import planes_size
from ...products.convolution.pooled_image import image_sums_size
from ...products.convolution.pooled_sums import MOST_VECTORS
from ...products.convolution.segments import segment_product_kernel
from ...products.convolution.taps import taps_of_phase
from .by_pixels import MOST_FEATURES, dz_planes_size, pixel_windows, sums_size, weight_by_pixels
from .conv2d import (
    CONVOLUTION,
    FROM_DATA,
    blocks_of,
    convolution_backward_input,
    convolution_backward_output,
    convolution_backward_weight,
    convolution_forward,
    convolution_sum,
    pack_for_image,
)
from .conv_transpose2d import transposed_backward_input, transposed_backward_weight, transposed_forward
from .depthwise_weight import depthwise_weight_kernel
from .normalized import normalize_when_read, normalized_size
from .pooled import (
    behind,
    pack_patches,
    pooled_backward_input,
    pooled_backward_weight,
    pooled_forward,
    pooled_forward_keeping,
    pooled_sparse_input,
)

# A band of a sample, with zeros around it, stays in the second-level cache. The samples that the gradient of the weight
# reads at a time stay in the first-level cache.
BAND_BYTES, TOGETHER_BYTES = 1 << 18, 1 << 16
# With pixels in the lanes: bytes of the sums for the gradient of the weight, and numbers of a window, whose offsets are on
# the stack.
SUMS_BYTES, MOST_TERMS = 1 << 16, 4096
# An image is computed by windows that overlap if that multiplies less than this share of the lanes: adding them costs time.
# Where only whole vectors are multiplied, 17 shapes with shares of 0.4 to 0.9 took 0.47 to 0.98 of the time, and seven with
# more 0.86 to 1.12.
OVERLAPPING_PAYS, OVERLAPPING_PAYS_WHOLE = 0.8, 0.9
# With a max pool: bytes of the windows that are pooled, and of the patches that the gradient of the weight reads, at a time.
POOLED_BYTES, PATCH_BYTES = 1 << 15, 1 << 16
# The gradient to the image is a sum over maxima only from so many features on, and up to so many bytes of sums.
SPARSE_FEATURES, SPARSE_BYTES = 8, 1 << 17
MOST_BLOCKS, BLOCKS_NUMBERS = 16, 1 << 18  # for the gradient of the weight: largest number of blocks, and of elements in all


class ConvolutionPlan:
    """The bands and blocks of a convolution between images and windows, and the memory that it needs.

    Parameters
    ----------
    dtype : str
    axes : pair
        Height and width, each with the attributes of `fastnn.layers.windows.Windows`, from image to windows.
    channels, features, groups : int
        The channels of the image, the features of the windows, and the groups of both.
    batch : int
        The largest number of samples.

    Attributes
    ----------
    weight_size, packed_size : int
        The number of elements of the weight, and of the packed weight.
    image_scratch, windows_scratch, weight_scratch : int
        The number of elements of a part's scratch memory, for a band of the image, of the windows, and for the gradient of
        the weight.
    blocks : int
        The number of blocks of samples for the gradient of the weight, in the largest batch.
    weight_parts : int
        The largest number of parts of that gradient.
    normalized_size : int
        The number of elements of a part's scratch memory for samples that are normalized when they are read.
    """

    def __init__(self, dtype, axes, channels, features, groups, batch):
        self.dtype, (self.rows, self.columns) = dtype, axes
        self.channels, self.features = channels, features
        self.elementwise = groups == channels == features
        self.groups = 1 if self.elementwise else groups
        inputs = 1 if self.elementwise else channels // groups
        self.weight_size = self.rows.kernel * self.columns.kernel * inputs * features
        self.packed_size = 0 if self.elementwise else self.weight_size
        inside = all(axis.before == 0 and (axis.out - 1) * axis.stride + axis.span <= axis.size for axis in axes)
        self.one_tap = not self.elementwise and all(
            (axis.kernel, axis.stride, axis.before, axis.out) == (1, 1, 0, axis.size) for axis in axes)
        self.window_band = self.rows.out if inside else self.largest_band(self.rows.out, self.box_of_image)
        self.image_band = self.largest_band(self.rows.size, self.box_of_windows)
        self.image_scratch = 0 if inside or self.elementwise else self.box_of_image(self.window_band)
        self.by_pixels, self.weight_by_pixels = self.pixels_pay()
        self.weight_scratch = self.image_scratch
        if self.by_pixels:
            self.window_band = self.largest_band(self.window_band, self.planes_and_sums)
            self.image_scratch = planes_size(dtype, self.rows, self.window_band, self.columns, channels)
        if self.weight_by_pixels:
            self.weight_scratch = self.planes_and_sums(self.window_band)
        self.overlapping = self.overlapping_pays()
        self.windows_scratch = scratch_numbers(dtype, self.columns.out, self.columns.kernel, channels
                                               ) if self.overlapping else self.box_of_windows(self.image_band)
        if self.elementwise:
            self.windows_scratch = 0
        sample = self.rows.size * self.columns.size * channels + self.rows.out * self.columns.out * features
        self.together = max(1, TOGETHER_BYTES // (ITEM_BYTES[dtype] * sample)) if inside else 1
        pixels = self.rows.size * self.columns.size
        self.normalized_size = normalized_size.py_func(
            one_tap_lines.py_func(pixels) if self.one_tap else self.together, pixels * channels)
        self.most_blocks = max(1, min(MOST_BLOCKS, BLOCKS_NUMBERS // self.weight_size))
        self.blocks = blocks_of.py_func(batch, self.most_blocks)
        self.weight_parts = self.blocks * (-(-channels // vector_lanes(dtype)) if self.elementwise else self.rows.kernel)

    def overlapping_pays(self):
        """Return whether windows that overlap are the faster way to an image: by the lanes that both multiply."""
        if self.groups > 1 or self.elementwise or self.columns.dilation > 1 or self.columns.kernel == 1:
            return False
        lanes, kernel, stride = vector_lanes(self.dtype), self.columns.kernel, self.columns.stride
        share = OVERLAPPING_PAYS_WHOLE
        if half_vectors_take_half():  # a last vector that is at most half full takes half of the time
            lanes, share = lanes // 2, OVERLAPPING_PAYS

        def filled(numbers):
            return -(-numbers // lanes) * lanes

        sums = scratch_numbers(self.dtype, self.columns.out, kernel, self.channels)
        by_pixels = -(-self.columns.size // stride) * kernel * filled(self.channels)
        return (ITEM_BYTES[self.dtype] * sums <= BAND_BYTES
                and self.columns.out * filled(kernel * self.channels) < share * by_pixels)

    def pixels_pay(self):
        """Return whether lanes hold pixels of the windows, and whether they do for the gradient of the weight too.

        Within these limits, windows of some 30 shapes were computed 1.04 to 6.3 times as fast with AVX-512, 0.95 to 3.9
        times with AVX2 and 1.14 to 2.6 times with SSE2. Beyond them, with narrow images or strides, copying to planes takes
        as long as it saves.
        """
        lanes, columns, features = vector_lanes(self.dtype), self.columns.out, self.features
        terms = self.rows.kernel * self.columns.kernel * self.channels
        if self.elementwise or self.groups > 1 or features > min(3 * lanes // 4, MOST_FEATURES) or terms > MOST_TERMS:
            return False, False
        few = ITEM_BYTES[self.dtype] * sums_size(self.dtype, terms, features) <= SUMS_BYTES
        if self.columns.stride > 1:
            return columns >= 2 * lanes, few and columns >= 2 * lanes and features <= lanes // 4
        wide = self.channels == 1 or columns >= lanes // 2
        return wide, few and wide and (features <= lanes // 4 or (features <= lanes // 2 and 2 * columns >= 3 * lanes))

    def planes_and_sums(self, lines):
        """The number of elements of the planes for a number of lines of the windows, and of sums for the weight."""
        dtype, rows, columns = self.dtype, self.rows, self.columns
        return (planes_size(dtype, rows, lines, columns, self.channels)
                + dz_planes_size(dtype, lines, columns, self.features)
                + sums_size(dtype, rows.kernel * columns.kernel * self.channels, self.features))

    def box_of_image(self, lines):
        """The number of elements of the image, with padding, that a number of lines of the windows read."""
        return ((lines - 1) * self.rows.stride + self.rows.span) * (
            (self.columns.out - 1) * self.columns.stride + self.columns.span) * self.channels

    def box_of_windows(self, lines):
        """The largest number of elements of the windows that contribute to a number of lines of the image."""
        return ((lines + self.rows.span - 2) // self.rows.stride + 2) * (
            (self.columns.size + self.columns.span - 2) // self.columns.stride + 2) * self.features

    def largest_band(self, lines, box):
        """The number of lines to compute at a time: `lines`, halved until box(lines) numbers fit into BAND_BYTES."""
        while lines > 1 and ITEM_BYTES[self.dtype] * box(lines) > BAND_BYTES:
            lines = (lines + 1) // 2
        return lines

    def operands(self, windows=True, image=True):
        """The sizes of its rows, by name. windows, image: whether the rows compute them."""
        rows, columns = self.rows, self.columns
        return {
            "height": rows.size, "width": columns.size, "channels": self.channels, "rows": rows.out, "columns": columns.out,
            "features": self.features, "kernel_height": rows.kernel, "kernel_width": columns.kernel, "stride_y": rows.stride,
            "stride_x": columns.stride, "dilation_y": rows.dilation, "dilation_x": columns.dilation, "top": rows.before,
            "left": columns.before, "groups": self.groups, "elementwise": self.elementwise,
            "pixel_windows": pixel_windows[self.features].address(self.dtype) if self.by_pixels else 0,
            "one_tap": self.one_tap, "overlapping": self.overlapping, "window_band": self.window_band,
            "image_band": self.image_band, "most_blocks": self.most_blocks, "together": self.together,
            **self.products(windows, image),
            "kept": 0, "activates_first": False, "patch_vectors": 0, "patch_band": 0,
        }

    def products(self, windows, image):
        """The addresses of the kernels of its products."""
        if not self.elementwise:
            address = segment_product_kernel.address(self.dtype)
            return {"product": address, "image_product": address}

        def taps(axis):  # of each phase
            counts = (taps_of_phase.py_func(phase, axis.kernel, axis.stride, axis.dilation)[1]
                      for phase in range(axis.stride))
            return [count for count in counts if count > 0]

        def kernel(wanted, down, across):
            return depthwise_kernel(self.dtype, down, across, self.channels).address(self.dtype) if wanted else 0

        rows, columns = self.rows, self.columns
        return {"product": kernel(windows, rows.kernel, [columns.kernel]),
                "image_product": kernel(image, max(taps(rows)), taps(columns))}


class PooledPlan(ConvolutionPlan):
    """As `ConvolutionPlan`, for a convolution whose windows only a max pool of adjacent 2×2 windows reads.

    Windows that the pool leaves out are not computed. With `image_scratch`, `windows_scratch` and `weight_scratch` a part
    has the windows of a band, those of a sample, and the patches and sums.
    """

    def __init__(self, dtype, axes, channels, features, batch):
        rows, columns = (replace(axis, out=axis.out // 2 * 2) for axis in axes)
        super().__init__(dtype, (rows, columns), channels, features, 1, batch)
        item, line = ITEM_BYTES[dtype], columns.out * features
        wide = columns.kernel * channels
        most = min(self.window_band, POOLED_BYTES // (item * line))
        self.window_band = band = max(2, most // 2 * 2)
        if self.by_pixels:
            self.image_scratch = planes_size(dtype, rows, band, columns, channels)
        elif self.image_scratch:
            self.image_scratch = self.box_of_image(band)
        self.image_scratch += behind.py_func(band * line)
        self.windows_scratch += behind.py_func(rows.out * line)
        self.patch_vectors, patch = patch_vectors(dtype, wide), patch_size(dtype, wide)
        sums = image_sums_size(dtype, rows, columns, patch)
        self.sparse = columns.dilation == 1 and features >= SPARSE_FEATURES and item * sums <= SPARSE_BYTES
        if self.sparse:
            self.windows_scratch, self.packed_size = sums, features * rows.kernel * patch

        def patches(pooled_lines):
            return ((2 * pooled_lines - 1) * rows.stride + rows.span) * columns.out * patch

        self.patch_band = max([1, *(n for n in range(1, rows.out // 2 + 1) if item * patches(n) <= PATCH_BYTES)])
        self.weight_scratch = features * rows.kernel * patch + patches(self.patch_band)

    @staticmethod
    def pays(dtype, axes, channels, features, groups):
        """Return whether the pool is computed with the convolution.

        One channel that becomes one feature is a convolution of each channel for itself, which packs no weight.
        """
        rows, columns = axes
        return groups == 1 and not channels == features == 1 and min(rows.out, columns.out) > 1 and (
            patch_vectors(dtype, columns.kernel * channels) <= MOST_VECTORS)

    def operands(self):
        return super().operands() | {"patch_vectors": self.patch_vectors, "patch_band": self.patch_band}


def pooled_rows(plan, activation, parts, *, x, a, dz, dx, kept, packed, partials, scratch, scratch_size, weight, bias,
                from_data):
    """As `convolution_rows`, with a max pool: a and dz are its own. kept: the offset of its positions, or None."""
    dtype = plan.dtype
    phases = {"forward": pooled_forward if kept is None else pooled_forward_keeping}
    if kept is not None:
        phases["backward_third"] = pooled_backward_weight
        if activation is not None:
            phases["backward_first"] = convolution_backward_output
    if dx is not None:
        phases["backward_second"] = pooled_sparse_input if plan.sparse else pooled_backward_input
    first = activation is not None and not activation.keeps_order
    row = CONVOLUTION.row(
        {phase: (kernel.address(dtype), parts[phase]) for phase, kernel in phases.items()},
        **plan.operands() | {"kept": kept or 0, "activates_first": first}, x=FROM_DATA if from_data else x,
        z=a, a=a, dz=dz or 0, dx=dx or 0, packed=packed, partials=partials, scratch=scratch, scratch_size=scratch_size,
        weight=weight, bias=bias,
        out_pixels=plan.rows.out * plan.columns.out // 4, out_features=plan.features, transposed=False,
        **normalize_when_read(None),
        activation=0 if activation is None else activation.forward.address(dtype),
        activation_backward=0 if activation is None or kept is None else activation.backward.address(dtype),
    )
    found = [row]
    if kept is not None and plan.blocks > 1:
        found.insert(0, with_phases(row, {"backward_third": (convolution_sum.address(dtype), parts["sum"])}))
    if dx is not None:
        pack = pack_patches if plan.sparse else pack_for_image
        found.append(with_phases(row, {"backward_first": (pack.address(dtype), parts["pack"])}))
    return found


def convolution_rows(plan, activation, parts, *, transposed=False, x, z, a, dz, dx, packed=0, partials=0, scratch=0,
                     scratch_size=0, weight, bias, from_data=False, normalization=None):
    """Return the rows of a convolution, in the order of the table. All arguments except the following are offsets and sizes.

    Parameters
    ----------
    plan : ConvolutionPlan
    activation : Activation, optional
        None for a = z.
    parts : dict
        {phase: number of parts}, also for "pack" and "sum".
    transposed : bool
        Whether x is the windows and z the image.
    dz, dx : int, optional
        None if that gradient is not needed.
    packed, partials : int
        Offsets of the packed weight and of the partial gradients: `plan.blocks` times weight and bias.
    from_data : bool
        Whether x is read from the data instead of the arena.
    normalization : row, optional
        That of a normalization through which x is read.
    """
    dtype, of = plan.dtype, transposed
    phases = {"forward": transposed_forward if of else convolution_forward}
    if dz is not None:
        phases["backward_third"] = transposed_backward_weight if of else convolution_backward_weight
        if plan.weight_by_pixels and not of:
            phases["backward_third"] = weight_by_pixels[plan.features]
        elif plan.elementwise:
            phases["backward_third"] = depthwise_weight_kernel(dtype, plan.rows, plan.columns, plan.channels)
    if dz is not None and activation is not None:
        phases["backward_first"] = convolution_backward_output
    if dx is not None:
        phases["backward_second"] = transposed_backward_input if of else convolution_backward_input
    out_pixels = plan.rows.size * plan.columns.size if of else plan.rows.out * plan.columns.out
    row = CONVOLUTION.row(
        {phase: (kernel.address(dtype), parts.get(phase, 1)) for phase, kernel in phases.items()},
        **plan.operands(windows=not of or dx is not None, image=of or dx is not None),
        **{"x": FROM_DATA if from_data else x} | normalize_when_read(normalization),
        z=z, a=a, dz=dz or 0, dx=dx or 0, packed=packed, partials=partials, scratch=scratch,
        scratch_size=scratch_size, weight=weight, bias=bias, out_pixels=out_pixels,
        out_features=plan.channels if of else plan.features, transposed=of,
        activation=0 if activation is None else activation.forward.address(dtype),
        activation_backward=0 if activation is None or dz is None else activation.backward.address(dtype),
    )
    before, after = [], []
    if dz is not None and plan.blocks > 1:  # the backward pass reads the table in reverse, so this row is last
        before.append(with_phases(row, {"backward_third": (convolution_sum.address(dtype), parts.get("sum", 1))}))
    if not plan.elementwise and (of or dx is not None):
        pack = pack_for_image.address(dtype), parts.get("pack", 1)
        if of:
            before.append(with_phases(row, {"forward": pack}))
        else:
            after.append(with_phases(row, {"backward_first": pack}))
    return [*before, row, *after]
