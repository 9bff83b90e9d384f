"""No bit depends on which part of a phase comes first, nor on memory that nothing has written; see `parts_alone`."""

import numpy as np
import pytest
import random_graphs
import random_mixed
import wired
from layer_cases import CASES, IMAGES, LAYERS, X, in_turn, network, targets
from parts_alone import PartsAlone

from fastnn import (
    GRU,
    SGD,
    Activation,
    Adam,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool2D,
    MultiHeadAttention,
    Network,
    Residual,
)

DTYPES = "float32", "float64"
rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 9, size=23)


@pytest.fixture
def alone(monkeypatch, many_parts):
    """Examine every step; at the end of the test all parts must have been right, and some phase cut."""
    found = PartsAlone(monkeypatch)
    yield found
    assert found.wrong == set()
    assert found.kernels


def test_the_law_notices(monkeypatch, many_parts):
    """A kernel that adds up in memory of all parts, as that of the weights of a GRU once did on each of several threads."""
    found = PartsAlone(monkeypatch, divided=["gru_pack"])
    net = Network([GRU(3), Dense(2)], inputs=(None, 2))
    net.fit([np.ones((n, 2)) for n in LENGTHS], rng.normal(size=(23, 2)), batch_size=23, threads=3)
    assert ("gru_pack", "forward", "two parts write one place") in found.wrong


def test_the_law_notices_what_nothing_writes(monkeypatch):
    """The gradient of a layer that no step uses, as no network has one."""
    found = PartsAlone(monkeypatch)
    net = wired.Wired([Dense(5), Dense(5), Dense(3)], [(0, (0,)), (2, (1,))], loss="squared_error")
    net.fit(rng.normal(size=(23, 5)), rng.normal(size=(23, 3)), batch_size=23, optimizer="sgd", threads=1)
    assert [what for *_, what in found.wrong] == ["depends on memory that nothing has written, or on the order of parts"]


@pytest.mark.parametrize(("name", "dtype"), in_turn(LAYERS, DTYPES))
def test_layers(name, dtype, alone):
    net = network(name, "between", dtype=dtype)
    samples = 5 if name in IMAGES else 23
    net.fit(X[:samples], targets(net)[:samples], batch_size=samples, optimizer=Adam(), threads=3)


@pytest.mark.long
@pytest.mark.parametrize("threads", [2, 3, 8])
@pytest.mark.parametrize(("name", "place", "dtype"), [(*case, dtype) for case in CASES for dtype in DTYPES])
def test_layers_anywhere(name, place, dtype, threads, alone):
    net = network(name, place, dtype=dtype)
    net.fit(X, targets(net), batch_size=33, optimizer=SGD(0.01, momentum=0.9, clip_norm=0.1), threads=threads)


@pytest.mark.parametrize("seed", [0, 3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 40))])
def test_random_graphs(seed, alone):
    graph = random_graphs.random_graph(seed, DTYPES[seed % 2])
    graph.fit(*random_graphs.data(23), batch_size=17, optimizer=SGD(0.01, clip_norm=0.1, clip_value=0.1), threads=3)
    mixed = random_mixed.random_mixed(seed, DTYPES[seed % 2])
    mixed.fit(*random_mixed.data(mixed, 23), batch_size=17, threads=3)


SEQUENCES = {
    "recurrent": lambda: [Bidirectional(GRU(5, return_sequences=True, dropout=0.2, recurrent_dropout=0.2)), GlobalMaxPool()],
    "windows": lambda: [Conv1D(5, 3, "tanh", padding="same", stride=2), BatchNorm(), GlobalAveragePool()],
    "attention": lambda: [Residual(MultiHeadAttention(2, key_dim=3)), GlobalAveragePool()],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name, alone):
    net = Network([Embedding(7, 20), *SEQUENCES[name](), Dense(3, "softmax")], inputs=(None,), seed=1)
    net.fit([rng.integers(7, size=n) for n in LENGTHS], rng.integers(3, size=23), batch_size=17, threads=3)


@pytest.mark.parametrize("loss", ["cross_entropy", "ctc"])
def test_steps(loss, alone):
    net = Network([GRU(6, return_sequences=True), Dropout(0.2), Dense(3, "softmax")], (None, 2), loss, seed=1)
    y = [rng.integers(3, size=n) if loss != "ctc" else np.ones(n // 3, int) for n in LENGTHS]
    net.fit([rng.normal(size=(n, 2)) for n in LENGTHS], y, batch_size=17, threads=3)


PICTURES = {
    "pooled": lambda: [Conv2D(6, 3, "relu"), MaxPool2D(2), Conv2D(17, 3, "tanh", padding="same"), MaxPool2D(2), Flatten()],
    "depthwise": lambda: [Conv2D(8, 3, stride=2, padding="same"), BatchNorm(), Activation("relu"),
                          DepthwiseConv2D(3, padding="same"), BatchNorm(), Activation("relu"), Conv2D(24, 1, "relu"),
                          GlobalAveragePool()],
    "residual": lambda: [Conv2D(8, 3, padding="same"), Residual(Conv2D(8, 3, "relu", padding="same"), BatchNorm()),
                         Flatten()],
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name, alone):
    net = Network([*PICTURES[name](), Dense(3, "softmax")], inputs=(9, 11, 2), seed=1)
    net.fit(rng.normal(size=(7, 9, 11, 2)), rng.integers(3, size=7), batch_size=5, threads=3)
