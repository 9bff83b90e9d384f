"""Small random networks, valid targets of a loss, and central differences, for the tests of the naive and NumPy versions."""

from itertools import pairwise

import numpy as np

from fastnn import vectorized
from fastnn.kernels.activations import activations
from fastnn.kernels.losses import losses
from fastnn.naive.rungs import all_losses

SIZES = [1, 3, 17, 65]
LOSSES = {name: loss for name, loss in all_losses().items() if loss.outputs_of_target == 1}  # with a target for each output


def in_domain(name, loss):
    """Return whether the outputs of an activation are in the domain of the loss."""
    low, high = loss.domain
    a = getattr(vectorized, name)(np.linspace(-3, 3, 13))
    return low < a.min() and a.max() < high


# The network of the notes (sigmoid with ½(ŷ − y)²) is among them, as is every pair that is computed on the logits. The sum
# of the outputs of softmax is 1, so as a loss it has no gradient.
OUTPUTS = [(activation, name) for name, loss in losses.items() if name in LOSSES
           for activation in activations if in_domain(activation, loss) and (activation, name) != ("softmax", "output")]


def random_net(sizes, seed=0):
    """Return parameters of a network of the given sizes, in float64."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(n, m)) / np.sqrt(n), rng.normal(size=m)) for n, m in pairwise(sizes)]


def inputs_and_targets(batch, in_features, outputs, loss, seed=1):
    """Return x and y for the loss: one-hot or probabilities in turn, numbers from 0 to 1, or any numbers."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(batch, in_features)), rng.normal(size=(batch, outputs))
    if loss.targets == "binary":
        y = np.where(y < 0, 0.0, np.minimum(y, 1.0))
    if loss.targets == "classes":
        y = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        y[::2] = np.eye(outputs)[rng.integers(outputs, size=len(y[::2]))]
    return x, y


def outputs_for(loss, shape, seed=2):
    """Return outputs in the domain of the loss, away from its kinks."""
    low, high = loss.domain
    numbers = np.random.default_rng(seed).normal(size=shape)
    return numbers if np.isinf(high) else low + (high - low) / (1 + np.exp(-numbers))


def central_differences(function, array, step=1e-6):
    """Return the derivative of `function()` with respect to each element of `array`, which is changed and restored."""
    derivative = np.empty_like(array)
    for place in np.ndindex(array.shape):
        middle = array[place]
        array[place] = middle + step
        above = function()
        array[place] = middle - step
        below = function()
        array[place] = middle
        derivative[place] = (above - below) / (2 * step)
    return derivative
