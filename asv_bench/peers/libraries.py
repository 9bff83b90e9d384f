"""Training and prediction with each library, as fast as it can do the same as the others.

All train by Adam or by plain gradient descent in float32, over all samples in a new random order each epoch, and predict the
probabilities of the classes. Each gets its own kind of array, so that none has to convert. Imports are inside the functions,
because a process loads only one library.
"""

import importlib.util
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .images import fastnn_layers, torch_layers
from .nets import GATES
from .recurrent import jax_recurrence
from .transformers import jax_blocks

LEARNING_RATES = {"adam": 1e-3, "sgd": 1e-2}  # by the optimizer's name
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam: Kingma and Ba 2014, algorithm 1
PRODUCT = 1024  # rows and columns of the matrices whose product gives the practical peak


@dataclass(frozen=True)
class Work:
    """The functions to time, without arguments, each of which returns when its work is done."""

    epoch: Callable | None  # trains on every sample once; None for a library that only predicts
    one_row: Callable  # probabilities of one sample
    bulk: Callable  # probabilities of many


@dataclass(frozen=True)
class Library:
    """A library: its names, and what it can be measured on."""

    name: str
    title: str
    module: str
    distribution: str  # what pip knows it as
    work: Callable | None = None  # (net, X, y, X_bulk, threads) to Work
    product: Callable | None = None  # (a, b) NumPy arrays, threads, to a function that multiplies them
    needs_compiler: bool = False  # one for C++, which torch.compile calls

    @property
    def absence(self):
        """Return why it cannot be measured, in words; "" if it can."""
        if importlib.util.find_spec(self.module) is None:
            return f"it is not installed (pip install {self.distribution})"
        if self.needs_compiler and shutil.which(cxx := compiler()) is None:
            return f"it needs a C++ compiler, and there is no {cxx} (name another in the variable CXX)"
        return ""


def compiler():
    """Return the C++ compiler that torch.compile uses."""
    return os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")


def fastnn_work(net, X, y, X_bulk, threads):
    from fastnn import SGD, Adam

    optimizer = {"adam": Adam, "sgd": SGD}[net.optimizer](learning_rate=LEARNING_RATES[net.optimizer])
    network = fastnn_network(net)
    fit = partial(network.fit, X, y, epochs=1, batch_size=net.batch, optimizer=optimizer, threads=threads, progress=False)
    return Work(fit, partial(network.forward, X[:1]), partial(network.forward, X_bulk))


def fastnn_network(net):
    from fastnn import Dense, Flatten, Network

    inputs, *hidden, classes = net.sizes
    layers = fastnn_layers(net)
    layers += [Flatten()] * (len(net.image) == 3)
    layers += [*(Dense(neurons, "relu") for neurons in hidden), Dense(classes, "softmax")]
    return Network(layers, inputs=(None,) if net.vocabulary else tuple(net.image) or inputs)


def onnx_runtime_work(net, X, y, X_bulk, threads):
    """ONNX Runtime: prediction only, of the network that fastnn exports; it chooses the layout of images itself."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/net.onnx"
        fastnn_network(net).to_onnx(file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    outputs, (x,) = [each.name for each in session.get_outputs()][:1], session.get_inputs()

    def predict(X):
        return session.run(outputs, {x.name: X})[0]

    return Work(None, partial(predict, X[:1]), partial(predict, X_bulk))


def torch_work(net, X, y, X_bulk, threads, compiled=False, channels_last=False, sparse=False):
    """PyTorch: a fused update, and samples shuffled once an epoch, so that a batch is a view. Images are channels first.

    sparse: an embedding's gradient has only the rows that a batch uses, and SparseAdam updates them.
    """
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if sparse and not (net.vocabulary and net.optimizer == "adam"):
        raise ValueError("it is for nets with an embedding and for Adam; leave it out")
    layers = torch_layers(net, sparse)
    layers += [nn.Flatten()] * (len(net.image) == 3)
    for in_features, out_features in zip(net.sizes, net.sizes[1:], strict=False):
        layers += [nn.Linear(in_features, out_features), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[net.optimizer]
    parameters, rate = list(network.parameters()), LEARNING_RATES[net.optimizer]
    optimizers = [torch.optim.SparseAdam(parameters[:1], lr=rate)] if sparse else []
    optimizers.append(kind(parameters[len(optimizers):], lr=rate, fused=True))
    X, y, X_bulk = map(torch.from_numpy, (X, y, X_bulk))
    if len(net.image) == 3:
        memory = torch.channels_last if channels_last else torch.contiguous_format
        X, X_bulk = (images.permute(0, 3, 1, 2).contiguous(memory_format=memory) for images in (X, X_bulk))
        network = network.to(memory_format=memory)
    row = X[:1].clone()

    def loss(x, labels):
        return nn.functional.cross_entropy(network(x), labels)

    def probabilities(x):
        return nn.functional.softmax(network(x), dim=1)

    if compiled:
        torch.compiler.reset()  # forgets the net before: what is compiled is compiled for these shapes alone
        loss, probabilities = (torch.compile(function, dynamic=False) for function in (loss, probabilities))

    def epoch():
        order = torch.randperm(len(X))
        for x, labels in zip(X[order].split(net.batch), y[order].split(net.batch), strict=True):
            network.zero_grad(set_to_none=True)
            loss(x, labels).backward()
            for optimizer in optimizers:
                optimizer.step()

    @torch.inference_mode()
    def predict(x):
        network.eval()
        found = probabilities(x)
        network.train()
        return found

    return Work(epoch, partial(predict, row), partial(predict, X_bulk))


def jax_work(net, X, y, X_bulk, threads):
    """JAX: the whole epoch compiled as one scan over the batches, including shuffling; its arguments are donated.

    Calls run on the calling thread: on another thread, as by default, one row takes several times as long. Weights are
    constants of a prediction.
    """
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    import jax.numpy as jnp

    tree_map, classes, learning_rate = jax.tree_util.tree_map, net.sizes[-1], LEARNING_RATES[net.optimizer]
    key = jax.random.key(0)
    if any(each.normalized for each in net.windows if each):
        raise ValueError("JAX has no batch normalization; leave it out")
    kernels, weights = [(*each.kernel, each.channels, each.features) for each in net.windows if each], []
    before = next((make for kinds, make in ((("transformer",), jax_blocks), (GATES, jax_recurrence))
                   if any(kind in kinds for kind, *_ in net.blocks)), None)
    if before:
        first, blocks = before(net, key)
        weights.append(first)
    for shape in [*kernels, *zip(net.sizes, net.sizes[1:], strict=False)]:
        key, draw = jax.random.split(key)
        weight = jax.random.normal(draw, shape) * (2 / math.prod(shape[:-1])) ** 0.5
        weights.append((weight, jnp.zeros(shape[-1])))

    def convolve(weights, x):
        for kind, *numbers in net.blocks:
            if kind == "conv":
                weight, bias = next(weights)
                x = jax.lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = jax.nn.relu(x + bias)
            else:
                window = 1, *numbers * 2, 1
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        return x.reshape(len(x), -1)

    def logits(weights, x):
        if before:
            x = blocks(weights[0], x)
        elif net.blocks:
            x = convolve(iter(weights), x)
        for weight, bias in weights[len(kernels) + bool(before):-1]:
            x = jax.nn.relu(x @ weight + bias)
        weight, bias = weights[-1]
        return x @ weight + bias

    def loss(weights, x, labels):  # a product with one-hot rows is a little quicker than to pick the label's number
        return -jnp.mean(jnp.sum(jax.nn.one_hot(labels, classes) * jax.nn.log_softmax(logits(weights, x)), axis=1))

    def adam(weights, gradients, memory):
        m, v, t = memory
        t = t + 1
        m = tree_map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
        v = tree_map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
        rate, root = learning_rate / (1 - BETA1**t), jnp.sqrt(1 - BETA2**t)
        weights = tree_map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + EPSILON), weights, m, v)
        return weights, (m, v, t)

    def sgd(weights, gradients, memory):
        return tree_map(lambda w, g: w - learning_rate * g, weights, gradients), memory

    def zeros():
        return tree_map(jnp.zeros_like, weights)

    update, memory = {"adam": (adam, (zeros(), zeros(), jnp.float32(0))), "sgd": (sgd, ())}[net.optimizer]

    def step(state, batch):
        weights, memory = state
        return update(weights, jax.grad(loss)(weights, *batch), memory), None

    X, y, X_bulk = map(jnp.asarray, (X, y, X_bulk))

    @partial(jax.jit, donate_argnums=0)
    def train(state, key):
        order = jax.random.permutation(key, len(X))
        batches = X[order].reshape(-1, net.batch, *X.shape[1:]), y[order].reshape(-1, net.batch)
        return jax.lax.scan(step, state, batches)[0]

    state = weights, memory

    def epoch():
        nonlocal state, key
        key, draw = jax.random.split(key)
        state = jax.block_until_ready(train(state, draw))

    def predictor():
        """Predict with the weights at the time of the first call."""
        return jax.jit(lambda x: jax.nn.softmax(logits(state[0], x)))

    one, many, row = predictor(), predictor(), X[:1]
    return Work(epoch, lambda: one(row).block_until_ready(), lambda: many(X_bulk).block_until_ready())


def sklearn_work(net, X, y, X_bulk, threads):
    """scikit-learn: `partial_fit` uses the samples once and keeps the optimizer's state. It has dense networks only."""
    if net.blocks:
        raise ValueError("scikit-learn has no convolutions or recurrent layers; leave it out")
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(net.sizes[1:-1], batch_size=net.batch, solver=net.optimizer, momentum=0, alpha=0,
                            learning_rate_init=LEARNING_RATES[net.optimizer], random_state=0)
    return Work(partial(network.partial_fit, X, y, classes=np.arange(net.sizes[-1])),
                partial(network.predict_proba, X[:1]), partial(network.predict_proba, X_bulk))


def numpy_product(a, b, threads):
    import numpy as np

    return partial(np.matmul, a, b, out=np.empty_like(a))


def torch_product(a, b, threads):
    import torch

    torch.set_num_threads(threads)
    return partial(torch.mm, *map(torch.from_numpy, (a, b)), out=torch.empty(len(a), b.shape[1]))


def fastnn_product(a, b, threads):
    import numpy as np

    from fastnn.compiled import linear_forward

    return partial(linear_forward, a, b, np.zeros(b.shape[1], a.dtype), threads=threads)


FASTNN = Library("fastnn", "fastnn", "fastnn", "fastnn-numba", fastnn_work, fastnn_product)
NUMPY = Library("numpy", "NumPy", "numpy", "numpy", product=numpy_product)
TORCH = Library("torch", "PyTorch", "torch", "torch", torch_work, torch_product)
PEERS = {library.name: library for library in (
    TORCH,
    Library("torch.channels_last", "PyTorch, channels last", "torch", "torch", partial(torch_work, channels_last=True)),
    Library("torch.sparse", "PyTorch, sparse embedding", "torch", "torch", partial(torch_work, sparse=True)),
    Library("torch.compile", "torch.compile", "torch", "torch", partial(torch_work, compiled=True), needs_compiler=True),
    Library("jax", "JAX", "jax", "jax", jax_work),
    Library("onnxruntime", "ONNX Runtime", "onnxruntime", "onnxruntime", onnx_runtime_work),
    Library("sklearn", "scikit-learn", "sklearn", "scikit-learn", sklearn_work),
)}
# The layout makes no difference to dense networks, which have no embedding; ONNX Runtime does not train.
DEFAULT_PEERS = [name for name in PEERS if name not in ("torch.channels_last", "torch.sparse", "onnxruntime")]
LIBRARIES = {library.name: library for library in (FASTNN, *PEERS.values(), NUMPY)}
