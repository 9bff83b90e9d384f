"""`python -m fastnn compare`: the time of every kernel and of a training step, in pure loops, in NumPy and compiled.

A case is a computation in pure loops, in NumPy and compiled, on the same numbers. The compiled function is the one used in
training, called from Python like any other (`fastnn.kernels`), including the allocation of results. The tests compare the
results of each case; `asv_bench/` tracks the ratios over time.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import numba
import numpy as np
from llvmlite import binding
from tqdm import tqdm

from .. import naive, vectorized
from ..compiled import calls
from ..examples import similar
from ..kernels.activations import activations
from ..kernels.optimizers import COEFFICIENTS, optimizers
from ..layers import Dense
from ..naive.rungs import all_losses
from ..network.network import Network
from ..runtime.threads import resolve_threads
from .compare_images import IMAGE_RUNS
from .compare_joins import JOIN_RUNS
from .compare_sequences import SEQUENCE_RUNS

ROUNDS = 7  # times are medians over these
SAMPLE = 1e-3  # seconds; faster functions are repeated until they have taken this long
LOOPS_BUDGET = 0.15  # seconds for repeating the loops of a case, which run at least once
REST = 0.05  # seconds between samples on several threads, so that the other library's threads have stopped spinning
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Setting:
    """Sizes, dtype and threads of the comparison."""

    linear: tuple[int, int, int] = (64, 784, 128)  # batch, in_features, out_features
    shape: tuple[int, int] = (512, 128)  # (batch, features) of activations and losses; optimizers have as many parameters
    images: tuple[int, int, int, int] = (16, 24, 24, 6)  # (batch, height, width, channels)
    kernel: tuple[int, int, int] = (5, 5, 16)  # (height, width, out_channels)
    sequences: tuple[int, int, int, int] = (16, 20, 12, 32)  # (samples, most steps, in_features, out_features)
    net: tuple[int, int, int] = (784, 128, 10)
    batch: int = 64
    steps: int = 25  # of compiled training in one call
    dtype: str = "float32"
    threads: int | None = None

    def random(self, *shape):
        return np.random.default_rng(sum(shape)).normal(size=shape).astype(self.dtype)


QUICK = {"linear": (16, 64, 32), "shape": (16, 32), "images": (2, 6, 8, 3), "kernel": (3, 3, 4), "sequences": (3, 4, 3, 5),
         "net": (16, 16, 3),
         "batch": 8}


@dataclass(frozen=True)
class Case:
    """A computation in three versions, functions without arguments. `size` is the text that describes the sizes."""

    size: str
    loops: Callable
    numpy: Callable
    compiled: Callable
    compiled_steps: int = 1  # how often `compiled` does what the other two do once


def linear_forward(setting):
    batch, in_features, out_features = setting.linear
    x, weight = setting.random(batch, in_features), setting.random(in_features, out_features)
    bias = setting.random(out_features)
    return Case("×".join(map(str, setting.linear)), partial(naive.linear_forward, x, weight, bias),
                partial(vectorized.linear_forward, x, weight, bias),
                partial(calls.linear_forward, x, weight, bias, threads=setting.threads))


def linear_backward(setting):
    batch, in_features, out_features = setting.linear
    dz, x, weight = (setting.random(batch, out_features), setting.random(batch, in_features),
                     setting.random(in_features, out_features))
    return Case("×".join(map(str, setting.linear)), partial(naive.linear_backward, dz, x, weight),
                partial(vectorized.linear_backward, dz, x, weight),
                partial(calls.linear_backward, dz, x, weight, threads=setting.threads))


def activation_forward(activation, setting):
    z = setting.random(*setting.shape)
    return Case("×".join(map(str, setting.shape)),
                *(partial(rung.activate, activation, z) for rung in (naive.records, vectorized.records, calls)))


def activation_backward(activation, setting):
    da, z = setting.random(2, *setting.shape)
    a = vectorized.records.activate(activation, z)
    return Case("×".join(map(str, setting.shape)),
                *(partial(rung.pullback, activation, da, z, a) for rung in (naive.records, vectorized.records, calls)))


def loss_and_gradient(loss, setting):
    """The value and the gradient, which the compiled kernel computes together."""
    scores, y = setting.random(2, *setting.shape)
    low, high = loss.domain
    if np.isfinite(low) and np.isfinite(high):  # a bounded domain, such as that of sigmoid and softmax
        scores = (low + (high - low) / (1 + np.exp(-scores))).astype(setting.dtype)
    if loss.targets != "values":
        y = (y == y.max(axis=1, keepdims=True)).astype(setting.dtype)

    def both(rung):
        return rung.mean_loss(loss, scores, y), rung.mean_loss_gradient(loss, scores, y)

    def compiled():
        row_losses, gradient = calls.loss_and_gradient(loss, scores, y, None)
        return float(row_losses.sum()), gradient

    return Case("×".join(map(str, setting.shape)), partial(both, naive.records), partial(both, vectorized.records), compiled)


# the arguments of the functions of normalization and dropout, in order
FUNCTIONS_OF_LAYERS = {
    "batch_norm_forward": ("x", "scale", "shift"),
    "batch_norm_backward": ("da", "x", "scale"),
    "batch_norm_predict": ("x", "scale", "shift", "mean", "variance"),
    "layer_norm_forward": ("x", "scale", "shift"),
    "layer_norm_backward": ("da", "x", "scale"),
    "dropout_forward": ("x", "rate", "word"),
    "dropout_backward": ("da", "rate", "word"),
}


def layer_function(name, setting):
    x, da = setting.random(2, *setting.shape)
    scale, shift, mean, variance = setting.random(4, setting.shape[1])
    numbers = {"x": x, "da": da, "scale": scale, "shift": shift, "mean": mean, "variance": abs(variance), "rate": 0.25,
               "word": 5}
    given = [numbers[argument] for argument in FUNCTIONS_OF_LAYERS[name]]
    return Case("×".join(map(str, setting.shape)), *(partial(getattr(rung, name), *given) for rung in (naive, vectorized)),
                partial(getattr(calls, name), *given, threads=setting.threads))


def optimizer_update(kind, setting):
    """The compiled update works in place, as in training; its first call gives the results of the other two."""
    optimizer, size, step = kind(), int(np.prod(setting.shape)), 10
    parameters, gradients = setting.random(2, size)
    state = np.abs(setting.random(len(kind.slots), size))
    updated, memory, coefficients = parameters.copy(), state.copy(), np.zeros(COEFFICIENTS, setting.dtype)
    optimizer.coefficients_kernel(setting.dtype, coefficients, optimizer.hyperparameters(), step)

    def loops():
        updated, slots = parameters.tolist(), state.tolist()
        optimizer.update(updated, gradients.tolist(), *slots,
                         optimizer.coefficients(step, *optimizer.hyperparameters().tolist()))
        return updated, slots

    def numpy():
        updated, *slots = optimizer.vectorized(parameters, gradients, *state, step)
        return updated, slots

    def compiled():
        optimizer.kernel(setting.dtype, updated, gradients, memory, size, coefficients, size)
        return updated, memory

    return Case(str(size), loops, numpy, compiled)


def on_numbers(name, setting, shape, *options):
    """A function of one array with the same name in all three versions."""
    x = setting.random(*shape)
    return Case("×".join(map(str, shape)),
                *(partial(getattr(rung, name), x, *options) for rung in (naive, vectorized, calls)))


def training_step(setting):
    """Forward, backward and update; compiled it is `Network.fit`, including the shuffling and gathering of batches."""
    inputs, hidden, classes = setting.net
    names = ["relu", "softmax"]
    net = Network([Dense(hidden, names[0]), Dense(classes, names[1])], inputs=inputs, dtype=setting.dtype)
    X, labels = setting.random(setting.steps * setting.batch, inputs), np.arange(setting.steps * setting.batch) % classes
    x, y = X[:setting.batch], np.eye(classes, dtype=setting.dtype)[labels[:setting.batch]]
    arrays = [(net.parameters[f"{i}.weight"].copy(), net.parameters[f"{i}.bias"].copy()) for i in range(2)]
    lists, adam = naive.records.to_lists(arrays), optimizers["adam"]()
    list_state, array_state = naive.optimizer_state(lists, adam), vectorized.optimizer_state(arrays, adam)

    def compiled():
        history = net.fit(X, labels, epochs=1, batch_size=setting.batch, optimizer=adam, threads=setting.threads,
                          progress=False)
        return history["loss"][0]

    return Case(f"{inputs}-{hidden}-{classes} b{setting.batch}",
                partial(naive.train_step, lists, names, x, y, "cross_entropy", adam, list_state, 1),
                partial(vectorized.train_step, arrays, names, x, y, "cross_entropy", adam, array_state, 1),
                compiled, setting.steps)


def kernel_cases():
    """Return a case for each kernel, as a function of a Setting: those of layers, and all registered records."""
    cases = {"linear_forward": linear_forward, "linear_backward": linear_backward}
    cases |= {name: partial(layer_function, name) for name in FUNCTIONS_OF_LAYERS}
    runs_of = IMAGE_RUNS | SEQUENCE_RUNS | JOIN_RUNS
    cases |= {name: lambda setting, runs=runs: Case(*runs(setting)) for name, runs in runs_of.items()}
    for activation in activations.values():
        cases[activation.forward.name] = partial(activation_forward, activation)
        cases[activation.backward.name] = partial(activation_backward, activation)
    for loss in all_losses().values():
        cases[loss.kernel.name] = partial(loss_and_gradient, loss)
    for optimizer in optimizers.values():
        cases[optimizer.kernel.name] = partial(optimizer_update, optimizer)
    for name in ("clip_by_value", "clip_by_norm"):
        cases[name] = lambda setting, name=name: on_numbers(name, setting, (int(np.prod(setting.shape)),), 0.5)
    for name in ("weight_penalty", "weight_penalty_gradient"):
        cases[name] = lambda setting, name=name: on_numbers(name, setting, setting.shape, 0.1, 0.1)
    return cases


@dataclass(frozen=True)
class Timing:
    """Seconds of a run, medians over the rounds."""

    loops: float
    numpy: float
    compiled: float

    @property
    def over_loops(self):
        return self.loops / self.compiled

    @property
    def over_numpy(self):
        return self.numpy / self.compiled


def repetitions(function):
    """Return how often to run `function` for one sample; this also warms it up."""
    function()
    timer, number = timeit.Timer(function), 1
    while (seconds := timer.timeit(number)) < SAMPLE:
        number = max(number + 1, int(number * min(10, 1.2 * SAMPLE / max(seconds, 1e-9))))
    return number


def measure(case, rest=0.0):
    """Time a case, NumPy and compiled in turn, so that other load on the machine affects both."""
    quick = {case.numpy: repetitions(case.numpy), case.compiled: repetitions(case.compiled)}
    samples = {function: [] for function in quick}
    for _ in range(ROUNDS):
        for function, number in quick.items():
            time.sleep(rest)
            function()
            samples[function].append(timeit.timeit(function, number=number) / number)
    loops = [timeit.timeit(case.loops, number=1)]
    while len(loops) < ROUNDS and sum(loops) + loops[0] < LOOPS_BUDGET:
        loops.append(timeit.timeit(case.loops, number=1))
    return Timing(statistics.median(loops), statistics.median(samples[case.numpy]),
                  statistics.median(samples[case.compiled]) / case.compiled_steps)


def machine():
    """Return a line that describes the machine and the software."""
    processor = numba.config.CPU_NAME or binding.get_host_cpu_name()
    return f"{processor}, NumPy {np.__version__}, Numba {numba.__version__}"


def in_words(seconds):
    """Return seconds with three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= scale or unit == "ns":
            digits = 2 if seconds < 9.995 * scale else 1 if seconds < 99.95 * scale else 0
            return f"{seconds / scale:.{digits}f} {unit}"


def table(rows):
    """Return rows of (name, size, Timing) as aligned lines."""
    cells = [("kernel", "size", "loops", "NumPy", "compiled", "over loops", "over NumPy")]
    for name, size, timing in rows:
        cells.append((name, size, *map(in_words, (timing.loops, timing.numpy, timing.compiled)),
                      f"{timing.over_loops:,.0f}×", f"{timing.over_numpy:,.1f}×"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" if k < 2 else f"{cell:>{width}}" for k, (cell, width) in
                       enumerate(zip(row, widths, strict=True))) for row in cells]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])


EXAMPLES = (
    ("fastnn compare --quick", "small sizes, a few seconds"),
    ("fastnn compare conv2d_forward", "one function alone"),
    ("fastnn compare --dtype float64 --json", "seconds as JSON"),
)


def main(argv=None):
    """Run the comparison and print it."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    from .options import command

    parser = command("compare", "Time every kernel beside the same mathematics in loops and in NumPy.", EXAMPLES)
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions to time, such as conv2d_forward; default all")
    parser.add_argument("--quick", action="store_true", help="use small sizes; takes a few seconds")
    parser.add_argument("--json", action="store_true", help="print JSON, times in seconds")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="dtype of NumPy and compiled")
    parser.add_argument("--threads", type=int, default=1, help="largest number of threads of NumPy and compiled; default 1")
    options, cases = parser.parse_args(arguments), {**kernel_cases(), "training step": training_step}
    if unknown := [name for name in options.names if name not in cases]:
        parser.error(f"there is no function {unknown[0]!r}{similar(unknown[0], cases)}; without names, all are timed")
    threads = resolve_threads(options.threads)
    blas = dict.fromkeys(BLAS_THREADS, str(threads))
    if not blas.items() <= os.environ.items():  # BLAS reads them when NumPy is imported, so start another process
        return subprocess.run([sys.executable, "-m", __spec__.name, *arguments], env=os.environ | blas).returncode
    setting = Setting(dtype=options.dtype, threads=threads, **QUICK if options.quick else {})
    rest = REST if threads > 1 else 0.0
    rows = []
    with tqdm(options.names or cases, leave=False, disable=None, unit="case") as bar:
        for name in bar:
            bar.set_description(name, refresh=False)
            case = cases[name](setting)
            rows.append((name, case.size, measure(case, rest)))
    if options.json:
        records = [{"kernel": name, "size": size, **asdict(timing), "over_loops": timing.over_loops,
                    "over_numpy": timing.over_numpy} for name, size, timing in rows]
        print(json.dumps({"machine": machine(), "threads": threads, "dtype": options.dtype, "rows": records}, indent=2))
    else:
        print(f"{machine()}; threads {threads}; {options.dtype} (the loops: float64)\n\n{table(rows)}")


if __name__ == "__main__":
    raise SystemExit(main())
