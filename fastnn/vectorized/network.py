"""A dense network in NumPy: forward, backward and one step of training.

A network is a list of (weight, bias), one pair for each layer, and a list of the names of their activations.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..kernels.activations import activations as registry
from ..kernels.losses import losses
from ..naive.rungs import check_layers, check_linear, fused_loss
from .clipping import clip
from .records import activate, mean_loss, mean_loss_gradient, pullback, real

Parameters = list[tuple[NDArray, NDArray]]


def linear_forward(x: ArrayLike, weight: ArrayLike, bias: ArrayLike) -> NDArray:
    """Compute z = x @ weight + bias.

    Parameters
    ----------
    x : (batch, in_features)
    weight : (in_features, out_features)
    bias : (out_features,)
        Broadcast: the same row is added for every sample.

    Returns
    -------
    z : (batch, out_features)

    Examples
    --------
    >>> linear_forward([[1.0, 2.0]], weight=[[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]], bias=[0.5, 0.5, 0.5])
    array([[1.5, 2.5, 1.5]])
    """
    x, weight, bias = real(x), real(weight), real(bias)
    check_linear(x.shape, weight.shape, bias.shape)
    return x @ weight + bias


def linear_backward(dz: ArrayLike, x: ArrayLike, weight: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Compute the gradients of z = x @ weight + bias from dz.

    dx = dz weightᵀ,  dweight = xᵀ dz,  dbias = Σᵢ dzᵢ

    Nothing is divided by the batch size here: the gradient of a loss is divided already.

    Parameters
    ----------
    dz : (batch, out_features)
    x : (batch, in_features)
    weight : (in_features, out_features)

    Returns
    -------
    dx : (batch, in_features)
    dweight : (in_features, out_features)
    dbias : (out_features,)

    Examples
    --------
    >>> dx, dweight, dbias = linear_backward([[1.0], [2.0]], x=[[3.0, 4.0], [5.0, 6.0]], weight=[[0.5], [0.25]])
    >>> dx.tolist(), dweight.tolist(), dbias.tolist()
    ([[0.5, 0.25], [1.0, 0.5]], [[13.0], [16.0]], [3.0])
    """
    dz, x, weight = real(dz), real(x), real(weight)
    check_linear(x.shape, weight.shape, dz.shape[1:])
    # forward: z = x @ weight + bias
    return dz @ weight.T, x.T @ dz, dz.sum(axis=0)


def forward(parameters: Parameters, activations: list[str], x: ArrayLike) -> list[tuple[NDArray, NDArray]]:
    """Run a network forward: in each layer z = a_previous @ weight + bias, a = g(z).

    Parameters
    ----------
    parameters : list of (weight, bias)
    activations : list of str
        The registered activation of each layer.
    x : (batch, in_features)

    Returns
    -------
    list of (z, a)
        The results of each layer, both (batch, out_features); the output of the network is the last a.

    Examples
    --------
    >>> [(z, a)] = forward([([[2.0], [1.0]], [-4.0])], ["relu"], [[1.0, 1.0], [3.0, 1.0]])
    >>> z.tolist(), a.tolist()
    ([[-1.0], [3.0]], [[0.0], [3.0]])
    """
    check_layers(parameters, activations)
    layers, a = [], x
    for (weight, bias), activation in zip(parameters, activations, strict=True):
        z = linear_forward(a, weight, bias)
        a = activate(registry.resolve(activation), z)
        layers.append((z, a))
    return layers


def backward(
    parameters: Parameters, activations: list[str], x: ArrayLike, y: ArrayLike, loss: str = "squared_error",
    weights: ArrayLike | None = None,
) -> tuple[float, Parameters]:
    """Compute the loss of a batch and its gradient with respect to every parameter.

    From the last layer to the first: dz = da g'(z), dweight = a_previousᵀ dz, dbias = Σᵢ dzᵢ, da_previous = dz weightᵀ.
    The pairs softmax and cross_entropy, sigmoid and binary_cross_entropy start at dz = (a − y) / batch,
    computed from the logits; any other loss starts at its da.

    Parameters
    ----------
    parameters, activations, x
        As for `forward`.
    y : (batch, outputs)
        The targets; labels as one-hot rows.
    loss : str
        A registered loss.
    weights : (batch,), optional
        The weight of each sample.

    Returns
    -------
    loss : float
    gradients : list of (dweight, dbias)

    Examples
    --------
    >>> backward([([[2.0]], [0.0])], ["identity"], x=[[1.0], [2.0]], y=[[1.0], [1.0]])
    (2.5, [(array([[3.5]]), array([2.]))])
    """
    layers = forward(parameters, activations, x)
    z, a = layers[-1]
    on_logits = fused_loss(loss, activations[-1])
    if on_logits:
        J = mean_loss(on_logits, z, y, weights)
        dz = mean_loss_gradient(on_logits, z, y, weights)
    else:
        J = mean_loss(losses.resolve(loss), a, y, weights)
        da = mean_loss_gradient(losses.resolve(loss), a, y, weights)
        dz = pullback(registry.resolve(activations[-1]), da, z, a)

    gradients = []
    for layer in range(len(parameters) - 1, 0, -1):
        z_previous, a_previous = layers[layer - 1]
        da_previous, dweight, dbias = linear_backward(dz, a_previous, parameters[layer][0])
        gradients.insert(0, (dweight, dbias))
        dz = pullback(registry.resolve(activations[layer - 1]), da_previous, z_previous, a_previous)
    _, dweight, dbias = linear_backward(dz, x, parameters[0][0])
    gradients.insert(0, (dweight, dbias))
    return J, gradients


def flatten(parameters: Parameters) -> NDArray:
    """Return all parameters of a network in one vector: weight row by row, then bias, layer by layer."""
    return np.concatenate([array.ravel() for layer in parameters for array in layer])


def optimizer_state(parameters: Parameters, optimizer) -> list[NDArray]:
    """Return the initial state of an optimizer: a flat vector of zeros for each of its slots.

    Examples
    --------
    >>> from fastnn import Adam
    >>> optimizer_state([(np.ones((2, 1)), np.zeros(1))], Adam())
    [array([0., 0., 0.]), array([0., 0., 0.])]
    """
    return [np.zeros_like(flatten(parameters)) for _ in optimizer.slots]


def train_step(
    parameters: Parameters, activations: list[str], x: ArrayLike, y: ArrayLike, loss: str,
    optimizer, state: list[NDArray], step: int,
) -> float:
    """Take one training step: forward, backward, update. Changes `parameters` and `state` in place.

    Parameters
    ----------
    parameters, activations, x, y, loss
        As for `backward`; the parameters must be arrays of floats.
    optimizer : an optimizer such as Adam(learning_rate=0.01)
    state : the result of `optimizer_state`
    step : int
        The number of the step, counted from 1.

    Returns
    -------
    loss : float
        The loss of the batch before the update.

    Examples
    --------
    >>> from fastnn import SGD
    >>> parameters, optimizer = [(np.array([[2.0]]), np.array([0.0]))], SGD(learning_rate=0.1)
    >>> state = optimizer_state(parameters, optimizer)
    >>> train_step(parameters, ["identity"], [[1.0]], [[1.0]], "squared_error", optimizer, state, step=1)
    0.5
    >>> parameters
    [(array([[1.9]]), array([-0.1]))]
    """
    J, gradients = backward(parameters, activations, x, y, loss)
    clipped = clip(flatten(gradients), optimizer.clip_value, optimizer.clip_norm)
    flat, *slots = optimizer.at(step).vectorized(flatten(parameters), clipped, *state, step)
    for slot, updated in zip(state, slots, strict=True):
        slot[:] = updated
    start = 0
    for array in (array for layer in parameters for array in layer):
        array[...] = flat[start:start + array.size].reshape(array.shape)
        start += array.size
    return J
