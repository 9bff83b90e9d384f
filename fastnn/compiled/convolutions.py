"""Convolution as functions for Python: each runs as a network of one layer, as in training.

Arguments, results and errors are those of `fastnn.naive` and `fastnn.vectorized`; `threads` is the largest number of
threads, used if there is enough work, and does not change the result.
"""

import numpy as np

from ..kernels.compiling.objects import address
from ..kernels.interpreter.table import PHASES
from ..kernels.layers.convolution.rows import ConvolutionPlan, convolution_rows
from ..naive.rungs import convolution_windows, transposed_convolution_windows
from ..runtime.threads import FLOPS_PER_PART, parts, resolve_threads
from .arguments import place, real_arrays, run_phase


class Convolution:
    """The rows of one layer whose memory is wherever its arrays lie. axes: those of the images, height and width."""

    def __init__(self, dtype, axes, groups, x, weight, threads, transposed=False):
        channels, features = weight.shape[2] * groups, weight.shape[3]
        self.dtype, self.axes, self.batch, self.transposed = dtype, axes, len(x), transposed
        self.x = np.ascontiguousarray(x)
        self.plan = ConvolutionPlan(dtype, axes, channels, features, groups, len(x))
        self.out_features = channels if transposed else features
        sizes = [axis.size if transposed else axis.out for axis in axes]
        self.shape = len(x), *sizes, self.out_features
        self.parameters = np.zeros(weight.size + self.out_features, dtype)  # the bias follows the weight in memory
        self.parameters[:weight.size] = weight.ravel()
        self.work = 2 * len(x) * axes[0].out * axes[1].out * self.plan.weight_size
        self.parts = parts(self.work, FLOPS_PER_PART, resolve_threads(threads))
        self.scratch_size = max(self.plan.image_scratch, self.plan.windows_scratch, self.plan.weight_scratch)
        self.memory = [np.empty(size, dtype) for size in (
            self.plan.packed_size, self.plan.blocks * self.parameters.size, self.parts * self.scratch_size)]

    def run_phases(self, phases, gradients=None, z=None, dz=None, dx=None):
        """Run these phases of its rows, each phase up or down the table."""
        packed, partials, scratch = map(place, self.memory)
        rows = convolution_rows(
            self.plan, None, dict.fromkeys((*PHASES, "pack", "sum"), self.parts), transposed=self.transposed,
            x=place(self.x), z=place(z), a=place(z), dz=None if dz is None else place(dz),
            dx=None if dx is None else place(dx), packed=packed, partials=partials, scratch=scratch,
            scratch_size=self.scratch_size, weight=place(self.parameters),
            bias=place(self.parameters[-self.out_features:]))
        shift = 0 if gradients is None else address(gradients) - address(self.parameters)
        for row in rows if phases == ["forward"] else reversed(rows):
            for phase in phases:
                if row[phase]["kernel"]:
                    run_phase(row, phase, self.batch, self.work, shift)

    def forward(self, bias):
        self.parameters[-self.out_features:] = bias
        z = np.empty(self.shape, self.dtype)
        self.run_phases(["forward"], z=z)
        return z

    def backward(self, dz, weight_shape):
        dx, gradients = np.empty(self.x.shape, self.dtype), np.empty(self.parameters.size, self.dtype)
        self.run_phases(["backward_first", "backward_second", "backward_third"], gradients, dz=dz, dx=dx)
        return dx, gradients[:-self.out_features].reshape(weight_shape), gradients[-self.out_features:].copy()


def conv2d_forward(x, weight, bias, stride=1, padding="valid", dilation=1, groups=1, threads=None):
    """Slide a kernel over images: z (batch, windows down, windows across, out_channels).

    Examples
    --------
    >>> x = [[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]]  # one image of 2×3 pixels and one channel
    >>> conv2d_forward(x, weight=[[[[1.0]], [[10.0]]]], bias=[0.5]).tolist()
    [[[[21.5], [32.5]], [[54.5], [65.5]]]]
    """
    dtype, x, weight, bias = real_arrays(x=x, weight=weight, bias=bias)
    axes = convolution_windows(x.shape, weight.shape, bias.shape, stride, padding, dilation, groups)
    return Convolution(dtype, axes, groups, x, weight, threads).forward(bias)


def conv2d_backward(dz, x, weight, stride=1, padding="valid", dilation=1, groups=1, threads=None):
    """Compute the gradients of `conv2d_forward` from dz: dx, dweight and dbias.

    Examples
    --------
    >>> dx, dweight, dbias = conv2d_backward([[[[1.0], [2.0]]]], [[[[1.0], [2.0], [3.0]]]], weight=[[[[1.0]], [[10.0]]]])
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[[[1.0], [12.0], [20.0]]]], [[[[5.0]], [[8.0]]]], [3.0])
    """
    dtype, dz, x, weight = real_arrays(dz=dz, x=x, weight=weight)
    axes = convolution_windows(x.shape, weight.shape, weight.shape[3:], stride, padding, dilation, groups, dz.shape)
    return Convolution(dtype, axes, groups, x, weight, threads).backward(dz, weight.shape)


def conv_transpose2d_forward(x, weight, bias, stride=1, padding="valid", dilation=1, groups=1, output_padding=0,
                             threads=None):
    """Spread each pixel over a window: z (batch, rows, columns, out_channels).

    Examples
    --------
    >>> conv_transpose2d_forward([[[[1.0], [2.0]]]], weight=[[[[1.0]], [[10.0]]]], bias=[0.5], stride=(1, 2)).tolist()
    [[[[1.5], [10.5], [2.5], [20.5]]]]
    """
    dtype, x, weight, bias = real_arrays(x=x, weight=weight, bias=bias)
    axes = transposed_convolution_windows(x.shape, weight.shape, bias.shape, stride, padding, dilation, groups,
                                          output_padding)
    axes = [axis.reversed for axis in axes]
    return Convolution(dtype, axes, groups, x, weight, threads, transposed=True).forward(bias)


def conv_transpose2d_backward(dz, x, weight, stride=1, padding="valid", dilation=1, groups=1, output_padding=0,
                              threads=None):
    """Compute the gradients of `conv_transpose2d_forward` from dz: dx, dweight and dbias.

    Examples
    --------
    >>> dz, weight = [[[[1.0], [2.0], [3.0], [4.0]]]], [[[[1.0]], [[10.0]]]]
    >>> dx, dweight, dbias = conv_transpose2d_backward(dz, [[[[1.0], [2.0]]]], weight, stride=(1, 2))
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[[[21.0], [43.0]]]], [[[[7.0]], [[10.0]]]], [10.0])
    """
    dtype, dz, x, weight = real_arrays(dz=dz, x=x, weight=weight)
    axes = transposed_convolution_windows(x.shape, weight.shape, (weight.shape[2] * groups,), stride, padding, dilation,
                                          groups, output_padding, dz.shape)
    axes = [axis.reversed for axis in axes]
    return Convolution(dtype, axes, groups, x, weight, threads, transposed=True).backward(dz, weight.shape)
