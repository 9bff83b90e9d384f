"""`fastnn bench`: the speed of a network of your own shape on this machine.

Times are medians: of a training step with Adam over whole fits, of `forward` with one row, and of `forward` with many. To
time a network beside PyTorch, JAX and scikit-learn, use `asv_bench/peers.py --net`, which runs each library in its own
process.
"""

import statistics
import time
import timeit

import numpy as np

from . import options

ROUNDS = 5
SECONDS = 0.2  # smallest duration of a round
BULK = 10_000  # rows
EXAMPLES = (
    ("fastnn bench 784-128-10", "784 inputs, 128 hidden, 10 classes"),
    ("fastnn bench 4-64:tanh-64:tanh-1 --batch-size 256 --dtype float64", "a regressor in float64"),
    ("fastnn bench 784-512-512-10 --threads 1 --json", "one thread; seconds as JSON"),
)


def main(argv):
    """Run the command."""
    parser = options.command("bench", "Time a network of your own shape on random data. In a clone of fastnn, "
                             "asv_bench/peers.py times it beside other libraries.", EXAMPLES)
    parser.add_argument("net", type=options.whole_net, metavar="SIZES", help="inputs, hidden layers, outputs: 784-128-10")
    parser.add_argument("--batch-size", type=options.positive, default=32, metavar="N", help="rows in a step (default: 32)")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="(default: float32)")
    options.add_threads(parser)
    options.add_json(parser)
    parsed = parser.parse_args(argv)
    from ..runtime.threads import resolve_threads
    from .compare import in_words, machine

    inputs, layers = parsed.net
    threads = resolve_threads(parsed.threads)
    found = measure(inputs, layers, parsed.batch_size, parsed.dtype, threads)
    if parsed.json:
        options.print_json({"machine": machine(), "threads": threads, "dtype": parsed.dtype, "batch_size": parsed.batch_size,
                            "net": [inputs, *(layer.out_features for layer in layers)], **found})
        return
    batch, step, bulk = parsed.batch_size, found["step_seconds"], found["bulk_rows_per_second"]
    options.print_now(f"""\
{options.in_words(inputs, layers)}: {found["parameters"]:,} parameters, {parsed.dtype}
{machine()}; threads {threads}

  training step, batch {batch:<5} {in_words(step):>9}   {1 / step:,.0f} steps/s, {batch / step:,.0f} rows/s
  one row                   {in_words(found["row_seconds"]):>9}   {1 / found["row_seconds"]:,.0f} rows/s
  {BULK:,} rows               {in_words(BULK / bulk):>9}   {bulk:,.0f} rows/s""")


def measure(inputs, layers, batch_size, dtype, threads):
    """Return the number of parameters, the seconds of a step and of a row, and the rows per second in bulk."""
    from ..network.network import Network

    net, generator = Network(layers, inputs, dtype=dtype), np.random.default_rng(0)
    steps = max(1, 2000 // batch_size)
    X = generator.normal(size=(max(BULK, steps * batch_size), inputs)).astype(dtype)
    y = np.full((len(X), net.outputs), 1 / net.outputs, dtype)  # valid as probabilities and as values
    row, data = X[:1], (X[:steps * batch_size], y[:steps * batch_size])

    def fit(epochs):
        start = time.perf_counter()
        net.fit(*data, epochs=epochs, batch_size=batch_size, threads=threads, progress=False)
        return time.perf_counter() - start

    fit(1)  # compiles or loads the kernels
    epochs = max(1, round(SECONDS / fit(1)))
    return {
        "parameters": sum(p.size for p in net.parameters.values()),
        "step_seconds": statistics.median(fit(epochs) for _ in range(ROUNDS)) / (epochs * steps),
        "row_seconds": median_seconds(lambda: net.forward(row)),  # runs on one thread, whatever the number of threads
        "bulk_rows_per_second": BULK / median_seconds(lambda: net.forward(X[:BULK], threads=threads)),
    }


def median_seconds(function):
    """Return the median seconds of a call, over rounds of many calls."""
    function()
    number = max(1, round(SECONDS / max(timeit.timeit(function, number=3) / 3, 1e-9)))
    return statistics.median(timeit.timeit(function, number=number) / number for _ in range(ROUNDS))
