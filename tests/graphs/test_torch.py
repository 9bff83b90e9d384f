"""Random graphs have the loss and the gradients of PyTorch's autograd."""

import numpy as np
import pytest
from random_graphs import data, random_graph

torch = pytest.importorskip("torch")
functional = torch.nn.functional
SEEDS = [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 60))]
KINDS = [0, 1, 2, 3, 4, 5, 7]  # those below: without convolutions and dropout


def maximum(given):
    result, *others = given
    for each in others:
        result = torch.maximum(result, each)
    return result


def product(given):
    result, *others = given
    for each in others:
        result = result * each
    return result


def dot(layer, x, y):
    a = (x * y).sum(-1, keepdim=True)
    return a / (x.norm(dim=-1, keepdim=True) * y.norm(dim=-1, keepdim=True)) if layer.normalize else a


COMPUTED = {
    "Dense": lambda layer, x, p: x[0] @ p["weight"] + p["bias"],
    "Activation": lambda layer, x, p: x[0],
    "LayerNorm": lambda layer, x, p: functional.layer_norm(x[0], x[0].shape[-1:], p["scale"], p["shift"], layer.epsilon),
    "BatchNorm": lambda layer, x, p: functional.batch_norm(x[0], None, None, *p.values(), True, 0.1, layer.epsilon),
    "Add": lambda layer, x, p: sum(x[1:], x[0]),
    "Subtract": lambda layer, x, p: x[0] - x[1],
    "Average": lambda layer, x, p: sum(x[1:], x[0]) / len(x),
    "Multiply": lambda layer, x, p: product(x),
    "Maximum": lambda layer, x, p: maximum(x),
    "Concatenate": lambda layer, x, p: torch.cat(x, -1),
    "Dot": lambda layer, x, p: dot(layer, *x),
    "Slice": lambda layer, x, p: x[0][:, slice(layer.start, layer.stop)],
    "Rescale": lambda layer, x, p: layer.scale * x[0] + layer.offset,
}
ACTIVATIONS = {"identity": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": functional.silu,
               "softmax": lambda z: z}  # which the loss applies


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_and_gradients(seed):
    net = random_graph(seed, kinds=KINDS)
    X, y = data(11)
    loss, gradients = net.loss_and_gradients(X, y, training=True)
    parameters = {name: torch.tensor(view.copy(), requires_grad=True)
                  for name, view in net.vectors.parameters.numbered.items()}
    tensors = [torch.tensor(X)]
    for index, layer, reads, activation in net.wiring.steps:
        own = {name.partition(".")[2]: view for name, view in parameters.items() if name.startswith(f"{index}.")}
        z = COMPUTED[type(layer).__name__](layer, [tensors[tensor] for tensor in reads], own)
        tensors.append(ACTIVATIONS[activation](z))
    total = functional.cross_entropy(tensors[-1], torch.tensor(y))
    for index, layer in enumerate(net.layers):
        if getattr(layer, "l2", 0):
            total = total + layer.l2 * (parameters[f"{index}.weight"] ** 2).sum()
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for name, parameter in parameters.items():
        expected = parameter.grad.numpy()
        scale = max(np.abs(expected).max(), 1e-3)
        assert np.abs(gradients[net.graph.named(name)] - expected).max() <= 1e-10 * scale, name
