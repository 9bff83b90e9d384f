"""Convolutions as ONNX operators.

ONNX has channels before height and width, and runtimes compute its operators only in float32. In float64 a convolution is
a sum of matrix products instead, one for each tap of the kernel, on slices of padded images.
"""

import numpy as np


def by_operator(graph, x, weight, bias, axes, groups, transposed):
    """Return z by Conv or ConvTranspose. axes: the windows along each axis of the kernel."""
    last = len(axes) + 1
    options = {"strides": [axis.stride for axis in axes], "dilations": [axis.dilation for axis in axes], "group": groups,
               "kernel_shape": [axis.kernel for axis in axes]}
    if transposed:  # pads crop the result; output_padding extends it beyond the last window
        options["output_padding"] = [beyond(axis) for axis in axes]
    options["pads"] = [axis.before for axis in axes] + [axis.reached_after for axis in axes]
    # (*kernel, inputs, outputs) becomes (outputs, inputs, *kernel); a transposed convolution has both with the two exchanged
    weight = graph("Transpose", graph.tensor("weight", weight), perm=[last, last - 1, *range(len(axes))])
    operator, bias = "ConvTranspose" if transposed else "Conv", graph.tensor("bias", bias)
    return graph.channels_last(graph(operator, graph.channels_first(x), weight, bias, **options))


def beyond(axis):
    """Return the number of outputs of a transposed convolution behind its last window.

    ONNX Runtime computes ConvTranspose with less than a stride of them, PyTorch also with less than the dilation.
    """
    return max(0, axis.size + axis.before - (axis.out - 1) * axis.stride - axis.span)


def by_taps(graph, x, weight, bias, axes, groups, transposed):
    """Return z as a sum of matrix products, one for each tap of the kernel.

    x holds images, or for `Conv1D` series as images of height 1, whose weight has no axis for the height.
    """
    shifts, sizes, steps = [], [axis.size if transposed else axis.out for axis in axes], [1, 1]
    if transposed:
        x, shifts = spread_out(graph, x, axes, weight.shape[-1])
    else:
        after = [axis.reached_after for axis in axes]
        x = pad(graph, x, [axis.before for axis in axes], after)
        shifts, steps = [[k * axis.dilation for k in range(axis.kernel)] for axis in axes], [axis.stride for axis in axes]
    kernel, z, (height, width) = graph.tensor("weight", weight), graph.tensor("bias", bias), (axis.kernel for axis in axes)
    for i in range(height):
        for j in range(width):
            starts = [shifts[0][i], shifts[1][j]]
            ends = [start + step * (size - 1) + 1 for start, step, size in zip(starts, steps, sizes, strict=True)]
            seen = graph("Slice", x, *(graph.tensor(f"{name}_{i}_{j}", values, "int64") for name, values in
                                       (("starts", starts), ("ends", ends), ("axes", [1, 2]), ("steps", steps))))
            tap = matrix_of_tap(graph, kernel, (i, j)[4 - weight.ndim:], weight.shape, groups)
            z = graph("Add", z, graph("MatMul", seen, graph("Transpose", tap, perm=[1, 0]) if transposed else tap))
    return z


def matrix_of_tap(graph, kernel, tap, shape, groups):
    """Return the matrix (inputs, outputs) of one tap, with zeros between groups."""
    *_, inputs, outputs = shape
    for place in tap:
        kernel = graph("Gather", kernel, graph.tensor(f"place_{place}", place, "int64"), axis=0)
    if groups == 1:
        return kernel
    mask = np.kron(np.eye(groups), np.ones((inputs, outputs // groups)))
    return graph("Mul", graph("Concat", *[kernel] * groups, axis=0), graph.tensor("mask", mask))


def pad(graph, x, before, after):
    """Return images padded with zeros."""
    if not any((*before, *after)):
        return x
    return graph("Pad", x, graph.tensor("pads", [0, *before, 0, 0, *after, 0], "int64"))


def spread_out(graph, x, axes, channels):
    """Return images with zeros between and around the pixels, and where the slice of each tap begins."""
    rows, columns = (axis.out for axis in axes)
    down, across = (axis.stride for axis in axes)
    x = graph("Reshape", x, graph.tensor("apart", [0, rows, 1, columns, 1, channels], "int64"))
    x = graph("Pad", x, graph.tensor("between", [0] * 8 + [down - 1, 0, across - 1, 0], "int64"))
    x = graph("Reshape", x, graph.tensor("together", [0, rows * down, columns * across, channels], "int64"))
    before = [max(0, axis.span - 1 - axis.before) for axis in axes]
    after = [max(0, axis.size + axis.before - axis.out * axis.stride) for axis in axes]
    starts = [[space + axis.before - k * axis.dilation for k in range(axis.kernel)]
              for space, axis in zip(before, axes, strict=True)]
    return pad(graph, x, before, after), starts
