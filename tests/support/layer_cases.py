"""Every registered layer, and networks with it in every place where it can stand."""

import numpy as np

from fastnn import Activation, BatchNorm, Dense, Dropout, Flatten, LayerNorm, Network, Reshape

LAYERS = {
    "Dense": Dense(7, "tanh"),
    "Activation": Activation("gelu"),
    "Activation by rows": Activation("softmax"),
    "BatchNorm": BatchNorm(momentum=0.7, epsilon=1e-2),
    "Dropout": Dropout(0.3),
    "LayerNorm": LayerNorm(epsilon=1e-3),
    "Flatten": Flatten(),
    "Reshape": Reshape((-1,)),
}
PLACES = ["first", "between", "last"]
CASES = [(name, place) for name, layer in LAYERS.items() for place in PLACES if place != "last" or layer.can_be_last]

rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(70, 9)), rng.integers(3, size=70)
VALUES = rng.normal(size=(70, 3))


def network(name, place, width=17, **options):
    """A network of nine inputs and three outputs."""
    layer = LAYERS[name]
    layers = {
        "first": [layer, Dense(width, "tanh"), Dense(3)],
        "between": [Dense(width), layer, layer, Dense(3)],
        "last": [Dense(width, "tanh"), Dense(3), layer],
    }[place]
    net = Network(layers, inputs=9, loss="squared_error", seed=5, **options)
    return unsettled(net)


def unsettled(net):
    """The net with parameters and state that are not those of a new one, nor zero."""
    numbers = np.random.default_rng(1)
    for view in (*net.parameters.values(), *net.state.values()):
        view[...] += numbers.uniform(-0.3, 0.3, size=view.shape)
    return net


def targets(net):
    return np.random.default_rng(2).normal(size=(len(X), net.outputs))


def all_bits(net):
    """Whatever training changes."""
    views = {**net.parameters, **net.state, "random": net.vectors.random}
    return {name: view.tobytes() for name, view in views.items()}
