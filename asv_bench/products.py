"""The three products of a dense layer, alone, compared with NumPy and PyTorch on one thread: `python asv_bench/products.py`.

    forward z = x @ weight + bias        backward_weight dweight = xᵀ dz        backward_input dx = dz weightᵀ

x (batch, in), weight (in, out), dz (batch, out). Each library is called from Python, as its users do, on the same arrays and
into preallocated arrays. In a round each has its turn; a ratio is the median of the rounds' ratios of the other library's
time to fastnn's.
"""

import argparse
import json
import os
import statistics
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from peers.process import environment, median_seconds  # the folder beside this file

SQUARES = 8, 16, 32, 64, 100, 128, 256, 300, 512, 1000, 1024, 2048
NARROW = (
    (64, 784, 10), (32, 64, 10), (512, 512, 10), (64, 128, 1), (1024, 64, 1),  # ten classes, one output
    (1, 64, 64), (1, 784, 128), (1, 512, 512), (1, 2048, 2048),  # one row
    (8, 4, 16), (32, 2, 64), (64, 784, 128), (128, 784, 512),  # layers of the nets of peers.py
)
SMALL, GOALS = 256, (1.0, 0.95)  # the least ratio wanted where no side is longer, and elsewhere
PRODUCTS = "forward", "backward_weight", "backward_input"


def fastnn_products(x, weight, bias, dz):
    import numpy as np

    from fastnn.kernels.products import linear
    from fastnn.kernels.products.dot import few_rows_kernel
    from fastnn.kernels.products.product import chain_length

    z, dweight, dx, scratch = np.empty_like(dz), np.empty_like(weight), np.empty_like(x), np.empty(weight.size, weight.dtype)
    dtype, (batch, in_features), out_features = x.dtype.name, x.shape, weight.shape[1]
    forward = linear.forward_product(dtype, out_features)
    narrow = linear.narrow_gradient(dtype, batch, in_features, out_features)
    few = few_rows_kernel.address(dtype) if batch <= linear.FEW_ROWS else 0
    length = chain_length(in_features)
    backward_input = linear.linear_backward_input(x.dtype.name)
    return {
        "forward": (z, partial(linear.linear_forward, z, x, weight, bias.ctypes.data, length, forward)),
        "backward_weight": (dweight, partial(linear.linear_backward_weight, dweight, dz, x, 0, narrow)),
        "backward_input": (dx, partial(backward_input, dx, dz, weight, scratch, 0, len(weight), few)),
    }


def numpy_products(x, weight, bias, dz):
    import numpy as np

    z, dweight, dx = np.empty_like(dz), np.empty_like(weight), np.empty_like(x)

    def forward():
        np.matmul(x, weight, out=z)
        np.add(z, bias, out=z)

    return {
        "forward": (z, forward),
        "backward_weight": (dweight, partial(np.matmul, x.T, dz, out=dweight)),
        "backward_input": (dx, partial(np.matmul, dz, weight.T, out=dx)),
    }


def torch_products(x, weight, bias, dz):
    import torch

    x, weight, bias, dz = map(torch.from_numpy, (x, weight, bias, dz))
    z, dweight, dx = map(torch.empty_like, (dz, weight, x))
    return {
        "forward": (z, partial(torch.addmm, bias, x, weight, out=z)),
        "backward_weight": (dweight, partial(torch.mm, x.t(), dz, out=dweight)),
        "backward_input": (dx, partial(torch.mm, dz, weight.t(), out=dx)),
    }


def compare(product, dtype, shape, libraries, rounds, seconds):
    """Measure one product of one shape with all libraries, for a line of the report."""
    import numpy as np

    batch, in_features, out_features = shape
    rng = np.random.default_rng(0)
    given = [rng.standard_normal(size).astype(dtype)
             for size in ((batch, in_features), (in_features, out_features), out_features, (batch, out_features))]
    turns, results = {}, {}
    for name, products in libraries.items():
        result, turns[name] = products(*given)[product]
        turns[name]()  # whatever is done once is done, and none meets cold memory
        results[name] = np.asarray(result)
    for name, result in results.items():
        np.testing.assert_allclose(result, results["fastnn"], rtol=1e-3, atol=np.finfo(dtype).eps * 100 * max(shape),
                                   err_msg=f"{name} and fastnn differ: {product} {shape}")
    taken = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            taken[name].append(median_seconds(turn, seconds))
    flops = 2 * batch * in_features * out_features
    return {
        "product": product, "dtype": dtype, "shape": shape, "seconds": statistics.median(taken["fastnn"]),
        "gflops": flops / statistics.median(taken["fastnn"]) / 1e9,
        "ratios": {name: statistics.median(theirs / ours for theirs, ours in zip(taken[name], taken["fastnn"], strict=True))
                   for name in taken if name != "fastnn"},
    }


def goal(shape):
    return GOALS[max(shape) > SMALL]


def misses(line):
    """Return the libraries that compute a product faster than the goal allows."""
    return [name for name, ratio in line["ratios"].items() if ratio < goal(line["shape"])]


def markdown(lines):
    """Return a row for each shape, with the three products: fastnn's rate, then the ratios, in bold below the goal."""
    names = list(lines[0]["ratios"])
    titles = [f"{product}, GFLOP/s ({' / '.join(('', *names)).strip(' /')})" for product in PRODUCTS]
    rows = [["dtype", "batch × in × out", *titles], ["---", "---", *["---:"] * len(PRODUCTS)]]
    cells = {(line["dtype"], tuple(line["shape"]), line["product"]): line for line in lines}
    for dtype, shape in dict.fromkeys(key[:2] for key in cells):
        row = [dtype, " × ".join(map(str, shape))]
        for product in PRODUCTS:
            line = cells[dtype, shape, product]
            missed = misses(line)
            ratios = [f"**{ratio:.2f}×**" if name in missed else f"{ratio:.2f}×" for name, ratio in line["ratios"].items()]
            row.append(f"{line['gflops']:.3g} ({' / '.join(ratios)})")
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary(lines):
    """Return the number of cases that meet the goal, for each library."""
    return "\n".join(
        f"{name}: {sum(name not in misses(line) for line in lines)} of {len(lines)} at {GOALS[0]:.2f}× or better "
        f"({GOALS[1]:.2f}× where a side is longer than {SMALL}); median "
        f"{statistics.median(line['ratios'][name] for line in lines):.2f}×"
        for name in lines[0]["ratios"]
    )


def a_shape(text):
    try:
        shape = tuple(map(int, text.split("x")))
    except ValueError:
        shape = ()
    if len(shape) == 1:
        shape *= 3
    if len(shape) != 3 or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; write batch, in and out like 64x784x10, or 64 for a square")
    return shape


def parse(argv):
    parser = argparse.ArgumentParser(prog="products.py", description="Time a dense layer's products, alone.")
    parser.add_argument("--shapes", type=a_shape, nargs="+", metavar="SHAPE", help="such as 256 or 64x784x10",
                        default=[*((n, n, n) for n in SQUARES), *NARROW])
    parser.add_argument("--dtypes", nargs="+", choices=("float32", "float64"), default=["float32", "float64"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4e-3, help="of a library's turn, at least a call; default: 0.004")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    return parser.parse_args(argv)


def main(argv=None):
    options = parse(argv)
    os.environ.update(environment(threads=1))  # before any library is imported
    libraries = {"fastnn": fastnn_products, "NumPy": numpy_products}
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        libraries["PyTorch"] = torch_products
    else:
        print("PyTorch is left out: it is not installed (pip install torch)", file=sys.stderr)
    from tqdm import tqdm

    cases = [(product, dtype, shape) for dtype in options.dtypes for shape in options.shapes for product in PRODUCTS]
    lines = [compare(*case, libraries, options.rounds, options.seconds) for case in tqdm(cases, leave=False, disable=None)]
    print(markdown(lines), end="\n\n")
    print(summary(lines))
    if options.json:
        options.json.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
