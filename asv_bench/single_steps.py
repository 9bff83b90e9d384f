"""A loop of one's own in Python, a training step a call: `train_on_batch`, compared with JAX and PyTorch.

    python asv_bench/single_steps.py

Each library trains the same network, 4-16-16-2 by default, by Adam in float32 on one thread, and takes the same batch in
each call, in its own kind of array. Times are processor times of a call, medians of rounds in which each has its turn; a
library that is not installed is skipped. PyTorch updates with its fused optimizer; JAX's step is compiled, with the loss,
the gradient and the update in one function whose arguments are donated. fastnn returns the loss as a number, for which the
others do not wait.
"""

import argparse
import importlib.util
import statistics
import time
from itertools import pairwise

import numpy as np

SIZES, BATCH, RATE = (4, 16, 16, 2), 8, 1e-3
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam: Kingma and Ba 2014, algorithm 1


def fastnn_step(sizes, X, y):
    from fastnn import Adam, Dense, Network

    net = Network([*(Dense(width, "relu") for width in sizes[1:-1]), Dense(sizes[-1], "softmax")], inputs=sizes[0])
    net.train_on_batch(X, y, optimizer=Adam(RATE), threads=1)
    return lambda: net.train_on_batch(X, y, threads=1)


def torch_step(sizes, X, y):
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layers = [layer for shape in pairwise(sizes) for layer in (nn.Linear(*shape), nn.ReLU())]
    model, X, y = nn.Sequential(*layers[:-1]), torch.from_numpy(X), torch.from_numpy(y)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(X), y).backward()
        optimizer.step()

    return step


def jax_step(sizes, X, y):
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    import jax.numpy as jnp

    random = np.random.default_rng(0)
    weights = [(jnp.array(random.normal(size=shape) * (2 / shape[0]) ** 0.5, jnp.float32), jnp.zeros(shape[1]))
               for shape in pairwise(sizes)]
    zeros = jax.tree_util.tree_map(jnp.zeros_like, weights)

    def loss(weights, X, y):
        for weight, bias in weights[:-1]:
            X = jax.nn.relu(X @ weight + bias)
        scores = jax.nn.log_softmax(X @ weights[-1][0] + weights[-1][1])
        return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()

    def update(weights, first, second, count, X, y):
        value, gradient = jax.value_and_grad(loss)(weights, X, y)
        count = count + 1
        each = jax.tree_util.tree_map
        first = each(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
        second = each(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
        weights = each(lambda w, m, v: w - RATE * m / (1 - BETA1**count) / (jnp.sqrt(v / (1 - BETA2**count)) + EPSILON),
                       weights, first, second)
        return value, weights, first, second, count

    compiled = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    state, X, y = [weights, zeros, jax.tree_util.tree_map(jnp.copy, zeros), jnp.float32(0)], jnp.array(X), jnp.array(y)

    def step():
        _, *state[:] = compiled(*state, X, y)

    return step


LIBRARIES = {"fastnn": fastnn_step, "jax": jax_step, "torch": torch_step}


def microseconds(step, calls):
    began = time.process_time()
    for _ in range(calls):
        step()
    return 1e6 * (time.process_time() - began) / calls


def main(argv=None):
    """Print a line for each library; return {name: microseconds of a call}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="inputs, widths, outputs (default: 4 16 16 2)")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=2000, help="steps in a round")
    options = parser.parse_args(argv)
    random = np.random.default_rng(0)
    X = random.normal(size=(options.batch, options.sizes[0])).astype(np.float32)
    y = random.integers(options.sizes[-1], size=options.batch)
    steps = {name: make(options.sizes, X, y) for name, make in LIBRARIES.items() if importlib.util.find_spec(name)}
    for step in steps.values():
        microseconds(step, 200)  # compiles
    rounds = [{name: microseconds(step, options.calls) for name, step in steps.items()} for _ in range(options.rounds)]
    found = {name: statistics.median(each[name] for each in rounds) for name in steps}
    for name, each in found.items():
        print(f"{name:8}{each:8.1f} µs a step   {each / found['fastnn']:6.1f}×")
    return found


if __name__ == "__main__":
    main()
