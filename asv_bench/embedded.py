"""One row in `@njit` code, compared with the same network called from Python: by fastnn, PyTorch, JAX and ONNX Runtime.

    python asv_bench/embedded.py

All have the same weights, float32, one thread, and arguments in the library's own kind of array, with preallocated outputs
where possible. Times are minima of many short runs, in turn; a library that is not installed is skipped. Then a simulation:
a million steps, each a call of the network and an addition, in one compiled call. The last table is one step of a sequence,
by `fastnn.jit.step` in `@njit` code and by `stream.step` from Python.
"""

import argparse
import importlib.util
import os
import tempfile
import timeit

import numpy as np
from numba import njit

import fastnn
from fastnn import GRU, LSTM, Dense, Network, SimpleRNN

NETS = {"4-16-16-2": (4, 16, 16, 2), "2-64-64-3": (2, 64, 64, 3), "8-32-32-1": (8, 32, 32, 1)}
INSIDE = 2000  # rows in a call that stays in compiled code
STEPS = 1_000_000


@njit
def many_rows(model, x, out, count):
    for _ in range(count):
        fastnn.jit.forward_row(model, x, out)


@njit
def simulate(model, state, change, steps):
    for _ in range(steps):
        fastnn.jit.forward_row(model, state, change)
        for j in range(len(change)):
            state[j] += np.float32(1e-3) * change[j]


@njit
def many_steps(model, state, x, out, count):
    for _ in range(count):
        fastnn.jit.step(model, state, x, out)


def fastnn_inside(net, row):
    model, out, x = net.compiled(gradients=False), np.empty(net.outputs, np.float32), row[0].copy()
    return lambda: many_rows(model, x, out, INSIDE)


def fastnn_from_python(net, row):
    return lambda: net.forward(row)


def torch_from_python(net, row):
    import torch

    torch.set_num_threads(1)
    modules = []
    for index, layer in enumerate(net.layers):
        module = torch.nn.Linear(*net.widths[index:index + 2])
        with torch.no_grad():
            module.weight[:] = torch.from_numpy(net.parameters[f"{index}.weight"].T.copy())
            module.bias[:] = torch.from_numpy(net.parameters[f"{index}.bias"].copy())
        modules += [module, torch.nn.ReLU()] if layer.activation == "relu" else [module]
    model, x = torch.nn.Sequential(*modules).eval(), torch.from_numpy(row.copy())
    return torch.inference_mode()(lambda: model(x))


def jax_from_python(net, row):
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelizm_threads=1")
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    weights = [jax.numpy.asarray(view.copy()) for view in net.parameters.values()]

    @jax.jit
    def model(x):  # the weights are constants
        for index, layer in enumerate(net.layers):
            x = x @ weights[2 * index] + weights[2 * index + 1]
            x = jax.nn.relu(x) if layer.activation == "relu" else x
        return x

    x = jax.numpy.asarray(row)
    return lambda: model(x).block_until_ready()


def onnxruntime_from_python(net, row):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.onnx")
        net.to_onnx(path)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: row}
    return lambda: session.run(None, inputs)


WAYS = {  # name: how, and the package that it takes
    "fastnn, in @njit": (fastnn_inside, None),
    "fastnn": (fastnn_from_python, None),
    "PyTorch": (torch_from_python, "torch"),
    "JAX": (jax_from_python, "jax"),
    "ONNX Runtime": (onnxruntime_from_python, "onnxruntime"),
}


def installed(package):
    return package is None or importlib.util.find_spec(package) is not None


def measure(sizes, rounds, ways=WAYS):
    """Return the nanoseconds of a row for each installed library."""
    inputs, *hidden, outputs = sizes
    net = Network([*(Dense(width, "relu") for width in hidden), Dense(outputs)], inputs=inputs)
    row = np.random.default_rng(0).normal(size=(1, inputs)).astype(np.float32)
    calls = {name: make(net, row) for name, (make, package) in ways.items() if installed(package)}
    counts = {name: 1 if make is fastnn_inside else 20 for name, (make, _) in ways.items()}
    rows = {name: INSIDE if make is fastnn_inside else 20 for name, (make, _) in ways.items()}
    for call in calls.values():
        call()
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            best[name] = min(best[name], timeit.timeit(call, number=counts[name]) / rows[name])
    return {name: 1e9 * seconds for name, seconds in best.items()}


def simulation(steps=STEPS, rounds=5):
    """Return the nanoseconds of a step of 4-16-16-4, and the fraction of a row of it alone."""
    net = Network([Dense(16, "relu"), Dense(16, "relu"), Dense(4, "tanh")], inputs=4)
    model, state, change = net.compiled(gradients=False), np.zeros(4, np.float32), np.empty(4, np.float32)
    simulate(model, state, change, 10)
    many_rows(model, state, change, 10)
    calls = (lambda: simulate(model, state, change, steps)), (lambda: many_rows(model, state, change, steps))
    best, alone = [min(timeit.repeat(call, number=1, repeat=rounds)) / steps for call in calls]
    return 1e9 * best, alone / best


def sequence_step(cell, rounds, inputs=12, units=32):
    """Return the nanoseconds of a step of a cell within compiled code, and from Python."""
    net, x, out = Network([cell(units)], inputs=(None, inputs)), np.ones(inputs, np.float32), np.empty(units, np.float32)
    model, state, stream = net.compiled(), fastnn.jit.first_state(net), net.stream()
    calls = {lambda: many_steps(model, state, x, out, INSIDE): (1, INSIDE), lambda: stream.step(x): (20, 20)}
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(1 + rounds):
        for call, (count, steps) in calls.items():
            best[call] = min(best[call], timeit.timeit(call, number=count) / steps)
    return [1e9 * seconds for seconds in best.values()]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300, help="short runs of each (default: 300)")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the simulation (default: a million)")
    options = parser.parse_args(argv)
    names = [name for name, (_, package) in WAYS.items() if installed(package)]
    print("| net | " + " | ".join(names) + " |\n| --- |" + " ---: |" * len(names))
    for net, sizes in NETS.items():
        found = measure(sizes, options.rounds)
        print(f"| {net} | " + " | ".join(f"{found[name]:,.0f} ns" for name in names) + " |", flush=True)
    step, share = simulation(options.steps)
    print(f"\na simulation of {options.steps:,} steps with 4-16-16-4: {step:.0f} ns a step, {share:.0%} of it the network")
    print("\n| a step of 12 inputs, 32 units | in @njit | from Python |\n| --- | ---: | ---: |")
    for cell in (SimpleRNN, GRU, LSTM):
        print(f"| {cell.__name__} | " + " | ".join(f"{step:,.0f} ns" for step in sequence_step(cell, options.rounds)) + " |",
              flush=True)


if __name__ == "__main__":
    main()
