"""Batch normalization."""

from dataclasses import dataclass

from ...checks import number_in_range
from ...kernels.compiling.objects import address
from ...kernels.layers.normalization.batch_norm import batch_norm_row, running_statistics_row, statistics_size
from ...kernels.layers.normalization.batch_norm_pixels import rows_by_samples
from ...runtime.threads import NUMBERS_PER_PART
from ..base import Layer, register


@register
@dataclass(frozen=True)
class BatchNorm(Layer):
    """Normalize each feature over the samples of the batch (Ioffe and Szegedy 2015): a = scale · x̂ + shift.

    The features are the last axis of a sample. For an image (height, width, channels) they are its channels, and the
    statistics are over samples and pixels.

    In training x̂ = (x − mean) / √(variance + epsilon), with the mean and the variance of the feature over the batch (the
    variance divided by the batch size m, not m − 1). Sample weights are ignored. In prediction and evaluation, running means
    and variances are used, which each step of `fit` updates:

        running ← momentum · running + (1 − momentum) · that of the batch

    The running variance averages unbiased variances, m / (m − 1) times the above (algorithm 2 of the paper). The initial
    values are 0 and 1. The running statistics are in `Network.state` and in the file of `Network.save`.

    A batch of one sample of features is normalized by the running statistics, as in prediction, and does not change them. So
    a last batch of one sample does no harm, but training with batches of one sample normalizes nothing.

    Parameters
    ----------
    momentum : float, default 0.9
        The fraction of the running statistics kept in a step, in [0, 1) (PyTorch's momentum is 1 − this).
    epsilon : float, default 1e-5
        Added to the variance; at least 1e-30.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import BatchNorm, Network
    >>> net = Network([BatchNorm(momentum=0.5)], inputs=1)
    >>> history = net.fit(np.array([[1.0], [3.0]]), np.array([0.0, 0.0]))
    >>> net.state["0.running_mean"], net.state["0.running_variance"]  # half of 0 and 2; of 1 and 2
    (array([1.], dtype=float32), array([1.5], dtype=float32))
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    mixes_samples = True
    functions = "batch_norm_forward", "batch_norm_backward", "batch_norm_predict"
    torch = "BatchNorm1d"

    def __post_init__(self):
        object.__setattr__(self, "momentum", number_in_range("BatchNorm(momentum=...)", self.momentum, 0.0, 1.0))
        object.__setattr__(self, "epsilon", number_in_range("BatchNorm(epsilon=...)", self.epsilon, 1e-30))

    def parameter_shapes(self, shape):
        return {"scale": shape[-1:], "shift": shape[-1:]}

    def initial_parameters(self, shape, generator, activation):
        return {"scale": 1.0, "shift": 0.0}

    def state_shapes(self, shape):
        return {"running_mean": shape[-1:], "running_variance": shape[-1:]}

    def initial_state(self):
        return {"running_mean": 0.0, "running_variance": 1.0}

    def lower(self, program, index, x, activation):
        x, features = program.in_arena(x), x.shape[-1]
        pixels = x.features // features
        statistics = program.arena.take(statistics_size(features, pixels, program.batch))
        a = program.tensor(x.shape, gradient=x.gradient)  # the last that is taken, see `Arena.leave`
        parts = program.parts(program.batch * x.features, NUMBERS_PER_PART)
        row = batch_norm_row(
            program.dtype, parts, x=x.offset, a=a.offset, da=a.gradient or 0,
            statistics=statistics, scale=program.offsets[f"{index}.scale"],
            running=address(program.state[f"{index}.running_mean"]), features=features,
            pixels=pixels, momentum=self.momentum, epsilon=self.epsilon, by_batch=program.as_in_training,
            followed=program.keeps_state, layer=index,
        )
        for each in [row] if pixels == 1 else rows_by_samples(program.dtype, row, parts, program.training):
            program.emit(each)
        program.emit_last(running_statistics_row(program.dtype, row))
        program.emit_update(start=program.offsets[f"{index}.scale"], rows=2, columns=features, parts=1)
        return a

    def onnx(self, graph, x, parameters):
        if len(graph.shape) == 1:
            return self.on_features(graph, x, parameters)
        return graph.channels_last(self.on_features(graph, graph.channels_first(x), parameters))

    def on_features(self, graph, x, parameters):
        """Add its operators for x (batch, features, …)."""
        arrays = [graph.tensor(name, parameters[name]) for name in ("scale", "shift", "running_mean", "running_variance")]
        if not graph.exact:
            return graph("BatchNormalization", x, *arrays, epsilon=self.epsilon)
        return graph("BatchNormalization", x, *arrays[:3], graph("Add", arrays[3], self.epsilon), epsilon=0.0)
