"""Members of populations, trained alone and together."""

import copy

import numpy as np
from layer_cases import LAYERS, X, all_bits, network

from fastnn import Dense, Network

LABELS = np.random.default_rng(3).integers(3, size=len(X))
WEIGHTS = np.random.default_rng(4).uniform(0.5, 2, size=len(X))


def values_members():
    """Return networks with every layer in the middle, both dtypes, several widths."""
    return [network(name, "between", width=width, dtype=dtype) for name in LAYERS
            for width, dtype in ((5, "float32"), (17, "float64"))]


def classifiers(count=4):
    shapes = [(8,), (5, 5), (16,), (3, 3, 3)]
    return [Network([*(Dense(width, "tanh", l2=0.001 * (seed % 2)) for width in shapes[seed % 4]), Dense(3, "softmax")],
                    inputs=9, seed=seed) for seed in range(count)]


def fit_alone(nets, X, y, *, callbacks=(), **options):
    """Train each by `Network.fit`; an option in a list has one value for each."""
    histories = []
    for number, net in enumerate(nets):
        own = {name: value[number] if isinstance(value, list) else value for name, value in options.items()}
        histories.append(net.fit(X, y, threads=1, callbacks=[copy.copy(callback) for callback in callbacks], **own))
    return histories


def check_same(nets, others, histories, other_histories):
    for net, other, history, other_history in zip(nets, others, histories, other_histories, strict=True):
        assert all_bits(net) == all_bits(other), net
        assert dict(history) == dict(other_history)
        assert history.learning_rates == other_history.learning_rates


def linear(seed):
    return Network([Dense(1)], inputs=9, seed=seed)


def state(population):
    return [(all_bits(net), net.fits.last, dict(net.history or {})) for net in population]
