"""A small network of each kind of layer, for a processor or a Python on which nothing has been shown yet.

`python -m pytest -n 0 tests/laws/test_small_nets.py` compiles the kernels of these networks only, in float64; `-k gru` takes
one kind. `tests/naive/test_compare.py -k float64` shows that the compiled functions equal loops.
"""

import custom_layers
import numpy as np
import pytest
from layer_cases import all_bits, unsettled

import fastnn
from fastnn import (
    GRU,
    LSTM,
    Activation,
    Attention,
    AttentionPool,
    AveragePool2D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DepthwiseConv2D,
    Embedding,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    GroupNorm,
    Input,
    LayerNorm,
    MaxPool2D,
    MultiHeadAttention,
    Network,
    PositionalEncoding,
    Shared,
    SimpleRNN,
    UpSample2D,
)
from fastnn.layers import layers

IMAGE, SERIES, TOKENS = (5, 6, 2), (None, 3), (None,)
LENGTHS = 4, 1, 7, 2, 3, 5, 8, 6, 2
# The shape of a sample, and the layers before a last Dense(2).
CHAINS = {
    "dense": ((4,), [Dense(5, "tanh"), LayerNorm(), Activation("gelu")]),
    "convolution": (IMAGE, [Conv2D(3, (2, 3), "tanh", padding="same", stride=(2, 1)), Flatten()]),
    "convolution in groups": (IMAGE, [Conv2D(4, 2, "tanh", groups=2, dilation=2), Flatten()]),
    "wide convolution": ((4, 4, 17), [Conv2D(18, 3, padding=1), Flatten()]),
    "depthwise": (IMAGE, [DepthwiseConv2D(3, stride=2, padding=1, multiplier=2), Flatten()]),
    "transposed": (IMAGE, [ConvTranspose2D(3, 3, "tanh", stride=2), Flatten()]),
    "max pool": (IMAGE, [Conv2D(2, 1), MaxPool2D(3, stride=2, padding=1), Flatten()]),
    "average pool": (IMAGE, [Conv2D(2, 1), AveragePool2D(2, ceil_mode=True), GlobalAveragePool()]),
    "global max": (IMAGE, [Conv2D(3, 2), UpSample2D(2), GlobalMaxPool()]),
    "batch norm": (IMAGE, [Conv2D(3, 2), BatchNorm(), Activation("relu"), Flatten()]),
    "group norm": (IMAGE, [Conv2D(4, 2), GroupNorm(2), LayerNorm(), Flatten()]),
    "series": ((9, 3), [Conv1D(4, 3, "tanh", padding="causal", dilation=2), Flatten()]),
    "simple rnn": (SERIES, [SimpleRNN(4)]),
    "gru": (SERIES, [GRU(4, return_sequences=True), GRU(3, reset_after=False, learned_state=True)]),
    "lstm": (SERIES, [LSTM(4, return_sequences=True), LSTM(3, peepholes=True)]),
    "both directions": (SERIES, [Bidirectional(GRU(3))]),
    "embedding": (TOKENS, [Embedding(6, 3), GlobalAveragePool()]),
    "attention": (SERIES, [PositionalEncoding(), Attention(), Attention("additive", causal=True), AttentionPool()]),
    "heads": (SERIES, [Dense(4), MultiHeadAttention(2, causal=True), GlobalMaxPool()]),
}


def chain(shape, layers):
    return Network([*layers, Dense(2, "softmax")], inputs=shape, dtype="float64")


def graph():
    """Two inputs, of which one is an image, layers that are used twice, joins and two outputs."""
    image, table, same = Input((4, 4, 1), name="image"), Input(3, name="table"), Shared(Dense(3, "tanh"))
    h = same(Flatten()(Conv2D(1, 2, "tanh")(image))[:3]) + same(table)
    return Network(inputs=[image, table], outputs={"kind": Dense(2, "softmax")(h * table), "value": Dense(1)(h)},
                   loss={"kind": "cross_entropy", "value": "squared_error"}, dtype="float64")


def own():
    return chain((4,), [custom_layers.affine()(3)])


def ctc():
    return Network([Dense(3, "softmax")], inputs=SERIES, loss="ctc", dtype="float64")


NETS = {name: lambda given=given: chain(*given) for name, given in CHAINS.items()} | {"graph": graph, "own layer": own,
                                                                                        "ctc": ctc}


def data(name, net):
    """Return nine samples, of which the sequences are of different lengths, and their targets."""
    numbers, y = np.random.default_rng(1), np.arange(9) % 2
    if name == "graph":
        return ({"image": numbers.normal(size=(9, 4, 4, 1)), "table": numbers.normal(size=(9, 3))},
                {"kind": y, "value": numbers.normal(size=(9, 1))})
    if net.shapes[0][0] is not None:
        return numbers.normal(size=(9, *net.shapes[0])), y
    X = [numbers.normal(size=(length, *net.shapes[0][1:])) for length in LENGTHS]
    if name == "embedding":
        return [numbers.integers(6, size=length) for length in LENGTHS], y
    return X, [[1], [], [2, 2], [2], [1], [1, 2, 1], [], [2, 1, 1], [1]] if name == "ctc" else y


def outputs(net, X, threads=None):
    """Return the outputs of each sample."""
    found = net.forward(X, threads=threads)
    return list(np.hstack([*found.values()]) if isinstance(found, dict) else found)


def alone(X, i):
    return {name: array[i:i + 1] for name, array in X.items()} if isinstance(X, dict) else X[i:i + 1]


def same(one, other):
    return all(np.array_equal(*each) for each in zip(one, other, strict=True))


@pytest.fixture(autouse=True)
def own_layers_are_forgotten(monkeypatch):
    monkeypatch.setattr(layers, "records", dict(layers.records))


@pytest.mark.parametrize("name", NETS)
def test_gradients_and_bits(name, many_parts):
    net = unsettled(NETS[name]())
    X, y = data(name, net)
    report = fastnn.check_gradients(net, X, y, training=True, step=1e-4)
    assert report.max_relative_error <= 1e-7, str(report)

    whole = outputs(net, X, threads=1)
    assert same(whole, outputs(net, X, threads=2))
    assert all(same(whole[i], outputs(net, alone(X, i))[0]) for i in range(9))

    bits = set()
    for threads in (1, 2):
        net = unsettled(NETS[name]())
        net.fit(X, y, epochs=2, batch_size=4, threads=threads)
        bits.add(str(all_bits(net)))
    assert len(bits) == 1
    assert max(many_parts) == 2


@pytest.mark.parametrize("name", ["simple rnn", "gru", "lstm"])
def test_steps_of_a_stream_are_the_sequence_at_once(name):
    net = unsettled(NETS[name]())
    X, _ = data(name, net)
    stream = net.stream()
    assert same([stream.step(x) for x in X[6]][-1], net.forward(X[6:7])[0])
