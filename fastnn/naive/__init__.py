"""All functions in pure Python, as loops over lists, like the pseudo-code of the notes.

This version is for reading and teaching: every multiplication is explicit, and neither NumPy nor Numba is used.
`fastnn.vectorized` has the same functions in NumPy, `fastnn.kernels` compiled. Functions take nested lists (or arrays, which
are converted to lists) and return nested lists. A sample is a row. The notes use columns: their W x is x W here.

In addition to the functions below, there is a pair for each registered activation and loss, under its name:

>>> from fastnn import naive
>>> a = naive.tanh(0.0)
>>> a, naive.tanh_prime(0.0, a)
(0.0, 1.0)
>>> naive.softmax([[0.0, 0.0], [1.0, 1.0]])
[[0.5, 0.5], [0.5, 0.5]]
>>> naive.squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 3.0]])
1.25
>>> naive.squared_error_gradient([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 3.0]])
[[0.0, 1.0], [0.0, 0.5]]
>>> naive.squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 3.0]], weights=[1, 3])
0.875
"""

from . import records
from .attention import attention_backward, attention_forward
from .attention_pool import attention_pool_backward, attention_pool_forward
from .clipping import clip_by_norm, clip_by_value
from .convolution import (
    conv2d_backward,
    conv2d_forward,
    conv_transpose2d_backward,
    conv_transpose2d_forward,
)
from .ctc import ctc_loss, ctc_loss_gradient
from .dropout import dropout_backward, dropout_forward
from .group_normalization import group_norm_backward, group_norm_forward
from .images import (
    normalize_backward,
    normalize_forward,
    pad2d_backward,
    pad2d_forward,
    rescale_backward,
    rescale_forward,
    up_sample2d_backward,
    up_sample2d_forward,
    zero_pad2d_backward,
    zero_pad2d_forward,
)
from .joins import (
    concatenate_backward,
    concatenate_forward,
    dot_backward,
    dot_forward,
    maximum_backward,
    maximum_forward,
    multiply_backward,
    multiply_forward,
    slice_backward,
    slice_forward,
    weighted_sum_backward,
    weighted_sum_forward,
)
from .logistic import logistic_regression
from .network import backward, forward, linear_backward, linear_forward, optimizer_state, train_step
from .normalization import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_predict,
    batch_norm_running,
    layer_norm_backward,
    layer_norm_forward,
)
from .over_time import (
    average_over_time_backward,
    average_over_time_forward,
    embedding_backward,
    embedding_forward,
    last_step_backward,
    last_step_forward,
    max_over_time_backward,
    max_over_time_forward,
)
from .penalty import weight_penalty, weight_penalty_gradient
from .pooling import average_pool2d_backward, average_pool2d_forward, max_pool2d_backward, max_pool2d_forward
from .position_embedding import position_embedding_backward, position_embedding_forward
from .positional_encoding import positional_encoding_forward
from .random_layers import gaussian_noise_forward, random_view_backward, random_view_forward
from .recurrence import (
    gru_backward,
    gru_forward,
    lstm_backward,
    lstm_forward,
    simple_rnn_backward,
    simple_rnn_forward,
)
from .rungs import registry_attributes

__all__ = [
    "attention_backward",
    "attention_forward",
    "attention_pool_backward",
    "attention_pool_forward",
    "average_over_time_backward",
    "average_over_time_forward",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "backward",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_predict",
    "batch_norm_running",
    "clip_by_norm",
    "clip_by_value",
    "concatenate_backward",
    "concatenate_forward",
    "conv2d_backward",
    "conv2d_forward",
    "conv_transpose2d_backward",
    "conv_transpose2d_forward",
    "ctc_loss",
    "ctc_loss_gradient",
    "dot_backward",
    "dot_forward",
    "dropout_backward",
    "dropout_forward",
    "embedding_backward",
    "embedding_forward",
    "forward",
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
    "logistic_regression",
    "lstm_backward",
    "lstm_forward",
    "max_over_time_backward",
    "max_over_time_forward",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "maximum_backward",
    "maximum_forward",
    "multiply_backward",
    "multiply_forward",
    "normalize_backward",
    "normalize_forward",
    "optimizer_state",
    "pad2d_backward",
    "pad2d_forward",
    "position_embedding_backward",
    "position_embedding_forward",
    "positional_encoding_forward",
    "random_view_backward",
    "random_view_forward",
    "rescale_backward",
    "rescale_forward",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "slice_backward",
    "slice_forward",
    "train_step",
    "up_sample2d_backward",
    "up_sample2d_forward",
    "weight_penalty",
    "weight_penalty_gradient",
    "weighted_sum_backward",
    "weighted_sum_forward",
    "zero_pad2d_backward",
    "zero_pad2d_forward",
]

__getattr__, __dir__ = registry_attributes(globals(), records)
