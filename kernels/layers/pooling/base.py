"""The common part of pools: their row, and the loops over windows, forward and backward.

x, dx (batch, height, width, channels); a, kept, da (batch, out_height, out_width, channels); C-contiguous. A vector holds
adjacent channels, the last vector is masked. Each part has its own rows: forward of a, backward of dx, where each element
adds the contributions of its windows in the order of the windows. So no bit depends on the number of parts.

Most pools halve images with adjacent 2×2 windows. Then all taps of a window are known at compile time, and each element of
dx is written once.
"""

from functools import partial

from ...compiling.jit import Kernel, jit, offset, view
from ...compiling.share import share
from ...interpreter.table import Kind
from .window_vectors import window_intrinsic

POOL = Kind(
    "pool",
    "x", "a", "kept", "da", "dx",  # in the arena
    "channels",
    "height", "out_height", "kernel_height", "stride_down", "dilation_down", "top", "bottom",
    "width", "out_width", "kernel_width", "stride_across", "dilation_across", "left", "right",
    "halves",  # whether it is by 2×2 windows side by side, all of them within the data
    "counts_padding",  # whether an average counts the padding of its window
)


@jit(inline=True)
def taps_inside(start, kernel, dilation, size):
    """Return the taps of a window from `start` that read elements 0 … size − 1: the first, and one past the last."""
    if start >= 0 and start + (kernel - 1) * dilation < size:
        return 0, kernel
    first = 0 if start >= 0 else (dilation - 1 - start) // dilation
    return first, min(kernel, (size - start + dilation - 1) // dilation)


@jit(inline=True)
def windows_over(begin, end, before, kernel, dilation, stride, out):
    """Return the windows of an axis that reach elements begin … end − 1: the first, and one past the last."""
    first = begin + before - (kernel - 1) * dilation
    return 0 if first <= 0 else (first + stride - 1) // stride, min(out, (end - 1 + before) // stride + 1)


@jit(inline=True)
def run_of_windows(c, row):
    """Return the number of windows from column c with all taps within the data; 1 if window c has taps outside."""
    left, stride = c * row.stride_across - row.left, row.stride_across
    reach = row.width - (row.kernel_width - 1) * row.dilation_across  # the first column whose window reaches outside
    return 1 if left < 0 or left >= reach else min(row.out_width - c, (reach - left + stride - 1) // stride)


@jit(inline=True)
def counted(start, kernel, dilation, end, inside):
    """Return the number of taps of a window that an average counts on an axis: `inside`, or also those in the padding."""
    return inside if end == 0 else min(kernel, (end - start + dilation - 1) // dilation)


def build_forward(dtype, emit):
    """Return the kernel that emits (rows, columns, a, kept, x, divisor, windows, step, channels, row_step, column_step).

    rows, columns: of the taps of each window; x: the first tap of the first window; step: distance between windows.
    """
    over_windows, over_fours = window_intrinsic(dtype, emit), window_intrinsic(dtype, emit, 2, 2)

    def pool_forward(row, call, part, parts):
        channels, line, out_line = row.channels, row.width * row.channels, row.out_width * row.channels
        down, across, step = row.dilation_down * line, row.dilation_across * channels, row.stride_across * channels
        padded = row.counts_padding != 0
        bottom, right = row.height + row.bottom if padded else 0, row.width + row.right if padded else 0
        begin, end = share(call.batch * row.out_height, part, parts, 1)
        for number in range(begin, end):
            sample, top = number // row.out_height, number % row.out_height * row.stride_down - row.top
            a, kept = offset(call.arena, row.a + number * out_line), offset(call.arena, row.kept + number * out_line)
            image = row.x + sample * row.height * line
            if row.halves != 0:
                x = offset(call.arena, image + top * line)
                over_fours((a, kept, x, 4.0, row.out_width, step, channels, line, channels))
                continue
            first, last = taps_inside(top, row.kernel_height, row.dilation_down, row.height)
            high = counted(top, row.kernel_height, row.dilation_down, bottom, last - first)
            image_row, c = image + (top + first * row.dilation_down) * line, 0
            while c < row.out_width:
                left, run = c * row.stride_across - row.left, run_of_windows(c, row)
                begins, ends = taps_inside(left, row.kernel_width, row.dilation_across, row.width)
                wide = counted(left, row.kernel_width, row.dilation_across, right, ends - begins)
                x = offset(call.arena, image_row + (left + begins * row.dilation_across) * channels)
                over_windows((last - first, ends - begins, offset(a, c * channels), offset(kept, c * channels), x,
                              float(high * wide), run, step, channels, down, across))
                c += run

    return pool_forward


def build_backward(dtype, emit):
    """Return the kernel that emits (rows, columns, dx, da, kept, divisor, windows, step, channels, row_step, column_step,
    own, past).

    As forward; dx is the first tap of the first window. It writes the rows of taps own … past − 1. emit(add=True) adds to
    dx, emit(add=False) overwrites it.
    """
    over_windows = window_intrinsic(dtype, emit(add=True))
    over_fours = window_intrinsic(dtype, emit(add=False), 2, 2)

    def pool_backward(row, call, part, parts):
        height, width, channels, line = row.height, row.width, row.channels, row.width * row.channels
        out_line, step = row.out_width * channels, row.stride_across * channels
        if row.halves != 0 and height % 2 == 0 and width % 2 == 0:  # no pixel is left out
            begin, end = share(call.batch * row.out_height, part, parts, 1)
            for number in range(begin, end):
                dx, out = offset(call.arena, row.dx + 2 * number * line), number * out_line
                da, kept = offset(call.arena, row.da + out), offset(call.arena, row.kept + out)
                over_fours((dx, da, kept, 4.0, row.out_width, step, channels, line, channels, 0, 2))
            return

        down, across, padded = row.dilation_down * line, row.dilation_across * channels, row.counts_padding != 0
        bottom, right = height + row.bottom if padded else 0, width + row.right if padded else 0
        begin, end = share(call.batch * height, part, parts, 1)
        view(call.arena, row.dx + begin * line, (end - begin) * line)[:] = 0
        for sample in range(begin // height, (end + height - 1) // height):
            low, high = max(begin - sample * height, 0), min(end - sample * height, height)  # the rows of this part
            first_window, past_window = windows_over(low, high, row.top, row.kernel_height, row.dilation_down,
                                                     row.stride_down, row.out_height)
            for r in range(first_window, past_window):
                top = r * row.stride_down - row.top
                first, last = taps_inside(top, row.kernel_height, row.dilation_down, height)
                tall = counted(top, row.kernel_height, row.dilation_down, bottom, last - first)
                start = top + first * row.dilation_down
                own = (low - start + row.dilation_down - 1) // row.dilation_down  # from which tap on they are this part's
                past = (high - start + row.dilation_down - 1) // row.dilation_down
                image_row, out_row, c = (sample * height + start) * line, (sample * row.out_height + r) * out_line, 0
                while c < row.out_width:
                    left, run = c * row.stride_across - row.left, run_of_windows(c, row)
                    begins, ends = taps_inside(left, row.kernel_width, row.dilation_across, width)
                    wide = counted(left, row.kernel_width, row.dilation_across, right, ends - begins)
                    dx = offset(call.arena, row.dx + image_row + (left + begins * row.dilation_across) * channels)
                    out = out_row + c * channels
                    da, kept = offset(call.arena, row.da + out), offset(call.arena, row.kept + out)
                    over_windows((last - first, ends - begins, dx, da, kept, float(tall * wide), run, step, channels, down,
                                  across, own, past))
                    c += run

    return pool_backward


def pool_kernels(name, forward, backward):
    """Return the forward and backward kernels of a pool, from the functions that emit its operation at windows."""
    return (Kernel(f"{name}_forward", partial(build_forward, emit=forward), POOL.arguments),
            Kernel(f"{name}_backward", partial(build_backward, emit=backward), POOL.arguments))


def halves(*axes):
    """Return whether windows are 2×2 side by side, all of them within the data."""
    return all((axis.kernel, axis.stride, axis.dilation, axis.before) == (2, 2, 1, 0) and 2 * axis.out <= axis.size
               for axis in axes)


def pool_row(phases, rows, columns, channels, *, x, a, da, dx, kept=0, counts_padding=False):
    """Return the row of a pool. rows, columns: `Windows` of the axes; x, a, kept, da, dx: offsets, dx None if not needed."""
    return POOL.row(
        phases, x=x, a=a, kept=kept, da=da or 0, dx=dx or 0, channels=channels, halves=halves(rows, columns),
        counts_padding=counts_padding,
        height=rows.size, out_height=rows.out, kernel_height=rows.kernel, stride_down=rows.stride,
        dilation_down=rows.dilation, top=rows.before, bottom=rows.after,
        width=columns.size, out_width=columns.out, kernel_width=columns.kernel, stride_across=columns.stride,
        dilation_across=columns.dilation, left=columns.before, right=columns.after,
    )
