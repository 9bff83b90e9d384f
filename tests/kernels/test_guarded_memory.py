"""Training, evaluation and prediction write only to their own memory, for any sizes and threads.

With NUMBA_BOUNDSCHECK=1 (as in `.ci/run`), every index into an array is checked too.
"""

from itertools import pairwise

import numpy as np
import pytest
from guarded_memory import GuardedMemory
from trained_nets import digest

from fastnn import (
    GRU,
    LSTM,
    Activation,
    Adam,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GaussianNoise,
    GroupNorm,
    LastStep,
    LayerNorm,
    MaxPool2D,
    MultiHeadAttention,
    Network,
    RandomShift,
    Reshape,
    UpSample2D,
    ZeroPad2D,
    optimizers,
)

WIDTHS = [(1, 1, 1), (3, 17, 1), (65, 33, 3), (7, 130, 17), (1031, 5, 10)]
BATCHES = [1, 5, 33, 70]
LAYERS = {
    "dense": lambda: (),
    "batch norm": lambda: (BatchNorm(), Activation("tanh")),
    "layer norm": lambda: (LayerNorm(), Activation("relu")),
    "dropout": lambda: (Dropout(0.3),),
    "images": lambda: (Reshape((1, -1, 1)), RandomShift(0), ZeroPad2D(((0, 1), (1, 0))), MaxPool2D(2, stride=1),
                       AveragePool2D((1, 3), stride=1, padding="same"), BatchNorm(), GroupNorm(1), GaussianNoise(0.1),
                       UpSample2D((2, 1)), MaxPool2D(2, ceil_mode=True), Dropout(0.2, channels=True), Flatten()),
    "convolutions": lambda: (Reshape((1, -1, 1)), Conv2D(3, (1, 4), "tanh", stride=(1, 2), padding=((2, 1), (3, 5)),
                                                                  dilation=2),
                             DepthwiseConv2D(3, padding="same"), ConvTranspose2D(4, (2, 3), stride=(1, 2), padding=1),
                             Conv2D(2, 1, groups=2), Flatten()),
    "normalized": lambda: (Reshape((1, -1, 1)), UpSample2D((3, 2)), Conv2D(9, 1, stride=(1, 20)), BatchNorm(),
                           Activation("relu"), DepthwiseConv2D(3, padding="same"), BatchNorm(), Activation("relu"),
                           Conv2D(10, 1), BatchNorm(), Activation("relu"), Conv2D(9, (3, 2), padding=1, stride=2),
                           Flatten()),
    "pooled": lambda: (Reshape((1, -1, 1)), UpSample2D((2, 1)), Conv2D(3, 2, "relu", padding=1), MaxPool2D(2),
                       ZeroPad2D(1), Conv2D(5, (3, 1), "tanh", stride=(2, 1)), UpSample2D(2), Conv2D(9, 1), MaxPool2D(2),
                       Flatten()),
    "steps": lambda: (Reshape((-1, 1)), MultiHeadAttention(1, causal=True), LastStep()),
    "recurrent": lambda: (Dense(10), Reshape((-1, 2)), LSTM(3, return_sequences=True), GRU(17, reverse=True)),
    "all": lambda: (BatchNorm(), Dropout(0.1), LayerNorm(), Activation("gelu")),
}


@pytest.fixture
def guard(monkeypatch):
    return GuardedMemory(monkeypatch)


def work(widths, between, last, dtype, optimizer, batch, threads):
    """Return the results of a network that is trained, evaluated and used; the last batch is incomplete."""
    inputs, hidden, outputs = widths
    first = [*LAYERS[between](), Dense(hidden, "relu", l1=1e-4, l2=1e-4), *LAYERS[between]()]
    net = Network([*first, Dense(outputs, last)], inputs=inputs, dtype=dtype, seed=2)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2 * batch + batch // 2 + 1, inputs)), rng.uniform(size=(2 * batch + batch // 2 + 1, outputs))
    y = y / y.sum(axis=1, keepdims=True) if last == "softmax" else y
    weights = rng.uniform(0.5, 1, len(X))
    history = net.fit(X, y, batch_size=batch, sample_weight=weights, optimizer=optimizer, validation_data=(X, y),
                      threads=threads)
    few = [net.forward(X[:rows]).tobytes() for rows in (1, 2, 16)]
    return (digest(net), history["loss"], history["val_loss"], net.evaluate(X, y, threads=threads), few,
            net.forward(X, threads=threads).tobytes(),
            [each.tobytes() for each in net.loss_and_gradients(X, y, threads=threads)[1].values()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize("between", LAYERS)
def test_nothing_is_written_out_of_bounds(between, widths, batch, dtype, guard, many_parts, monkeypatch):
    last = "softmax" if widths[-1] > 1 else "sigmoid"
    for threads in (1, 2, 3, 8):
        found = work(widths, between, last, dtype, "adam", batch, threads)
        guard.assert_intact()
        if threads == 1:
            alone = found
        assert found == alone
    assert max(many_parts) > 1 or batch == 1
    monkeypatch.undo()
    assert work(widths, between, last, dtype, "adam", batch, threads=1) == alone  # nothing was read out of bounds either


@pytest.mark.parametrize("clip", [{}, {"clip_value": 0.01, "clip_norm": 0.01}], ids=["plain", "clipped"])
@pytest.mark.parametrize("optimizer", optimizers.values(), ids=list(optimizers))
def test_no_optimizer_writes_out_of_bounds(optimizer, clip, guard, many_parts):
    for threads in (1, 3):
        work((65, 33, 3), "dense", "softmax", "float32", optimizer(**clip), 33, threads)
        guard.assert_intact()


def test_the_guard_notices(guard):
    net = Network([Dense(3)], inputs=2)
    net.fit(np.ones((4, 2)), np.ones((4, 3)), optimizer=Adam())
    guard.assert_intact()
    [arena] = [arena for arena in guard.arenas if arena.memory is not None]
    start, numbers = arena.stretches[0]
    kept, arena.memory[0, start + numbers] = arena.memory[0, start + numbers], 0
    with pytest.raises(AssertionError, match="beside a tensor"):
        guard.assert_intact()
    arena.memory[0, start + numbers] = kept
    guard.assert_intact()
    for array, bands in guard.banded:  # parameters, gradients
        kept, array[bands[0][0]] = array[bands[0][0]], 0
        with pytest.raises(AssertionError, match="beside a layer's"):
            guard.assert_intact()
        array[bands[0][0]] = kept


def test_parts_and_what_is_borrowed_have_memory_of_their_own(guard, many_parts):
    net = Network([Conv2D(3, 3), Conv2D(2, 3), Flatten(), Dense(3)], inputs=(9, 9, 2))
    net.fit(np.ones((4, 9, 9, 2)), np.ones((4, 3)), optimizer=Adam(), threads=3)
    [arena] = [arena for arena in guard.arenas if arena.memory is not None]
    places = sorted(stretch for stretch in arena.stretches if stretch[1])
    assert all(start + numbers + arena.band <= after for (start, numbers), (after, _) in pairwise(places))
    assert max(many_parts) == 3
    assert arena.free == []
