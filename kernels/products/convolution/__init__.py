"""Convolution and its gradients, as products over segments (see `segments`).

    windows    windows[r, c] = start + Σ image[r s + i d − top, c s + j d − left] weight[i, j]    over the taps (i, j)
    image      image[y, x] = start + Σ windows[r, c] weightᵀ[i, j]    over all r s + i d − top = y, c s + j d − left = x
    weight     weight[i, j] = Σ imageᵀ[r s + i d − top, c s + j d − left] windows[r, c]    over windows and samples

image (batch, height, width, channels), windows (batch, rows, columns, features), weight (kernel_height, kernel_width,
channels / groups, features); C-contiguous. Indices outside the image or the windows count as zeros. `row` has the sizes by
name, see `layers.convolution.conv2d`.

The forward phase of a convolution computes windows (`to_windows`), its backward phases compute image (`to_image`, or
`overlapping` with few channels) and weight (`to_weight`). With few features, windows and the gradient of the weight are
computed with pixels in the lanes instead (`planes`, `pixel_tile`, `pixel_sums`). A depthwise convolution has kernels of its
own (`depthwise`, `depthwise_weight`). A transposed convolution computes an image
forward, windows and weight backward. Two things are copied: the weight, and a band of a sample if it needs zeros around it
or becomes planes.

Where a max pool of 2×2 windows follows, the gradients of weight and image are sums over the maxima (`pooled_sums`,
`pooled_image`), which read an image as `patches`.

Every element is one chain of multiply-adds in a fixed order: of windows and image over the taps and then channels or
features, of the weight over the samples and then the windows. With pixels in the lanes, each lane has its own chain for the
weight, and the lanes are added at the end of a block.
"""
