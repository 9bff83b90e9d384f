"""Many networks of mixed shapes on the spiral: a Population compared with loops and `vmap`, in fastnn, JAX and PyTorch.

    pip install torch jax && python asv_bench/population.py --threads 1 --rounds 3

256 networks: widths 8, 16, 32 and 64, one or two hidden layers, relu or tanh, so 16 shapes, each 16 times with different
learning rates and seeds. Adam in float32, batches of 32, a new order each epoch. The methods take turns, round by round,
each in its own process, compiled and warmed up before. The output is milliseconds for a network and epoch (median of the
rounds), the ratio to the Population, the seconds of the first call, and the growth of memory.

JAX runs an epoch as one compiled scan: for each network separately, or for the 16 networks of a shape at once by vmap.
PyTorch runs each network separately (--some of them, because it is slow), or those of a shape at once by torch.func (two
shapes).
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from functools import partial

from peers.libraries import BETA1, BETA2, EPSILON
from peers.process import environment

SAMPLES, BATCH, COPIES = 2976, 32, 16
SHAPES = [((width,) * depth, activation) for width in (8, 16, 32, 64) for depth in (1, 2) for activation in ("relu", "tanh")]
OF_FUNC = [2, 9]  # shapes


def rates():
    """Return a learning rate for each copy."""
    return [10 ** (-3.5 + 1.5 * k / COPIES) for k in range(COPIES)]


def data():
    import numpy as np

    from fastnn.datasets import spiral

    X, y = spiral(samples=3000)
    order = np.random.default_rng(0).permutation(len(X))[:SAMPLES]
    return X[order], y[order]


def fastnn_networks():
    from fastnn import Adam, Dense, Network

    nets, optimizers = [], []
    for hidden, activation in SHAPES:
        for seed, rate in enumerate(rates()):
            layers = [*(Dense(width, activation) for width in hidden), Dense(3, "softmax")]
            nets.append(Network(layers, inputs=2, seed=seed))
            optimizers.append(Adam(rate))
    return nets, optimizers


def fastnn_population(threads, epochs, some):
    from fastnn import Population

    (X, y), (nets, optimizers) = data(), fastnn_networks()
    population = Population(nets)

    def run():
        population.fit(X, y, epochs=epochs, batch_size=BATCH, optimizer=optimizers, threads=threads, progress=False)

    return run, len(nets) * epochs


def fastnn_loop(threads, epochs, some):
    (X, y), (nets, optimizers) = data(), fastnn_networks()

    def run():
        for net, optimizer in zip(nets, optimizers, strict=True):
            net.fit(X, y, epochs=epochs, batch_size=BATCH, optimizer=optimizer, threads=threads, progress=False)

    return run, len(nets) * epochs


def jax_epochs(together, threads, epochs, some):
    """Train every network separately, or those of a shape together."""
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    import jax.numpy as jnp

    tree_map = jax.tree_util.tree_map
    X, y = map(jnp.asarray, data())

    def trainer(hidden, activation):
        sizes, act = (2, *hidden, 3), {"relu": jax.nn.relu, "tanh": jnp.tanh}[activation]

        def begin(key):
            keys = jax.random.split(key, len(sizes))
            weights = [(jax.random.normal(k, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m))
                       for k, n, m in zip(keys, sizes, sizes[1:], strict=False)]
            m, v = tree_map(jnp.zeros_like, weights), tree_map(jnp.zeros_like, weights)
            return weights, m, v, jnp.float32(0)

        def loss(weights, x, labels):
            for weight, bias in weights[:-1]:
                x = act(x @ weight + bias)
            logits = x @ weights[-1][0] + weights[-1][1]
            return -jnp.mean(jnp.sum(jax.nn.one_hot(labels, 3) * jax.nn.log_softmax(logits), axis=1))

        def epoch(state, key, rate):
            order = jax.random.permutation(key, SAMPLES).reshape(-1, BATCH)

            def step(state, rows):
                weights, m, v, t = state
                gradients, t = jax.grad(loss)(weights, X[rows], y[rows]), t + 1
                m = tree_map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
                v = tree_map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
                size, root = rate / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
                weights = tree_map(lambda w, m, v: w - size * m / (jnp.sqrt(v) / root + EPSILON), weights, m, v)
                return (weights, m, v, t), None

            return jax.lax.scan(step, state, order)[0]

        return (jax.vmap(begin), jax.jit(jax.vmap(epoch), donate_argnums=0)) if together else (
            begin, jax.jit(epoch, donate_argnums=0))

    fits = []  # [train, state, key, rate]
    for number, shape in enumerate(SHAPES):
        begin, train = trainer(*shape)
        keys = jax.random.split(jax.random.key(number), COPIES)
        if together:
            fits.append([train, begin(keys), keys, jnp.array(rates(), jnp.float32)])
        else:
            fits += [[train, begin(key), key, jnp.float32(rate)] for key, rate in zip(keys, rates(), strict=True)]

    split = jax.vmap(lambda key: jax.random.split(key)) if together else jax.random.split

    def run():
        for fit in fits:
            train, _, _, rate = fit
            for _ in range(epochs):
                keys = split(fit[2])
                draw, fit[2] = (keys[:, 0], keys[:, 1]) if together else keys
                fit[1] = train(fit[1], draw, rate)
        jax.block_until_ready([fit[1] for fit in fits])

    return run, len(SHAPES) * COPIES * epochs


def torch_net(hidden, activation):
    from torch import nn

    layers, inputs = [], 2
    for width in hidden:
        layers += [nn.Linear(inputs, width), {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 3))


def torch_loop(threads, epochs, some):
    import torch

    torch.set_num_threads(threads)
    X, y = map(torch.from_numpy, data())
    chosen = [(shape, rate) for shape in SHAPES for rate in rates()][::max(1, len(SHAPES) * COPIES // some)]
    fits = []
    for shape, rate in chosen:
        net = torch_net(*shape)
        fits.append((net, torch.optim.Adam(net.parameters(), lr=rate, fused=True)))

    def run():
        for net, optimizer in fits:
            order = torch.randperm(SAMPLES)
            for x, labels in zip(X[order].split(BATCH), y[order].split(BATCH), strict=True):
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(net(x), labels).backward()
                optimizer.step()

    return run, len(fits)


def torch_func(threads, epochs, some):
    import torch
    from torch.func import functional_call, grad, stack_module_state, vmap

    torch.set_num_threads(threads)
    X, y = map(torch.from_numpy, data())
    fits = []
    for number in OF_FUNC:
        nets = [torch_net(*SHAPES[number]) for _ in range(COPIES)]
        weights, _ = stack_module_state(nets)
        base = torch_net(*SHAPES[number]).to("meta")

        def loss(weights, x, labels, base=base):
            return torch.nn.functional.cross_entropy(functional_call(base, weights, (x,)), labels)

        weights = {name: w.detach() for name, w in weights.items()}
        size = torch.tensor(rates())
        m, v = ({name: torch.zeros_like(w) for name, w in weights.items()} for _ in range(2))
        fits.append([vmap(grad(loss)), weights, m, v, size])

    @torch.no_grad()
    def run():
        for fit in fits:
            gradient, weights, m, v, size = fit
            orders = torch.stack([torch.randperm(SAMPLES) for _ in range(COPIES)]).reshape(COPIES, -1, BATCH)
            for t in range(orders.shape[1]):
                rows = orders[:, t]
                for name, g in gradient(weights, X[rows], y[rows]).items():
                    m[name].lerp_(g, 1 - BETA1)
                    v[name].mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
                    rate = (size / (1 - BETA1 ** (t + 1))).reshape(-1, *[1] * (g.dim() - 1))
                    weights[name] -= rate * m[name] / (v[name].sqrt() / (1 - BETA2 ** (t + 1)) ** 0.5 + EPSILON)

    return run, len(OF_FUNC) * COPIES


WAYS = {"fastnn Population": fastnn_population, "fastnn, fit in a loop": fastnn_loop,
        "JAX, vmap by shape": partial(jax_epochs, True),
        "JAX, scan in a loop": partial(jax_epochs, False), "PyTorch, torch.func by shape": torch_func,
        "PyTorch in a loop": torch_loop}


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def serve():
    """Run one method, in its own process: each line requests a run, and is answered with its time."""
    name, threads, epochs, some = sys.argv[2], *map(int, sys.argv[3:])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    __import__({"f": "fastnn.network.network", "J": "jax", "P": "torch"}[name[0]])
    before, start = megabytes(), time.perf_counter()
    run, net_epochs = WAYS[name](threads, epochs, some)
    run()
    print(json.dumps(time.perf_counter() - start), file=answers, flush=True)
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        run()
        seconds = time.perf_counter() - start
        print(json.dumps([1e3 * seconds / net_epochs, (time.process_time() - processor) / seconds, megabytes() - before]),
              file=answers, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="in a turn (PyTorch: one)")
    parser.add_argument("--some", type=int, default=16, help="nets that PyTorch's loop trains")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    options = parser.parse_args()
    processes, first, found = {}, {}, {name: [] for name in options.ways}
    for name in options.ways:
        command = [sys.executable, __file__, "--serve", name, *map(str, (options.threads, options.epochs, options.some))]
        processes[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                           env=environment(options.threads))
        first[name] = json.loads(processes[name].stdout.readline())
        print(f"ready: {name}, after {first[name]:.1f} s", file=sys.stderr, flush=True)
    for number in range(options.rounds):
        for name, process in processes.items():
            print(file=process.stdin, flush=True)
            found[name].append(json.loads(process.stdout.readline()))
        took = ", ".join(f"{name} {rows[-1][0]:.3f}" for name, rows in found.items())
        print(f"round {number + 1}, ms a net and epoch: {took}", file=sys.stderr, flush=True)
    for process in processes.values():
        process.communicate()
    ours = [row[0] for row in found[options.ways[0]]]
    print(f"{'threads ' + str(options.threads):<30}{'ms a net, epoch':>16}{'times as long':>15}{'cores':>7}"
          f"{'first call':>12}{'memory':>10}")
    for name, rows in found.items():
        ratio = statistics.median(row[0] / own for row, own in zip(rows, ours, strict=True))
        print(f"{name:<30}{statistics.median(row[0] for row in rows):>16.3f}{ratio:>14.2f}x"
              f"{statistics.median(row[1] for row in rows):>7.1f}{first[name]:>10.1f} s{rows[-1][2]:>7.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve()
    else:
        main()
