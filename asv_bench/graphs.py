"""A training step of nets that branch and join, by fastnn, PyTorch and JAX; one image by ONNX Runtime; the price of a graph.

    python graphs.py [price | resnet-8 | dense | two-inputs | transformer ...] [--threads N] [--rounds N] [--cpu]

price       a chain, 64-64-64-10 of batch 64, written as a list and as a graph; it needs nothing else
resnet-8    ResNet-8 of MLPerf Tiny with its shortcuts, 32×32×3, batch 32: training, and one image
dense       64-(64-64)×4-10, four residual blocks of two layers, batch 64
two-inputs  a picture 28×28 by two convolutions and 20 columns, a class and a value, batch 64
transformer  two blocks of a Transformer's encoder, 64 wide, 4 heads, 50 steps, batch 32, as in peers.py

Adam in float32, each library on arrays of its own. Each has a turn in every round, so that a slow moment falls on all; the
figures are medians over the rounds, and the time of a step is that of an epoch by its steps. fastnn's epochs are calls of
`fit`, checks of the data and shuffling included; PyTorch and JAX get batches made beforehand. --cpu measures processor time
instead, which other work on the machine disturbs less. JAX takes all cores that it is given: for figures of one thread begin
with `taskset -c 0`.
"""

import argparse
import importlib.util
import statistics
import tempfile
import time

import numpy as np
from peers.libraries import fastnn_work, jax_work, torch_work  # the folder beside this file
from peers.nets import TRANSFORMER

import fastnn
from fastnn import (
    Activation,
    Adam,
    BatchNorm,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool,
    Input,
    MaxPool2D,
    Network,
    Residual,
)

rng = np.random.default_rng(0)


def has(module):
    return importlib.util.find_spec(module) is not None


def fits(net, X, y, batch, threads, batches):
    """Return a function that trains an epoch."""
    optimizer = Adam(1e-3)

    def epoch():
        net.fit(X, y, epochs=1, batch_size=batch, optimizer=optimizer, threads=threads, progress=False)

    return epoch, batches


def torch_epoch(network, loss_of, batches, threads):
    """Return a function that trains an epoch of batches, tuples of tensors."""
    import torch

    torch.set_num_threads(threads)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def epoch():
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss_of(network, *batch).backward()
            optimizer.step()

    return epoch, len(batches)


# The price of a graph.


def price(threads):
    X, y, sizes = rng.normal(size=(6400, 64)).astype(np.float32), rng.integers(10, size=6400), (64, 64)
    chain = Network([*(Dense(size, "relu") for size in sizes), Dense(10, "softmax")], inputs=64)
    x = node = Input(64, name="x")
    for size in sizes:
        node = Dense(size, "relu")(node)
    graph = Network(inputs=x, outputs=Dense(10, "softmax")(node))
    return {"list": fits(chain, X, y, 64, threads, 100), "graph": fits(graph, X, y, 64, threads, 100)}


# ResNet-8.


def block(channels, stride=1):
    first, second = (Conv2D(channels, 3, stride=each, padding=((1, 1), (1, 1))) for each in (stride, 1))
    shortcut = Conv2D(channels, 1, stride=stride) if stride > 1 else []
    return [Residual(first, BatchNorm(), Activation("relu"), second, BatchNorm(), shortcut=shortcut), Activation("relu")]


def resnet():
    return Network([Conv2D(16, 3, padding="same"), BatchNorm(), Activation("relu"), *block(16), *block(32, 2), *block(64, 2),
                    GlobalAveragePool(), Dense(10, "softmax")], inputs=(32, 32, 3))


def torch_resnet():
    from torch import nn

    class Block(nn.Module):
        def __init__(self, before, channels, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(before, channels, 3, stride, 1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
                nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
            self.shortcut = nn.Conv2d(before, channels, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, x):
            return nn.functional.relu(self.body(x) + self.shortcut(x))

    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True), Block(16, 16, 1),
                         Block(16, 32, 2), Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def resnet_8(threads):
    X, y = rng.normal(size=(320, 32, 32, 3)).astype(np.float32), rng.integers(10, size=320)
    made = {"fastnn": fits(resnet(), X, y, 32, threads, 10)}
    if has("torch"):
        import torch

        def loss(net, x, labels):
            return torch.nn.functional.cross_entropy(net(x), labels)

        for name, memory in (("PyTorch", torch.contiguous_format), ("PyTorch channels last", torch.channels_last)):
            images = torch.from_numpy(X).permute(0, 3, 1, 2).contiguous(memory_format=memory)
            batches = [*zip(images.split(32), torch.from_numpy(y).split(32), strict=True)]
            made[name] = torch_epoch(torch_resnet().to(memory_format=memory), loss, batches, threads)
    return made


def one_image(threads):
    net, X = resnet(), rng.normal(size=(1, 32, 32, 3)).astype(np.float32)
    made = {"fastnn": (lambda: [net.forward(X) for _ in range(50)], 50)}
    if has("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with tempfile.TemporaryDirectory() as folder:
            net.to_onnx(f"{folder}/net.onnx")
            session = onnxruntime.InferenceSession(f"{folder}/net.onnx", options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        made["ONNX Runtime"] = lambda: [session.run(None, {name: X}) for _ in range(50)], 50
    return made


# A dense net of four residual blocks.

BLOCKS, WIDTH = 4, 64


def dense_net():
    layers = [Residual(Dense(WIDTH, "relu"), Dense(WIDTH)) for _ in range(BLOCKS)]
    return Network([*(each for layer in layers for each in (layer, Activation("relu"))), Dense(10, "softmax")], inputs=WIDTH)


def dense(threads):
    X, y = rng.normal(size=(6400, WIDTH)).astype(np.float32), rng.integers(10, size=6400)
    made = {"fastnn": fits(dense_net(), X, y, 64, threads, 100)}
    if has("torch"):
        made["PyTorch"] = torch_dense(X, y, threads)
    if has("jax"):
        made["JAX"] = jax_dense(X, y)
    return made


def torch_dense(X, y, threads):
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            return torch.relu(x + self.second(torch.relu(self.first(x))))

    network = nn.Sequential(*(Block() for _ in range(BLOCKS)), nn.Linear(WIDTH, 10))
    batches = [*zip(torch.from_numpy(X).split(64), torch.from_numpy(y).split(64), strict=True)]
    return torch_epoch(network, lambda net, x, labels: nn.functional.cross_entropy(net(x), labels), batches, threads)


def jax_dense(X, y):
    """JAX, with the epoch compiled as one scan over the batches."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    layers = [(jnp.asarray(rng.normal(scale=0.1, size=(WIDTH, size)).astype(np.float32)), jnp.zeros(size))
              for size in (*(WIDTH,) * (2 * BLOCKS), 10)]

    def loss(layers, x, labels):
        for (one, first), (two, second) in zip(layers[:-1:2], layers[1:-1:2], strict=True):
            x = jax.nn.relu(x + jax.nn.relu(x @ one + first) @ two + second)
        logits = x @ layers[-1][0] + layers[-1][1]
        return -jnp.mean(jnp.sum(jax.nn.one_hot(labels, 10) * jax.nn.log_softmax(logits), axis=1))

    def step(state, batch):
        layers, m, v, t = state
        t, gradients, tree_map = t + 1, jax.grad(loss)(layers, *batch), jax.tree_util.tree_map
        m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        rate, root = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        return (tree_map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), layers, m, v), m, v, t), None

    train = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches)[0], donate_argnums=0)
    zeros = jax.tree_util.tree_map(jnp.zeros_like, layers)
    states = [(layers, zeros, jax.tree_util.tree_map(jnp.zeros_like, layers), jnp.float32(0))]
    batches = jnp.asarray(X.reshape(-1, 64, WIDTH)), jnp.asarray(y.reshape(-1, 64))

    def epoch():
        states[0] = jax.block_until_ready(train(states[0], batches))

    return epoch, len(batches[0])


# Two inputs and two outputs.


def two_net():
    image, table = Input((28, 28, 1), name="image"), Input(20, name="table")
    seen = image
    for layer in (Conv2D(8, 3, "relu"), MaxPool2D(2), Conv2D(16, 3, "relu"), MaxPool2D(2), Flatten()):
        seen = layer(seen)
    h = Dense(64, "relu")(Concatenate()(seen, Dense(32, "relu")(table)))
    return Network(inputs=[image, table], outputs={"kind": Dense(10, "softmax")(h), "value": Dense(1)(h)})


def two_inputs(threads):
    count = 3200
    X = {"image": rng.normal(size=(count, 28, 28, 1)).astype(np.float32), "table": rng.normal(size=(count, 20)).astype("f4")}
    y = {"kind": rng.integers(10, size=count), "value": rng.normal(size=count).astype(np.float32)}
    made = {"fastnn": fits(two_net(), X, y, 64, threads, count // 64)}
    if has("torch"):
        made["PyTorch"] = torch_two(X, y, threads)
    return made


def torch_two(X, y, threads):
    import torch
    from torch import nn

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.seen = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(),
                                      nn.MaxPool2d(2), nn.Flatten())
            self.table, self.both = nn.Linear(20, 32), nn.Linear(400 + 32, 64)
            self.kind, self.value = nn.Linear(64, 10), nn.Linear(64, 1)

        def forward(self, image, table):
            h = torch.relu(self.both(torch.cat([self.seen(image), torch.relu(self.table(table))], 1)))
            return self.kind(h), self.value(h)[:, 0]

    def loss(net, image, table, kind, value):
        logits, found = net(image, table)
        return nn.functional.cross_entropy(logits, kind) + 0.5 * nn.functional.mse_loss(found, value)

    images = torch.from_numpy(X["image"]).permute(0, 3, 1, 2).contiguous()
    arrays = images, *map(torch.from_numpy, (X["table"], y["kind"], y["value"]))
    return torch_epoch(Two(), loss, [*zip(*(each.split(64) for each in arrays), strict=True)], threads)


# A Transformer's encoder.


def transformer(threads):
    net, batches = TRANSFORMER, 20
    X, y = net.data(net.batch * batches)
    works = {"fastnn": fastnn_work} | {title: work for title, module, work in
                                       (("PyTorch", "torch", torch_work), ("JAX", "jax", jax_work)) if has(module)}
    return {title: (work(net, X, y, X[:1], threads).epoch, batches) for title, work in works.items()}


NETS = {"price": [price], "resnet-8": [resnet_8, one_image], "dense": [dense], "two-inputs": [two_inputs],
        "transformer": [transformer]}


def compare(make, threads, rounds, clock):
    """Print the median time of a step of each, and its ratio to that of the first."""
    made = make(threads)
    for epoch, _ in made.values():
        epoch()
    times = {name: [] for name in made}
    for _ in range(rounds):
        for name, (epoch, steps) in made.items():
            epoch()  # what others have evicted meanwhile, memory and caches, is not part of a step
            start = clock()
            epoch()
            times[name].append((clock() - start) / steps)
    first, *_ = times.values()
    print(f"{make.__name__}, {threads} thread{'s' * (threads > 1)}: " + ", ".join(
        f"{name} {statistics.median(own) * 1e6:,.1f} µs ({statistics.median(own) / statistics.median(first):.3f}, "
        f"fastest {min(own) * 1e6:,.1f}: {min(own) / min(first):.3f})" for name, own in times.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", choices=[*NETS, []], help=f"some of {', '.join(NETS)}; default: all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cpu", action="store_true", help="processor time; it counts that of all threads")
    options = parser.parse_args()
    for name in options.nets or NETS:
        for make in NETS[name]:
            compare(make, options.threads, options.rounds, time.process_time if options.cpu else time.perf_counter)


if __name__ == "__main__":
    print(f"fastnn {fastnn.__version__}, medians of interleaved rounds: microseconds of a step, ratios to the first")
    main()
