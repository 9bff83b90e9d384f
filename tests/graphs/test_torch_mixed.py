"""Random graphs of several inputs and outputs have the loss and the gradients of PyTorch's autograd, sample by sample."""

import numpy as np
import pytest
from random_mixed import data, random_mixed
from test_torch import ACTIVATIONS, COMPUTED

torch = pytest.importorskip("torch")
functional = torch.nn.functional
SEEDS = [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 100))]
SAMPLES = 5


def gru(layer, x, p):
    """The states of all steps; x: the sequence and, if it is given, the state before the first step (1, units)."""
    h, states = x[1] if len(x) > 1 else torch.zeros((1, layer.out_features), dtype=x[0].dtype), []
    units = layer.out_features
    for row in x[0] @ p["weight"] + p["bias"]:
        own = h @ p["recurrent_weight"] + p["recurrent_bias"]
        z, r = torch.sigmoid(row[:units] + own[:, :units]), torch.sigmoid(row[units:2 * units] + own[:, units:2 * units])
        n = torch.tanh(row[2 * units:] + r * own[:, 2 * units:])
        h = z * h + (1 - z) * n
        states.append(h)
    return torch.cat(states)


LAYERS = COMPUTED | {
    "GRU": gru, "LastStep": lambda layer, x, p: x[0][-1:],
    "GlobalAveragePool": lambda layer, x, p: x[0].mean(0, keepdim=True),
    "Flatten": lambda layer, x, p: x[0].reshape(1, -1),
}


def outputs_of(net, sample, parameters):
    """Return the logits or values of each output for one sample, rows or steps."""
    tensors = [torch.tensor(values if net.input_shapes[name][0] is None else values[None])
               for name, values in sample.items()]
    for index, layer, reads, activation in net.wiring.steps:
        own = {name.partition(".")[2]: view for name, view in parameters.items() if name.startswith(f"{index}.")}
        z = LAYERS[type(layer).__name__](layer, [tensors[tensor] for tensor in reads], own)
        is_read = any(len(tensors) in step.reads for step in net.wiring.steps)  # else the loss applies the softmax
        tensors.append(torch.softmax(z, 1) if activation == "softmax" and is_read else ACTIVATIONS[activation](z))
    return {name: (tensors[tensor], any(tensor in step.reads for step in net.wiring.steps))
            for name, tensor in zip(net.graph.outputs, net.wiring.outputs, strict=True)}


def cross_entropy(output, labels):
    found, is_read = output
    logs = torch.log(found) if is_read else torch.log_softmax(found, 1)
    return -logs[torch.arange(len(labels)), torch.tensor(labels)].sum()


def loss_of(name, output, targets):
    """Return the loss of one output of a sample, summed over its steps."""
    if name == "far":
        return output[0].sum()
    if name == "value":
        return 0.5 * ((output[0] - torch.tensor(targets)) ** 2).sum()
    return cross_entropy(output, targets)


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_and_gradients(seed):
    net = random_mixed(seed, plain=True)
    X, y = data(net, SAMPLES)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    parameters = {name: torch.tensor(view.copy(), requires_grad=True)
                  for name, view in net.vectors.parameters.numbered.items()}
    factors, total = dict(zip(net.graph.outputs, net.loss_factors, strict=True)), 0.0
    steps = sum(map(len, y["tag"])) if "tag" in y else 1
    for row in range(SAMPLES):
        found = outputs_of(net, {name: values[row] for name, values in X.items()}, parameters)
        for name, output in found.items():
            targets = None if name == "far" else y[name][row:row + 1] if name == "kind" else y[name][row]
            total = total + factors[name] * loss_of(name, output, targets) / (steps if name == "tag" else SAMPLES)
    for index, layer in enumerate(net.layers):
        if getattr(layer, "l2", 0):
            total = total + layer.l2 * (parameters[f"{index}.weight"] ** 2).sum()
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for name, parameter in parameters.items():
        expected = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
        scale = max(np.abs(expected).max(), 1e-3)
        assert np.abs(gradients[net.graph.named(name)] - expected).max() <= 1e-10 * scale, name
