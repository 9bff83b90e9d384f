"""A dense network and its loss as one computation graph, with a node for each number."""

from .. import naive
from ..checks import several, shown
from ..kernels.losses import losses
from ..naive.records import shape
from ..naive.rungs import check_layers, check_linear, check_targets
from ..samples.arrays import real_array
from .value import Value, activate_row

Layers = list[tuple[list[list[Value]], list[Value]]]


def network_loss(parameters, activations: list[str], x, y, loss: str = "squared_error") -> tuple[Value, Layers]:
    """Build the graph from the parameters of a network to its loss on a batch.

    For each sample i and output j a layer has the nodes z[i,j] = x[i,:] @ weight[:,j] + bias[j] and a[i,j] = g(z[i,j]). The
    loss of each sample and their mean J follow. Losses are computed from a, never from the logits, so that the chain rule is
    complete: for an output that rounds to 0 or 1, the cross entropy may be infinite here.

    Parameters
    ----------
    parameters, activations, x, y, loss
        As for `fastnn.naive.backward`.

    Returns
    -------
    J : Value
        The mean loss.
    nodes : list of (weight, bias)
        The parameters, each number as a Value with a label such as "0.weight[1,2]".

    Examples
    --------
    >>> J, nodes = network_loss([([[2.0]], [0.0])], ["identity"], x=[[1.0]], y=[[1.0]])
    >>> J.backward()
    >>> J.value, derivatives(nodes)
    (0.5, [([[1.0]], [1.0])])
    """
    parameters, activations = pairs("parameters", parameters), several("activations", activations)
    x, y = numbers("x", x, 2), numbers("y", y, 2)
    check_layers(parameters, activations)
    a = labeled_rows("x", x)
    nodes = []
    for layer, ((weight, bias), activation) in enumerate(zip(parameters, activations, strict=True)):
        weight, bias = numbers(f"weight of layer {layer}", weight, 2), numbers(f"bias of layer {layer}", bias, 1)
        check_linear((len(a), len(a[0])), shape(weight), shape(bias))
        weight = labeled_rows(f"{layer}.weight", weight)
        bias = [Value(number, f"{layer}.bias[{j}]") for j, number in enumerate(bias)]
        nodes.append((weight, bias))
        source = f"{layer - 1}.a" if layer else "x"
        for i, row in enumerate(a):
            z = [affine(row, [w[j] for w in weight], bias[j]) for j in range(len(bias))]
            for j, node in enumerate(z):
                node.formula = f"{source}[{i},:] @ {layer}.weight[:,{j}] + {layer}.bias[{j}]"
                node.label = f"{layer}.z[{i},{j}]"
            a[i] = activate_row(activation, z, z_name=f"{layer}.z[{i},:]")
            for j, node in enumerate(a[i]):
                node.label = f"{layer}.a[{i},{j}]"
    check_targets((len(a), len(a[0])), shape(y))
    return mean([sample_loss(loss, row, y[i], i) for i, row in enumerate(a)]).named("J"), nodes


def derivatives(nodes: Layers) -> list[tuple[list[list[float]], list[float]]]:
    """Return the derivatives of the parameters of a `network_loss`, in the form of `fastnn.naive.backward`'s gradients."""
    return [([[node.derivative for node in row] for row in weight], [node.derivative for node in bias])
            for weight, bias in pairs("nodes", nodes)]


def pairs(where, layers):
    """Return [(weight, bias) of each layer]."""
    found = several(where, layers)
    if not all(isinstance(layer, (list, tuple)) and len(layer) == 2 for layer in found):
        raise ValueError(f"{where} is {shown(layers)}; it must be a list of (weight, bias), one a layer")
    return found


def numbers(where, values, axes):
    """Return an array as nested lists of numbers."""
    array = real_array(where, values, "float64")
    if array.ndim != axes or 0 in array.shape:
        raise ValueError(f"{where} has shape {array.shape}; it must have {axes} axes, none of them empty")
    return array.tolist()


def labeled_rows(name, rows):
    return [[Value(number, f"{name}[{i},{j}]") for j, number in enumerate(row)] for i, row in enumerate(rows)]


def affine(x: list[Value], weight: list[Value], bias: Value) -> Value:
    """Return Σₖ xₖ wₖ + b as one node, with the local derivatives wₖ for xₖ, xₖ for wₖ and 1 for b."""
    pairs = list(zip(x, weight, strict=True))
    inputs = [(x, weight.value) for x, weight in pairs] + [(weight, x.value) for x, weight in pairs] + [(bias, 1.0)]
    return Value(sum(x.value * weight.value for x, weight in pairs) + bias.value, inputs=inputs)


def sample_loss(name: str, a: list[Value], y: list[float], i: int) -> Value:
    """Return the loss of sample i as one node, with the derivatives of the registered loss."""
    loss, outputs = losses.resolve(name), [[node.value for node in a]]
    value, [da] = naive.records.mean_loss(loss, outputs, [y]), naive.records.mean_loss_gradient(loss, outputs, [y])
    formula = f"{loss.name}(a[{i},:], y[{i},:])"
    return Value(value, f"loss[{i}]", formula=formula, inputs=zip(a, da, strict=True))


def mean(samples: list[Value]) -> Value:
    """Return the mean of some nodes as one node; for a single node, that node."""
    if len(samples) == 1:
        return samples[0]
    share = 1 / len(samples)
    total = sum(node.value for node in samples)
    return Value(share * total, formula="mean(loss)", inputs=[(node, share) for node in samples])
