"""Make tests/data/torch/convolutions.npz: PyTorch's results of convolutions and transposed ones, with autograd.

    python tests/tools/torch_convolutions.py [count [file]]

It needs torch (the stored cases are from torch 2.13.0). Arrays are float64, channels last, and
weights as fastnn has them. Case number c has the arrays "c.x", "c.weight", "c.bias", "c.z", "c.dz", "c.dx", "c.dweight" and
"c.dbias"; `cases` has their options.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

FILE = Path(__file__).parents[1] / "data" / "torch" / "convolutions.npz"
# pytorch#25101: pixels that no window reaches; #68868: a stride beyond the kernel, in groups; #20583: windows of padding
KNOWN = [
    {"kind": "conv2d", "batch": 1, "size": (9, 8), "channels": (3, 2), "kernel": (5, 5), "stride": (3, 3),
     "padding": (1, 1)},
    {"kind": "conv2d", "batch": 2, "size": (7, 9), "channels": (3, 6), "kernel": (2, 2), "stride": (4, 4), "groups": 3},
    {"kind": "conv2d", "batch": 1, "size": (2, 1), "channels": (4, 4), "kernel": (3, 3), "padding": (3, 3)},
    {"kind": "conv2d", "batch": 2, "size": (8, 6), "channels": (4, 3), "kernel": (3, 3)},
    {"kind": "conv2d", "batch": 1, "size": (1, 11), "channels": (2, 3), "kernel": (1, 3), "dilation": (1, 2)},
    {"kind": "conv2d", "batch": 1, "size": (6, 5), "channels": (4, 8), "kernel": (3, 3), "groups": 4, "padding": (1, 1)},
    {"kind": "conv_transpose2d", "batch": 2, "size": (3, 4), "channels": (2, 3), "kernel": (3, 3), "stride": (2, 2),
     "padding": (1, 1), "output_padding": (1, 0)},
    {"kind": "conv_transpose2d", "batch": 1, "size": (3, 2), "channels": (4, 6), "kernel": (2, 3), "stride": (3, 1),
     "dilation": (1, 2), "groups": 2},
]


def drawn(seed):
    draw = random.Random(seed)

    def pair(*numbers):
        return draw.choice(numbers), draw.choice(numbers)

    kind, groups = draw.choice(["conv2d", "conv_transpose2d"]), draw.choice([1, 1, 2, 3])
    case = {"kind": kind, "batch": draw.choice([1, 2, 3]), "size": (draw.randint(1, 9), draw.randint(1, 9)),
            "channels": (groups * draw.randint(1, 3), groups * draw.randint(1, 3)), "kernel": pair(1, 2, 3, 4),
            "stride": pair(1, 1, 2, 3), "dilation": pair(1, 1, 2), "padding": pair(0, 0, 1, 2), "groups": groups}
    if kind == "conv_transpose2d":
        steps = zip(case["stride"], case["dilation"], strict=True)
        case["output_padding"] = tuple(draw.randrange(max(step)) for step in steps)
    return case


def computed(case, seed):
    """Return the arrays of a case by name, or None if PyTorch refuses it."""
    options = {name: case[name] for name in ("stride", "padding", "dilation", "groups", "output_padding") if name in case}
    generator, (into, out), groups = torch.Generator().manual_seed(seed), case["channels"], case.get("groups", 1)
    first, second = (out, into // groups) if case["kind"] == "conv2d" else (into, out // groups)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    x, weight, bias = normal(case["batch"], into, *case["size"]), normal(first, second, *case["kernel"]), normal(out)
    try:
        z = getattr(functional, case["kind"])(x, weight, bias, **options)
    except RuntimeError:
        return None
    dz = torch.randn(*z.shape, generator=generator, dtype=torch.float64)
    z.backward(dz)
    arrays = {name: array.detach().permute(0, 2, 3, 1) for name, array in (("x", x), ("z", z), ("dz", dz), ("dx", x.grad))}
    # conv2d: (out, in, h, w) -> (h, w, in, out); transposed: (in, out, h, w) -> (h, w, out, in)
    arrays |= {name: array.detach().permute(2, 3, 1, 0) for name, array in (("weight", weight), ("dweight", weight.grad))}
    arrays |= {"bias": bias.detach(), "dbias": bias.grad}
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def main(count=8, file=FILE):
    cases, arrays = [], {}
    for seed, case in enumerate([*KNOWN, *map(drawn, range(count))]):
        found = computed(case, seed)
        if found is not None:
            arrays |= {f"{len(cases)}.{name}": array for name, array in found.items()}
            cases.append(case)
    np.savez_compressed(file, cases=json.dumps(cases), **arrays)


if __name__ == "__main__":
    main(*(kind(given) for kind, given in zip((int, Path), sys.argv[1:], strict=False)))
