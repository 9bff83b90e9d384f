"""A dense network as pure Python loops: forward, backward and one step of training.

A network is a list of (weight, bias), one pair for each layer, and a list of the names of their activations.
"""

from ..kernels.activations import activations as registry
from ..kernels.losses import losses
from .clipping import clip
from .records import Matrix, Vector, activate, mean_loss, mean_loss_gradient, pullback, shape, to_lists
from .rungs import check_layers, check_linear, fused_loss

Parameters = list[tuple[Matrix, Vector]]


def linear_forward(x: Matrix, weight: Matrix, bias: Vector) -> Matrix:
    """Compute z = x @ weight + bias, one multiplication at a time.

    Parameters
    ----------
    x : (batch, in_features)
    weight : (in_features, out_features)
    bias : (out_features,)

    Returns
    -------
    z : (batch, out_features)

    Examples
    --------
    >>> linear_forward([[1.0, 2.0]], weight=[[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]], bias=[0.5, 0.5, 0.5])
    [[1.5, 2.5, 1.5]]
    """
    x, weight, bias = to_lists(x), to_lists(weight), to_lists(bias)
    check_linear(shape(x), shape(weight), shape(bias))
    z = []
    for i in range(len(x)):
        row = []
        for j in range(len(bias)):
            total = bias[j]
            for k in range(len(weight)):
                total += x[i][k] * weight[k][j]
            row.append(total)
        z.append(row)
    return z


def linear_backward(dz: Matrix, x: Matrix, weight: Matrix) -> tuple[Matrix, Matrix, Vector]:
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
    >>> dx, dweight, dbias
    ([[0.5, 0.25], [1.0, 0.5]], [[13.0], [16.0]], [3.0])
    """
    dz, x, weight = to_lists(dz), to_lists(x), to_lists(weight)
    in_features, out_features = len(weight), len(weight[0])
    check_linear(shape(x), shape(weight), (out_features,))
    dx = [[0.0] * in_features for _ in x]
    dweight = [[0.0] * out_features for _ in weight]
    dbias = [0.0] * out_features
    # forward: z[i][j] = bias[j] + Σₖ x[i][k] weight[k][j]
    for i in range(len(x)):
        for j in range(out_features):
            dbias[j] += dz[i][j]
            for k in range(in_features):
                dx[i][k] += dz[i][j] * weight[k][j]
                dweight[k][j] += x[i][k] * dz[i][j]
    return dx, dweight, dbias


def forward(parameters: Parameters, activations: list[str], x: Matrix) -> list[tuple[Matrix, Matrix]]:
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
    >>> forward([([[2.0], [1.0]], [-4.0])], ["relu"], [[1.0, 1.0], [3.0, 1.0]])
    [([[-1.0], [3.0]], [[0.0], [3.0]])]
    """
    check_layers(parameters, activations)
    layers, a = [], to_lists(x)
    for (weight, bias), activation in zip(parameters, activations, strict=True):
        z = linear_forward(a, weight, bias)
        a = activate(registry.resolve(activation), z)
        layers.append((z, a))
    return layers


def backward(
    parameters: Parameters, activations: list[str], x: Matrix, y: Matrix, loss: str = "squared_error",
    weights: Vector | None = None,
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
    (2.5, [([[3.5]], [2.0])])
    """
    x = to_lists(x)
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


def flatten(parameters: Parameters) -> Vector:
    """Return all parameters of a network in one list: weight row by row, then bias, layer by layer."""
    flat = []
    for weight, bias in to_lists(parameters):
        for row in weight:
            flat.extend(row)
        flat.extend(bias)
    return flat


def optimizer_state(parameters: Parameters, optimizer) -> list[Vector]:
    """Return the initial state of an optimizer: a flat list of zeros for each of its slots.

    Examples
    --------
    >>> from fastnn import Adam
    >>> optimizer_state([([[1.0], [2.0]], [0.0])], Adam())
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return [[0.0] * len(flatten(parameters)) for _ in optimizer.slots]


def train_step(
    parameters: Parameters, activations: list[str], x: Matrix, y: Matrix, loss: str,
    optimizer, state: list[Vector], step: int,
) -> float:
    """Take one training step: forward, backward, update. Changes `parameters` and `state` in place.

    Parameters
    ----------
    parameters, activations, x, y, loss
        As for `backward`.
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
    >>> parameters, optimizer = [([[2.0]], [0.0])], SGD(learning_rate=0.1)
    >>> state = optimizer_state(parameters, optimizer)
    >>> train_step(parameters, ["identity"], [[1.0]], [[1.0]], "squared_error", optimizer, state, step=1)
    0.5
    >>> parameters
    [([[1.9]], [-0.1])]
    """
    J, gradients = backward(parameters, activations, x, y, loss)
    flat = flatten(parameters)
    c = optimizer.coefficients(step, *optimizer.hyperparameters(step).tolist())
    optimizer.update(flat, clip(flatten(gradients), optimizer.clip_value, optimizer.clip_norm), *state, c)
    updated = iter(flat)
    for weight, bias in parameters:
        for row in weight:
            for j in range(len(row)):
                row[j] = next(updated)
        for j in range(len(bias)):
            bias[j] = next(updated)
    return J
