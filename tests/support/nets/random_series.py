"""Random nets on sequences of any length, of numbers or of tokens: recurrence, attention, convolution, pools over time."""

import random

import numpy as np

from fastnn import (
    GRU,
    LSTM,
    Activation,
    Attention,
    AttentionPool,
    AveragePool1D,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePool,
    GlobalMaxPool,
    LastStep,
    LayerNorm,
    MaxPool1D,
    MultiHeadAttention,
    Network,
    PositionalEncoding,
    PositionEmbedding,
    SimpleRNN,
)

FEATURES = 1, 1, 2, 3, 4, 5, 8, 9, 16, 17, 31, 33, 40
TOKENS, LONGEST = 7, 40


def recurrence(draw):
    options = {"reverse": draw.random() < 0.4, "return_sequences": draw.random() < 0.8,
               "learned_state": draw.random() < 0.3}
    kind = draw.choice([SimpleRNN, GRU, LSTM])
    if draw.random() < 0.3:
        options |= {"dropout": draw.choice([0, 0.3]), "recurrent_dropout": draw.choice([0, 0.4])}
    if kind is GRU:
        options["reset_after"] = draw.random() < 0.5
    if kind is LSTM:
        options["peepholes"] = draw.random() < 0.3
    return kind(draw.choice(FEATURES), **options)


def step_layer(draw, features):
    """Return a layer that takes sequences of steps of so many features."""
    heads = draw.choice([n for n in range(1, min(features, 4) + 1) if features % n == 0])
    made = [
        *[lambda: recurrence(draw)] * 4,
        lambda: Conv1D(draw.choice(FEATURES), draw.randint(1, 5), draw.choice(["identity", "relu", "tanh", "silu"]),
                       padding=draw.choice(["causal", "same"]), dilation=draw.randint(1, 3)),
        lambda: Conv1D(draw.choice(FEATURES), draw.randint(1, 5), stride=draw.randint(1, 3), padding="same"),
        lambda: draw.choice([MaxPool1D, AveragePool1D])(draw.randint(1, 3), padding="same"),
        lambda: MultiHeadAttention(heads, key_dim=draw.choice([None, 1, 3, 17]), causal=draw.random() < 0.5),
        lambda: Attention(draw.choice(["dot", "additive"]), causal=draw.random() < 0.5),
        lambda: draw.choice([LayerNorm, BatchNorm, PositionalEncoding])(), lambda: PositionEmbedding(LONGEST),
        lambda: Dense(draw.choice(FEATURES), draw.choice(["relu", "tanh", "gelu"])), lambda: Dropout(0.3),
        lambda: Activation("silu"),
    ]
    return draw.choice(made)()


def random_series(seed, dtype):
    """Return a network whose input is sequences (steps, features), or of tokens."""
    draw = random.Random(seed)
    tokens = draw.random() < 0.3
    shape = inputs = (None,) if tokens else (None, draw.choice(FEATURES))
    layers, most = [Embedding(TOKENS, draw.choice(FEATURES))] if tokens else [], draw.randint(1, 5)
    for layer in layers:
        shape = layer.output_shape(shape)
    while len(layers) < most and len(shape) == 2:
        try:
            layer = step_layer(draw, shape[-1])
            shape = layer.output_shape(shape)
        except ValueError:
            continue
        layers.append(layer)
    if len(shape) == 2 and draw.random() < 0.8:
        layers.append(draw.choice([LastStep, GlobalAveragePool, GlobalMaxPool, AttentionPool])())
    return Network([*layers, Dense(3, "softmax")], inputs=inputs, dtype=dtype, seed=seed)


def data(net, samples, seed):
    """Return X, sequences of several lengths, and labels, one for each sequence or each of its steps."""
    rng = np.random.default_rng(seed)
    shape, = net.input_shapes.values()
    lengths = rng.integers(1, rng.choice([3, 12, LONGEST]), size=samples)
    X = [rng.integers(TOKENS, size=n) if len(shape) == 1 else rng.normal(size=(n, shape[1])) for n in lengths]
    if len(next(iter(net.output_shapes.values()))) == 1:
        return X, rng.integers(3, size=samples)
    return X, [rng.integers(3, size=n) for n in net.forward(X).lengths]
