"""Make tests/data/torch/recurrence.npz: PyTorch's results of recurrent layers over packed sequences, with autograd.

    python tests/tools/torch_recurrence.py [count [file]]

It needs torch (the stored cases are from torch 2.13.0). Arrays are float64, and weights as fastnn has them. Case number c
has the arrays "c.x", "c.offsets", "c.weight" and so on; "c.a" is the outputs of all steps, "c.da" their gradient; `cases`
has the options.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

FILE = Path(__file__).parents[2] / "tests" / "data" / "torch" / "recurrence.npz"
ORDERS = {"simple_rnn": [0], "gru": [1, 0, 2], "lstm": [0, 1, 2, 3]}  # of PyTorch's gates, the one that is ours
MODULES = {"simple_rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def drawn(seed):
    draw = random.Random(seed)
    return {"cell": draw.choice(list(ORDERS)), "lengths": [draw.randint(1, 6) for _ in range(draw.randint(1, 4))],
            "in_features": draw.randint(1, 4), "out_features": draw.randint(1, 4), "reverse": draw.random() < 0.4,
            "initial": draw.random() < 0.5, "activation": draw.choice(["tanh", "relu"])}


def computed(case, seed):
    """Return the arrays of a case by name."""
    torch.manual_seed(seed)
    cell, out = case["cell"], case["out_features"]
    options = {"nonlinearity": case["activation"]} if cell == "simple_rnn" else {}
    module = MODULES[cell](case["in_features"], out, **options).double()
    sequences = [torch.randn(length, case["in_features"], dtype=torch.float64) for length in case["lengths"]]
    x = torch.cat(sequences).requires_grad_()
    directed = [part.flip(0) if case["reverse"] else part for part in x.split(case["lengths"])]
    states = torch.randn(len(sequences), (2 if cell == "lstm" else 1) * out, dtype=torch.float64) * case["initial"]
    states.requires_grad_()
    given = tuple(part.unsqueeze(0).contiguous() for part in states.split(out, dim=1))
    results, _ = module(pack_sequence(directed, enforce_sorted=False), given if cell == "lstm" else given[0])
    padded, lengths = pad_packed_sequence(results, batch_first=True)
    a = torch.cat([row[:length].flip(0) if case["reverse"] else row[:length]
                   for row, length in zip(padded, lengths.tolist(), strict=True)])
    da = torch.randn(*a.shape, dtype=torch.float64)
    (a * da).sum().backward()

    def ours(parameter):
        parts = parameter.reshape(len(ORDERS[cell]), out, -1)[ORDERS[cell]]
        parts = parts.reshape(parameter.shape)
        return (parts.mT if parts.ndim == 2 else parts).contiguous().numpy()

    found = {"x": x, "offsets": torch.tensor([0, *np.cumsum(case["lengths"])]), "a": a, "da": da, "dx": x.grad}
    found = {name: tensor.detach().numpy() for name, tensor in found.items()}
    for prefix, of in (("", lambda parameter: parameter.data), ("d", lambda parameter: parameter.grad)):
        found[f"{prefix}weight"] = ours(of(module.weight_ih_l0))
        found[f"{prefix}recurrent_weight"] = ours(of(module.weight_hh_l0))
        biases = ours(of(module.bias_ih_l0)), ours(of(module.bias_hh_l0))
        if cell == "gru":
            found |= {f"{prefix}bias": biases[0], f"{prefix}recurrent_bias": biases[1]}
        else:
            found[f"{prefix}bias"] = biases[0] if prefix else biases[0] + biases[1]
    if case["initial"]:
        found |= {"initial": states.detach().numpy(), "dinitial": states.grad.numpy()}
    return found


def main(count=24, file=FILE):
    cases = [drawn(seed) for seed in range(int(count))]
    arrays = {f"{number}.{name}": array for number, case in enumerate(cases)
              for name, array in computed(case, number).items()}
    np.savez_compressed(file, cases=json.dumps(cases), **arrays)
    print(f"{len(cases)} cases in {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
