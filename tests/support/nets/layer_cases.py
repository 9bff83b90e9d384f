"""Every registered layer, and networks with it at every possible position."""

import numpy as np
import pytest

from fastnn import (
    GRU,
    LSTM,
    Activation,
    Add,
    Attention,
    AttentionPool,
    Average,
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Concatenate,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dot,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    LastStep,
    LayerNorm,
    Maximum,
    MaxPool1D,
    MaxPool2D,
    MultiHeadAttention,
    Multiply,
    Network,
    Normalize,
    Pad2D,
    Parallel,
    PositionalEncoding,
    PositionEmbedding,
    RandomCrop,
    RandomFlip,
    RandomShift,
    Rescale,
    Reshape,
    SimpleRNN,
    Slice,
    Subtract,
    UpSample2D,
    ZeroPad2D,
)

# For samples of one axis, or of any number.
LAYERS = {
    "Dense": Dense(7, "tanh"),
    "Activation": Activation("gelu"),
    "Activation by rows": Activation("softmax"),
    "BatchNorm": BatchNorm(momentum=0.7, epsilon=1e-2),
    "Dropout": Dropout(0.3),
    "LayerNorm": LayerNorm(epsilon=1e-3),
    "GroupNorm": GroupNorm(1, epsilon=1e-2),
    "GaussianNoise": GaussianNoise(0.2),
    "Rescale": Rescale(0.4, -0.2),
    "Normalize": Normalize(),
    "Flatten": Flatten(),
    "Reshape": Reshape((-1,)),
}
# For series and images, which `placed` makes from features and converts back to features.
SERIES = {
    "Conv1D": Conv1D(4, 3, "tanh", padding="causal", dilation=2),
    "MaxPool1D": MaxPool1D(2, stride=1, padding="same"),
    "AveragePool1D": AveragePool1D(3, padding=1),
    "LastStep": LastStep(),
    "SimpleRNN": SimpleRNN(5),
    "GRU": GRU(4, return_sequences=True),
    "GRU, learned state": GRU(3, learned_state=True),
    "LSTM with cells": LSTM(3, learned_state=True, return_cells=True),
    "GRU, reset before": GRU(3, reset_after=False, reverse=True),
    "GRU with dropout": GRU(3, dropout=0.3, recurrent_dropout=0.4),
    "LSTM": LSTM(3, reverse=True, return_sequences=True),
    "LSTM with peepholes": LSTM(4, peepholes=True),
    "Attention": Attention(),
    "Attention, additive": Attention("additive", causal=True),
    "AttentionPool": AttentionPool(),
    "MultiHeadAttention": MultiHeadAttention(2, key_dim=3, causal=True),
    "PositionEmbedding": PositionEmbedding(40),
    "PositionalEncoding": PositionalEncoding(),
}
IMAGES = {
    "Conv2D": Conv2D(2, (2, 3), "tanh", padding="same", dilation=(1, 2)),
    "Conv2D with a stride": Conv2D(3, 2, stride=(1, 2), padding=((1, 0), (2, 1))),
    "DepthwiseConv2D": DepthwiseConv2D((1, 2), "tanh", padding=1, stride=2, multiplier=2),
    "ConvTranspose2D": ConvTranspose2D(2, (1, 2), "tanh", stride=(1, 2)),
    "MaxPool2D": MaxPool2D((2, 3), stride=1, padding="same", dilation=(1, 2)),
    "MaxPool2D of halves": MaxPool2D(2, ceil_mode=True),
    "AveragePool2D": AveragePool2D(2, stride=1, padding=1, count_padding=True),
    "Dropout of channels": Dropout(0.3, channels=True),
    "RandomFlip": RandomFlip(vertical=True),
    "RandomShift": RandomShift((0, 1)),
    "RandomCrop": RandomCrop(1, 1),
    "ZeroPad2D": ZeroPad2D(((0, 1), (1, 0))),
    "Pad2D": Pad2D(((0, 1), (1, 0)), "wrap"),
    "UpSample2D": UpSample2D((1, 2)),
    "BatchNorm of images": BatchNorm(momentum=0.7, epsilon=1e-2),
    "LayerNorm of images": LayerNorm(epsilon=1e-2),
    "GroupNorm of images": GroupNorm(1, epsilon=1e-2),
    "GlobalMaxPool": GlobalMaxPool(),
    "GlobalAveragePool": GlobalAveragePool(),
}
# For sequences of tokens of any length, which only stand in a network with inputs=(None,): tests/sequences has their laws.
TOKENS = {"Embedding": Embedding(6, 4)}
# Joins of features and functions of them, which `placed` puts into a list by `Parallel`.
TANH, SIGMOID = Activation("tanh"), Activation("sigmoid")
JOINS = {
    "Add": (Add(), [], TANH, SIGMOID),
    "Subtract": (Subtract(), TANH, []),
    "Average": (Average(), TANH, [], SIGMOID),
    "Multiply": (Multiply(), TANH, SIGMOID, []),
    "Maximum": (Maximum(), TANH, Rescale(0.5, 0.13), Rescale(-0.3)),
    "Concatenate": (Concatenate(), SIGMOID, [], TANH),
    "Dot": (Concatenate(), Parallel(Dot(), TANH, []), []),
    "Dot of directions": (Concatenate(), Parallel(Dot(normalize=True), TANH, []), []),
    "Slice": (Concatenate(), Slice(0, 1), [], [TANH, Slice(-1)]),
}
JOINING = {"Dot": Dot(), "Dot of directions": Dot(normalize=True), "Slice": Slice(0, 1)}
LAYERS |= SERIES | IMAGES | {name: JOINING.get(name, parts[0]) for name, parts in JOINS.items()}
PLACES = ["first", "between", "last"]
CASES = [(name, place) for name, layer in LAYERS.items() for place in PLACES if place != "last" or layer.can_be_last]


def in_turn(cases, values, first=0):
    """Return all pairs of a case and a value, of which one for each case is no long test; the values take turns."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), value,
                         marks=() if (i + first - j) % len(values) == 0 else pytest.mark.long)
            for i, case in enumerate(cases) for j, value in enumerate(values)]


def one_place_each(first):
    """Return CASES, of which one for each layer is no long test; `first` sets where the turns of the places begin."""
    places = {name: [place for each, place in CASES if each == name] for name in LAYERS}
    return [pytest.param(name, place, marks=() if (i + first - j) % len(of_it) == 0 else pytest.mark.long)
            for i, (name, of_it) in enumerate(places.items()) for j, place in enumerate(of_it)]


rng = np.random.default_rng(0)
X, LABELS = rng.normal(size=(70, 9)), rng.integers(3, size=70)
VALUES = rng.normal(size=(70, 3))


def sample_shape(name, features):
    """Return the shape of a sample with so many elements for a layer."""
    if name in IMAGES:
        if features % 4 == 0:
            return 2, 2, features // 4
        return (3, features // 3, 1) if features % 3 == 0 and features > 3 else (1, features, 1)
    if name in TOKENS:
        return (None,)
    if name in SERIES:
        return (4, features // 4) if features % 4 == 0 else (features, 1)
    return (features,)


def placed(name, features, times=1, layer=None):
    """Return layers with this one, once or several times in a row, between others of one axis of features."""
    layer, shape = layer or LAYERS[name], sample_shape(name, features)
    if name in JOINS:
        return [Parallel(*JOINS[name])] * times
    if len(shape) == 1:
        return [layer] * times
    if layer.output_shape(shape) != shape:
        times = 1  # what it gives may be too small to be taken again
    return [Reshape(shape), *[layer] * times, Flatten()]


def network(name, place, width=17, **options):
    """Return a network of nine inputs, and of three outputs if the layer keeps the number of features."""
    inner = width if len(sample_shape(name, 12)) == 1 else 4 * width
    layers = {
        "first": [*placed(name, 9), Dense(width, "tanh"), Dense(3)],
        "between": [Dense(inner), *placed(name, inner, times=2), Dense(3)],
        "last": [Dense(width, "tanh"), Dense(3 if inner == width else 12), *placed(name, 3 if inner == width else 12)],
    }[place]
    net = Network(layers, inputs=9, loss="squared_error", seed=5, **options)
    return unsettled(net)


def unsettled(net):
    """Return the network with parameters and state that are neither initial values nor zero."""
    numbers = np.random.default_rng(1)
    for view in (*net.parameters.values(), *net.state.values()):
        view[...] += numbers.uniform(-0.3, 0.3, size=view.shape)
    return net


def targets(net):
    return np.random.default_rng(2).normal(size=(len(X), net.outputs))


def all_bits(net):
    """Return everything that training changes."""
    views = {**net.parameters, **net.state, "random": net.vectors.random}
    return {name: view.tobytes() for name, view in views.items()}
