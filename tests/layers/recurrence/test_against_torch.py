"""Random recurrent networks over sequences of different lengths against PyTorch's autograd, in float64.

Cells, stacks, directions, sizes, lengths, tokens or numbers, outputs of the last step or of every step, and losses are drawn
at random. PyTorch computes sequence by sequence, so it has no padding that could hide a fault. The largest difference of a
tensor is relative to its largest number.
"""

import numpy as np
import pytest

from fastnn import GRU, LSTM, Bidirectional, Dense, Embedding, GlobalAveragePool, Network, SimpleRNN

torch = pytest.importorskip("torch")
TOLERANCE = 1e-10


def case(seed):
    """Return (network, module with its weights, X, y, sample weights, kind of the outputs) of one random network."""
    random = np.random.default_rng(seed)
    kind = random.choice(["rnn", "relu", "gru", "lstm"])
    stack, both, features, out = random.integers(1, 4), random.random() < 0.5, random.integers(1, 6), random.integers(1, 9)
    tokens = int(random.integers(3, 30)) if random.random() < 0.3 else 0
    end = random.choice(["last", "steps", "mean", "ctc"])
    outputs = int(random.integers(2, 5))
    layers = [Embedding(tokens, int(features))] if tokens else []
    for level in range(stack):
        options = {"return_sequences": bool(end != "last" or level < stack - 1)}
        if kind in ("rnn", "relu"):
            options["nonlinearity"] = "relu" if kind == "relu" else "tanh"
        layer = {"gru": GRU, "lstm": LSTM}.get(kind, SimpleRNN)(int(out), **options)
        layers.append(Bidirectional(layer) if both else layer)
    layers += [GlobalAveragePool()] if end == "mean" else []
    loss = "ctc" if end == "ctc" else str(random.choice(["cross_entropy", "squared_error"]))
    layers.append(Dense(outputs, "identity" if loss == "squared_error" else "softmax"))
    net = Network(layers, inputs=(None,) if tokens else (None, int(features)), loss=loss, dtype="float64", seed=int(seed))

    options = {"nonlinearity": "relu" if kind == "relu" else "tanh"} if kind in ("rnn", "relu") else {}
    recurrent = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}.get(kind, torch.nn.RNN)(
        int(features), int(out), int(stack), bidirectional=bool(both), **options)
    modules = ([torch.nn.Embedding(tokens, int(features))] if tokens else []) + [
        recurrent, torch.nn.Linear(int(out) * (2 if both else 1), outputs)]
    module = torch.nn.Sequential(*modules).double()
    torch.manual_seed(int(seed))
    for parameter in module.parameters():
        torch.nn.init.uniform_(parameter, -0.7, 0.7)
    net.load_torch(state(module))

    lengths = random.integers(5, 15, size=random.integers(1, 7))
    X = [random.integers(tokens, size=n) if tokens else random.normal(size=(n, features)) for n in lengths]
    weights = random.uniform(0.2, 2, size=len(X))
    if end == "ctc":
        y = [random.integers(1, outputs, size=random.integers(0, 4)) for _ in X]
    elif loss == "cross_entropy":
        y = [random.integers(outputs, size=n) for n in lengths] if end == "steps" else random.integers(outputs, size=len(X))
    else:
        y = ([random.normal(size=(n, outputs)) for n in lengths] if end == "steps" else
             random.normal(size=(len(X), outputs)))
    return net, module, X, y, weights, end


def state(module, gradients=False):
    """Return the tensors of a module, or their gradients in the same form, as arrays by name."""
    found = {}
    for name, parameter in module.named_parameters():
        array = parameter.detach().numpy() if not gradients else parameter.grad.numpy()
        found[name] = array.copy()
    if gradients:  # of two biases that are added, each has the gradient of the sum: one alone is ours
        rows = {name: len(array) for name, array in found.items() if "weight_hh" in name}
        for name in [name for name in found if "bias_hh" in name]:
            size = found[name.replace("bias_hh", "weight_hh")].shape[1]
            if rows[name.replace("bias_hh", "weight_hh")] != 3 * size:
                found[name][:] = 0
    return found


def loss_of(module, net, X, y, weights, end):
    """Return PyTorch's loss over all sequences, computed one by one."""
    total, shares = 0.0, []
    squared = net.loss == "squared_error"
    for x, target, weight in zip(X, y, weights, strict=True):
        h, *rest = torch.as_tensor(x), *module
        if len(rest) == 3:
            h = rest.pop(0)(h)
        recurrent, linear = rest
        steps, _ = recurrent(h)
        if end == "last":
            out = recurrent.hidden_size
            steps = torch.cat([steps[-1:, :out], steps[:1, out:]], dim=1)  # what each direction computed last
        elif end == "mean":
            steps = steps.mean(dim=0, keepdim=True)
        z = linear(steps)
        if end == "ctc":
            own = torch.nn.functional.ctc_loss(z.log_softmax(1)[:, None], torch.as_tensor(target)[None], [len(z)],
                                               [len(target)], reduction="sum")
        elif squared:
            own = 0.5 * ((z - torch.as_tensor(np.reshape(target, z.shape))) ** 2).sum()
        else:
            own = torch.nn.functional.cross_entropy(z, torch.as_tensor(np.atleast_1d(target)), reduction="sum")
        total = total + weight * own
        shares.append(weight * (len(z) if end == "steps" else 1))
    return total / sum(shares)


def difference(seed):
    """Return the largest relative difference of the outputs' loss and of all gradients."""
    net, module, X, y, weights, end = case(seed)
    loss, gradients = net.loss_and_gradients(X, y, sample_weight=weights)
    expected = loss_of(module, net, X, y, weights, end)
    expected.backward()
    reference = Network.from_config(net.config())
    reference.load_torch(state(module, gradients=True))
    worst = abs(loss - expected.item()) / max(abs(expected.item()), 1e-3)
    largest = max(abs(array).max() for array in reference.parameters.values())
    for name, array in reference.parameters.items():
        scale = max(abs(array).max(), 1e-6 * largest)
        worst = max(worst, abs(gradients[name] - array).max() / scale)
    return worst


@pytest.mark.parametrize("seed", range(6))
def test_a_random_network(seed):
    assert difference(seed) < TOLERANCE


@pytest.mark.long
def test_300_random_networks():
    worst = {seed: difference(seed) for seed in range(300)}
    seed = max(worst, key=worst.get)
    print(f"\nworst difference {worst[seed]:.1e}, of seed {seed}; median {np.median([*worst.values()]):.1e}")
    assert worst[seed] < TOLERANCE


if __name__ == "__main__":
    test_300_random_networks()
