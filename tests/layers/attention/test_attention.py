"""Attention: the three rungs, PyTorch's autograd, and the laws of networks in which sequences attend to others."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import (
    GRU,
    Adam,
    Attention,
    Conv1D,
    Dense,
    Embedding,
    GlobalAveragePool,
    Input,
    LastStep,
    Network,
    Residual,
    Sequences,
    Shared,
    compiled,
    naive,
    vectorized,
)

rng = np.random.default_rng(0)
RUNGS = {
    "one head": {"heads": 1},
    "heads": {"heads": 3},
    "causal": {"heads": 2, "causal": True},
    "additive": {"weight": rng.normal(size=5)},
    "additive, causal": {"weight": rng.normal(size=5), "causal": True},
}


def arguments(options, dtype="float64", longest=0):
    """Return da, query, keys, values, and the offsets of queries and sources, some of them empty."""
    heads = options.get("heads", 1)
    lengths = [3, 0, 70, 1 + longest]
    steps = lengths if options.get("causal") else [5, 2, 130, 1 + 2 * longest]
    offsets, own = (np.cumsum([0, *each]).tolist() for each in (lengths, steps))
    shapes = (offsets[-1], heads * 4), (offsets[-1], heads * 5), (own[-1], heads * 5), (own[-1], heads * 4)
    return *(rng.normal(size=shape).astype(dtype) for shape in shapes), offsets, own


@pytest.mark.parametrize("options", RUNGS.values(), ids=RUNGS)
def test_three_rungs_are_equal(options):
    da, *given = arguments(options)
    for found in (vectorized, compiled):
        np.testing.assert_allclose(found.attention_forward(*given, **options), naive.attention_forward(*given, **options),
                                   rtol=0, atol=1e-14)
        for gradient, expected in zip(found.attention_backward(da, *given, **options),
                                      naive.attention_backward(da, *given, **options), strict=True):
            np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", RUNGS.values(), ids=RUNGS)
def test_long_sources_in_float32(options):
    options = {name: np.float32(value) if name == "weight" else value for name, value in options.items()}
    da, *given = arguments(options, "float32", longest=400)
    exact = [array.astype("float64") if isinstance(array, np.ndarray) else array for array in given]
    expected = vectorized.attention_forward(*exact, **options)
    np.testing.assert_allclose(compiled.attention_forward(*given, **options), expected, rtol=0, atol=3e-6)
    for found, expected in zip(compiled.attention_backward(da, *given, **options),
                               vectorized.attention_backward(da.astype("float64"), *exact, **options), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * max(1, np.abs(expected).max()))


def test_large_scores_are_stable():
    for rung in (naive, vectorized, compiled):
        a = rung.attention_forward([[1e6]], [[1e6], [1e6], [-1e6]], [[1.0], [2.0], [9.0]], [0, 1], [0, 3])
        assert np.asarray(a).tolist() == [[1.5]]


@pytest.mark.parametrize("rung", [naive, vectorized, compiled])
@pytest.mark.parametrize(("changed", "message"), [
    ({"query": np.ones((2, 3))}, "query and keys must have as many features"),
    ({"values": np.ones((4, 1))}, "keys and values as many steps"),
    ({"offsets": [0, 1, 1]}, "end with 2"),
    ({"source_offsets": [0, 3]}, "must be those of 2 samples|one more element"),
    ({"source_offsets": [0, 0, 3]}, "no steps to attend to"),
    ({"causal": True}, "the same offsets"),
    ({"weight": [1.0]}, "a weight of shape"),
    ({"heads": 4}, "heads|4 · features"),
])
def test_functions_refuse_what_does_not_fit(rung, changed, message):
    given = {"query": np.ones((2, 2)), "keys": np.ones((3, 2)), "values": np.ones((3, 1)), "offsets": [0, 1, 2],
             "source_offsets": [0, 1, 3]}
    with pytest.raises(ValueError, match=message):
        rung.attention_forward(**given | changed)


# Networks of a question and a text, sequences of any lengths.
N = 23
LENGTHS, STEPS = rng.integers(1, 9, size=N), rng.integers(1, 14, size=N)
X = {"question": [rng.normal(size=(n, 4)) for n in LENGTHS], "text": [rng.normal(size=(n, 3)) for n in STEPS]}
Y = rng.integers(3, size=N)


def reads(kind, lengths, step):
    """Return the node of an attention of a kind, for the nodes of a question and a text; step: a layer for each step."""
    question, text = Input((lengths[0], 4), name="question"), Input((lengths[1], 3), name="text")
    q, k, v = step(5, "tanh")(question), step(5)(text, name="keys"), step(6)(text)
    found = {
        "source": lambda: Attention()(q, k),
        "values": lambda: Attention()(q, k, v),
        "additive": lambda: Attention("additive")(q, k, v),
        "itself": lambda: Attention()(Attention(causal=True)(Attention("additive", causal=True)(Attention()(q))), k),
        "of two": lambda: q + Attention(causal=True)(q, q),
        "one query": lambda: Attention()(LastStep()(q), k, v),
        "state": lambda: Attention("additive")(GRU(5)(question), k),
        "shared": lambda: twice(Shared(Attention("additive")), q, k),
        "sum": lambda: Attention()(q, step(5)(question)) + Attention()(step(5)(question), k),
    }
    return question, text, found[kind]()


def convolution(features, activation="identity"):
    """A dense layer of each step, for series of one length too."""
    return Conv1D(features, 1, activation)


def twice(shared, q, k):
    return shared(shared(q, k), k)


KINDS = "source", "values", "additive", "itself", "of two", "one query", "state", "shared", "sum"
every_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind, dtype="float32", lengths=(None, None), step=Dense):
    question, text, found = reads(kind, lengths, step)
    h = found if len(found.shape) == 1 else GlobalAveragePool()(found)
    h = Dense(3)(h)
    if kind == "of two":  # the text is read too
        h = h + Dense(3)(LastStep()(text))
    net = Network(inputs=[question, text], outputs=h, loss="squared_error", dtype=dtype, seed=3)
    for view in net.parameters.values():
        view[...] += np.random.default_rng(1).uniform(-0.4, 0.4, size=view.shape)
    return net


TARGETS = rng.normal(size=(N, 3))


def bits(net):
    return net.vectors.parameters.flat.tobytes()


@every_kind
def test_gradients_are_right(kind):
    report = fastnn.check_gradients(network(kind, "float64"), X, TARGETS, step=1e-5)
    assert report.max_relative_error <= 1e-7, str(report)


@every_kind
def test_a_sequence_alone_gives_what_it_gives_in_any_batch(kind):
    net = network(kind)
    out = net.forward(X)
    for n in (0, 7, N - 1):
        alone = {name: [given[n]] for name, given in X.items()}
        np.testing.assert_array_equal(net.forward(alone)[0], out[n])
    order = np.random.default_rng(5).permutation(N)
    np.testing.assert_array_equal(net.forward({name: [given[n] for n in order] for name, given in X.items()}), out[order])
    many = {name: given * 9 for name, given in X.items()}
    np.testing.assert_array_equal(net.forward(many, threads=3)[-N:], out)


@every_kind
def test_threads_and_files_change_no_bit(kind, many_parts, tmp_path):
    found = set()
    for threads in (1, 2, 3, 8):
        net = network(kind)
        history = net.fit(X, TARGETS, epochs=2, batch_size=9, optimizer=Adam(0.01), threads=threads)
        found.add((bits(net), str(dict(history))))
    assert len(found) == 1
    net.save(tmp_path / "net.safetensors")
    other = Network.load(tmp_path / "net.safetensors")
    assert other.config() == net.config()
    np.testing.assert_array_equal(other.forward(X), net.forward(X))


@every_kind
def test_series_of_one_length_give_what_sequences_do(kind):
    same = {"question": rng.normal(size=(7, 4, 4)), "text": rng.normal(size=(7, 6, 3))}
    ragged, fixed = (network(kind, "float64", lengths, convolution) for lengths in ((None, None), (4, 6)))
    np.testing.assert_array_equal(fixed.forward(same), ragged.forward(same))
    assert fastnn.check_gradients(fixed, same, TARGETS[:7]).max_relative_error < 1e-7


def test_a_causal_step_depends_on_no_later_one():
    net = Network([Dense(8), Attention(causal=True), Attention("additive", causal=True)], inputs=(None, 3), seed=1)
    x = rng.normal(size=(700, 3))
    whole = net.forward([x])[0]
    for steps in (1, 63, 64, 65, 256, 257, 699):
        np.testing.assert_array_equal(net.forward([x[:steps]])[0], whole[:steps])
    assert not np.array_equal(net.forward([x[::-1]])[0], whole)


def test_outputs_at_each_step_are_learned():
    """The target of a step is the mean of all values so far."""
    lengths = rng.integers(1, 12, size=60)
    x = [rng.normal(size=(n, 2)) for n in lengths]
    y = [np.cumsum(one[:, :1], axis=0) / np.arange(1, len(one) + 1)[:, None] for one in x]
    net = Network([Dense(8), Attention(causal=True), Dense(1)], inputs=(None, 2), seed=2)
    net.fit(x, y, epochs=60, batch_size=10, optimizer=Adam(0.02))
    assert net.evaluate(x, y)["loss"] < 0.01
    assert isinstance(net.predict(x), Sequences)


def test_a_block_with_a_shortcut_stands_in_a_list():
    tokens = [rng.integers(9, size=n) for n in LENGTHS]
    net = Network([Embedding(9, 6), Residual(Dense(6), Attention()), GlobalAveragePool(), Dense(3, "softmax")],
                  inputs=(None,), seed=1, dtype="float64")
    assert fastnn.check_gradients(net, tokens, Y).max_relative_error < 1e-7
    net.fit(tokens, Y, epochs=2)


@pytest.mark.parametrize(("layer", "shapes", "message"), [
    (Attention(), [(None, 4), (None, 3)], r"a query has 4 and a key 3; put Dense\(3\) on the query"),
    (Attention(), [(None,)], "put an Embedding before it"),
    (Attention(), [(4,)], "attends to sequences"),
    (Attention(), [(None, 4), (4,)], "attends to sequences"),
    (Attention(), [(None, 4), (None, 4), (5, 4)], "keys and values of the same steps"),
    (Attention(), [(None, 4)] * 4, "here there are 4 tensors"),
    (Attention(causal=True), [(5, 4), (6, 4)], "leave out causal=True for another source"),
    (Attention(causal=True), [(4,), (None, 4)], "leave out causal=True"),
])
def test_nodes_that_do_not_fit(layer, shapes, message):
    with pytest.raises(ValueError, match=message):
        layer(*(Input(shape) for shape in shapes))


def test_bad_options():
    with pytest.raises(ValueError, match="must be 'dot' or 'additive'"):
        Attention("cosine")
    with pytest.raises(ValueError, match="causal"):
        Attention(causal="yes")
    x, layer = Input((None, 3)), Attention()
    with pytest.raises(ValueError, match="one set of parameters"):
        Network(inputs=x, outputs=LastStep()(layer(x) + layer(x)))


def test_a_source_of_other_steps_is_not_causal():
    question, text = Input((None, 4), name="question"), Input((None, 4), name="text")
    net = Network(inputs=[question, text], outputs=Dense(3)(LastStep()(Attention(causal=True)(question, text))))
    with pytest.raises(ValueError, match="made of the same sequences"):
        net.predict({"question": X["question"], "text": X["question"]})
    with pytest.raises(ValueError, match="made of the same sequences"):
        net.fit({"question": X["question"], "text": X["question"]}, TARGETS)


def test_empty_sources_are_refused():
    net = network("source")
    with pytest.raises(ValueError, match=r"X\['text'\]\[2\] is empty|X\['text'\].*1 step"):
        net.predict({"question": X["question"][:3], "text": [*X["text"][:2], np.empty((0, 3))]})


@every_kind
def test_loss_and_gradients_are_those_of_autograd(kind):
    torch = pytest.importorskip("torch")

    def attend(layer, x, p):
        query, keys, values = x[0], x[-1] if len(x) < 3 else x[1], x[-1]
        q = query if query.ndim == 2 else query[None]
        if layer.score == "dot":
            scores = q @ keys.T / math.sqrt(keys.shape[1])
        else:
            scores = torch.tanh(q[:, None] + keys) @ p["weight"]
        if layer.causal:
            scores = scores.masked_fill(torch.ones(scores.shape).triu(1).bool(), -math.inf)
        a = torch.softmax(scores, 1) @ values
        return a if query.ndim == 2 else a[0]

    def gru(layer, x, p):
        cell = torch.nn.GRUCell(4, 5).double()
        order = [slice(5, 10), slice(0, 5), slice(10, 15)]  # r, z, n of PyTorch
        w, u, b, c = (torch.cat([p[name][..., each] for each in order], -1)
                      for name in ("weight", "recurrent_weight", "bias", "recurrent_bias"))
        h = torch.zeros(1, 5, dtype=torch.float64)
        for step in x[0]:
            h = torch.func.functional_call(cell, {"weight_ih": w.T, "weight_hh": u.T, "bias_ih": b, "bias_hh": c},
                                           (step[None], h))
        return h[0]

    computed = {"Dense": lambda layer, x, p: x[0] @ p["weight"] + p["bias"], "Attention": attend, "GRU": gru,
                "LastStep": lambda layer, x, p: x[0][-1], "GlobalAveragePool": lambda layer, x, p: x[0].mean(0),
                "Add": lambda layer, x, p: x[0] + x[1]}
    net = network(kind, "float64")
    loss, gradients = net.loss_and_gradients(X, TARGETS, training=True)
    parameters = {name: torch.tensor(view.copy(), requires_grad=True)
                  for name, view in net.vectors.parameters.numbered.items()}
    total = 0
    for n in range(N):
        tensors = [torch.tensor(X["question"][n]), torch.tensor(X["text"][n])]
        for index, layer, read, activation in net.wiring.steps:
            own = {name.partition(".")[2]: view for name, view in parameters.items() if name.startswith(f"{index}.")}
            z = computed[type(layer).__name__](layer, [tensors[tensor] for tensor in read], own)
            tensors.append(torch.tanh(z) if activation == "tanh" else z)
        total = total + 0.5 * ((tensors[-1] - torch.tensor(TARGETS[n])) ** 2).sum() / N
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-12)
    for name, parameter in parameters.items():
        expected = parameter.grad.numpy()
        assert np.abs(gradients[net.graph.named(name)] - expected).max() <= 1e-10 * max(np.abs(expected).max(), 1e-3), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["source", "additive", "of two", "one query"])
def test_onnx_computes_the_same(kind, dtype, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    net = network(kind, dtype, (4, 6), convolution)
    given = {"question": rng.normal(size=(7, 4, 4)).astype(dtype), "text": rng.normal(size=(7, 6, 3)).astype(dtype)}
    net.to_onnx(tmp_path / "net.onnx")
    found, = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, given)
    np.testing.assert_allclose(found, net.forward(given), rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)
    again = fastnn.onnx.load(tmp_path / "net.onnx")
    np.testing.assert_array_equal(again.forward(given), net.forward(given))


def test_each_step_of_a_query_has_an_output():
    """The marks of a question are those of the text at the place that it names."""
    places = np.eye(14)
    text = [np.concatenate([rng.integers(2, size=(n, 1)), places[:n]], axis=1) for n in STEPS]
    asked = [rng.integers(n, size=m) for n, m in zip(STEPS, LENGTHS, strict=True)]
    x = {"question": [places[one] for one in asked], "text": text}
    y = [one[which, 0].astype(int) for one, which in zip(text, asked, strict=True)]
    question, source = Input((None, 14), name="question"), Input((None, 15), name="text")
    found = Attention()(Dense(8)(question), Dense(8)(source), source)
    net = Network(inputs=[question, source], outputs=Dense(2, "softmax")(found), seed=1)
    net.fit(x, y, epochs=80, batch_size=6, optimizer=Adam(0.05))
    assert net.evaluate(x, y)["accuracy"] > 0.97
    assert net.predict(x).lengths.tolist() == LENGTHS.tolist()
    with pytest.raises(ValueError, match="whole sequences"):
        Network([Dense(3), Attention(causal=True)], inputs=(None, 3)).stream()
