"""The kernels as functions for Python, under the names of `fastnn.naive` and `fastnn.vectorized`.

In addition to the functions of `calls`, there is a pair of functions for each registered activation and loss, under its
name.
"""

from ..naive.rungs import registry_attributes
from . import calls
from .calls import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_predict,
    batch_norm_running,
    clip_by_norm,
    clip_by_value,
    dropout_backward,
    dropout_forward,
    group_norm_backward,
    group_norm_forward,
    layer_norm_backward,
    layer_norm_forward,
    linear_backward,
    linear_forward,
    optimizer_update,
    registered_functions,
    weight_penalty,
    weight_penalty_gradient,
)
from .convolutions import conv2d_backward, conv2d_forward, conv_transpose2d_backward, conv_transpose2d_forward
from .image_calls import (
    average_pool2d_backward,
    average_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
    normalize_backward,
    normalize_forward,
    rescale_backward,
    rescale_forward,
    up_sample2d_backward,
    up_sample2d_forward,
    zero_pad2d_backward,
    zero_pad2d_forward,
)
from .random_calls import gaussian_noise_forward, random_view_backward, random_view_forward
from .recurrent_calls import (
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    simple_rnn_backward,
    simple_rnn_forward,
)
from .sequence_calls import (
    average_over_time_backward,
    average_over_time_forward,
    embedding_backward,
    embedding_forward,
    last_step_backward,
    last_step_forward,
    max_over_time_backward,
    max_over_time_forward,
)

__all__ = [
    "average_over_time_backward",
    "average_over_time_forward",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_predict",
    "batch_norm_running",
    "clip_by_norm",
    "clip_by_value",
    "conv2d_backward",
    "conv2d_forward",
    "conv_transpose2d_backward",
    "conv_transpose2d_forward",
    "dropout_backward",
    "dropout_forward",
    "embedding_backward",
    "embedding_forward",
    "gaussian_noise_forward",
    "group_norm_backward",
    "group_norm_forward",
    "gru_backward",
    "gru_forward",
    "last_step_backward",
    "last_step_forward",
    "layer_norm_backward",
    "layer_norm_forward",
    "linear_backward",
    "linear_forward",
    "lstm_backward",
    "lstm_forward",
    "max_over_time_backward",
    "max_over_time_forward",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "normalize_backward",
    "normalize_forward",
    "optimizer_update",
    "random_view_backward",
    "random_view_forward",
    "registered_functions",
    "rescale_backward",
    "rescale_forward",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "up_sample2d_backward",
    "up_sample2d_forward",
    "weight_penalty",
    "weight_penalty_gradient",
    "zero_pad2d_backward",
    "zero_pad2d_forward",
]

__getattr__, __dir__ = registry_attributes(globals(), calls)
