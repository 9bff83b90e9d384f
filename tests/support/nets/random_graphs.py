"""Random graphs, made by calls of layers: tensors with any number of readers, joins, slices, shared layers, blocks."""

import numpy as np

from fastnn import (
    Activation,
    Add,
    Average,
    BatchNorm,
    Chain,
    Concatenate,
    Conv2D,
    Dense,
    Dot,
    Dropout,
    Flatten,
    Input,
    LayerNorm,
    Maximum,
    MaxPool2D,
    Multiply,
    Network,
    Parallel,
    Reshape,
    Residual,
    Shared,
    Subtract,
)

WIDTH, FEATURES = 5, 6
JOINS = Add, Average, Multiply, Maximum, Subtract


def layers():
    """Return new layers and blocks that keep WIDTH features."""
    return [
        Dense(WIDTH, "tanh"), Dense(WIDTH, "silu", l2=0.1), Chain(Dense(WIDTH), Activation("sigmoid")), LayerNorm(),
        Chain(BatchNorm(), Activation("tanh")), Residual(Dense(7, "tanh"), Dense(WIDTH)), Dropout(0.2),
        Parallel(Concatenate(), Dense(2, "tanh"), Dense(WIDTH - 2, "sigmoid")),
        Chain(Reshape((WIDTH, 1, 1)), Conv2D(2, (2, 1), "tanh", padding="same"), MaxPool2D((2, 1)), Flatten(), Dense(WIDTH)),
    ]


def random_graph(seed, dtype="float64", kinds=None, **options):
    """Return a network; kinds: the numbers of the `layers` to choose from."""
    rng = np.random.default_rng(seed)
    x = Input(FEATURES, name="table" if seed % 2 else None)
    nodes = [Dense(WIDTH, "silu")(x, name="stem" if seed % 3 == 0 else None), x[1:1 + WIDTH], Dense(WIDTH, "tanh")(x)]
    shared = Shared([Dense(WIDTH, "tanh"), LayerNorm()])
    for _ in range(rng.integers(4, 9)):
        first, second = (nodes[k] for k in rng.integers(max(0, len(nodes) - 4), len(nodes), size=2))
        chance = rng.random()
        if chance < 0.35:
            made = layers()
            node = made[rng.choice(range(len(made)) if kinds is None else kinds)](first)
        elif chance < 0.6:
            node = JOINS[rng.integers(len(JOINS))]()(first, second)
        elif chance < 0.7:
            node = shared(first)
        elif chance < 0.8:
            node = Concatenate()(first[:2], second[2:4], Dot(normalize=bool(rng.integers(2)))(first, second))
        else:
            node = [first + second, first * second - first, -first / 2.0 + 1.0][rng.integers(3)]
        nodes.append(node)
    join = Concatenate()([*nodes[1:], nodes[0]])
    return unsettled(Network(inputs=x, outputs=Dense(3, "softmax")(join), dtype=dtype, seed=seed, **options))


def unsettled(net):
    """Return the network with parameters and state that are neither initial values nor zero."""
    rng = np.random.default_rng(1)
    for view in (*net.parameters.values(), *net.state.values()):
        view[...] += rng.uniform(-0.3, 0.3, size=view.shape)
    return net


def data(samples, seed=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(samples, FEATURES)), rng.integers(3, size=samples)
