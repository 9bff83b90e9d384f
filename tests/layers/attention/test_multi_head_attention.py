"""Several heads, learned queries, positions and Transformer blocks: PyTorch's modules, and the laws of networks."""

import numpy as np
import pytest

import fastnn
from fastnn import (
    Adam,
    AttentionPool,
    Dense,
    Embedding,
    GlobalAveragePool,
    Input,
    LastStep,
    LayerNorm,
    MultiHeadAttention,
    Network,
    PositionalEncoding,
    TransformerDecoder,
    TransformerEncoder,
    compiled,
    naive,
    vectorized,
)

rng = np.random.default_rng(0)
N = 15
LENGTHS, STEPS = rng.integers(1, 8, size=N), rng.integers(1, 11, size=N)
X = {"target": [rng.normal(size=(n, 6)) for n in LENGTHS], "source": [rng.normal(size=(n, 4)) for n in STEPS]}
TARGETS = rng.normal(size=(N, 2))
KINDS = {
    "itself": lambda x, s: MultiHeadAttention(2)(x),
    "causal": lambda x, s: MultiHeadAttention(3, key_dim=4, causal=True)(x) + x,
    "source": lambda x, s: MultiHeadAttention(2, key_dim=5, out_features=7)(x, s),
    "same node": lambda x, s: MultiHeadAttention(2)(x, x),
    "three": lambda x, s: MultiHeadAttention(2, key_dim=3)(x, s, Dense(3)(s)) + MultiHeadAttention(1)(x, x, x),
    "one query": lambda x, s: MultiHeadAttention(2)(LastStep()(x), s),
    "pool": lambda x, s: AttentionPool()(x),
    "pool beside": lambda x, s: AttentionPool()(x) + GlobalAveragePool()(x) + Dense(6)(AttentionPool()(Dense(5)(s))),
    "positions": lambda x, s: PositionalEncoding()(x) + Dense(6)(x),
    "encoder": lambda x, s: TransformerEncoder(2, 9, "tanh", causal=True)(x),
    "encoder after": lambda x, s: TransformerEncoder(3, 5, norm_first=False)(x),
    "decoder": lambda x, s: TransformerDecoder(2, 8)(x, TransformerEncoder(1, 6)(Dense(6)(s))),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind, dtype="float32"):
    target, source = Input((None, 6), name="target"), Input((None, 4), name="source")
    x, s = Dense(6, "tanh")(target), Dense(4)(source)
    found = KINDS[kind](x, s)
    found = found if len(found.shape) == 1 else GlobalAveragePool()(found)
    net = Network(inputs=[target, source], outputs=Dense(2)(found) + Dense(2)(LastStep()(s)), dtype=dtype, seed=3)
    for view in net.parameters.values():
        view[...] += np.random.default_rng(1).uniform(-0.4, 0.4, size=view.shape)
    return net


@every_kind
def test_gradients_are_right(kind):
    report = fastnn.check_gradients(network(kind, "float64"), X, TARGETS, step=1e-5)
    assert report.max_relative_error <= 1e-7, str(report)


@every_kind
def test_neighbors_threads_and_files_change_no_bit(kind, many_parts, tmp_path):
    net = network(kind)
    out = net.forward(X)
    for n in (0, 7, N - 1):
        np.testing.assert_array_equal(net.forward({name: [given[n]] for name, given in X.items()})[0], out[n])
    found = set()
    for threads in (1, 3):
        net = network(kind)
        history = net.fit(X, TARGETS, epochs=2, batch_size=6, optimizer=Adam(0.01), threads=threads)
        found.add((net.vectors.parameters.flat.tobytes(), str(dict(history))))
    assert len(found) == 1
    net.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(Network.load(tmp_path / "net.safetensors").forward(X), net.forward(X))


def test_three_rungs_are_equal():
    lengths = [3, 1, 70]
    offsets = np.cumsum([0, *lengths]).tolist()
    x, da, query = rng.normal(size=(offsets[-1], 5)), rng.normal(size=(3, 5)), rng.normal(size=5)
    for rung in (vectorized, compiled):
        np.testing.assert_allclose(rung.attention_pool_forward(x, offsets, query),
                                   naive.attention_pool_forward(x, offsets, query), atol=1e-14)
        for found, expected in zip(rung.attention_pool_backward(da, x, offsets, query),
                                   naive.attention_pool_backward(da, x, offsets, query), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-13)
        np.testing.assert_allclose(rung.positional_encoding_forward(x, offsets),
                                   naive.positional_encoding_forward(x, offsets), atol=1e-13)


def test_a_pool_begins_as_the_mean():
    pool, mean = (Network([layer], inputs=(None, 6), dtype="float64") for layer in (AttentionPool(), GlobalAveragePool()))
    np.testing.assert_allclose(pool.forward(X["target"]), mean.forward(X["target"]), atol=1e-15)


def test_a_causal_stack_depends_on_no_later_step():
    net = Network([Embedding(9, 8), PositionalEncoding(), TransformerEncoder(2, 16, causal=True),
                   TransformerEncoder(2, 16, causal=True), LayerNorm(), Dense(9, "softmax")], inputs=(None,), seed=1)
    tokens = rng.integers(9, size=300)
    whole = net.forward([tokens])[0]
    for steps in (1, 2, 64, 65, 299):
        np.testing.assert_array_equal(net.forward([tokens[:steps]])[0], whole[:steps])


def test_a_stack_learns_where_a_token_stood():
    """The target of each step is the first token, which only attention with positions can see."""
    tokens = [rng.integers(5, size=n) for n in rng.integers(2, 9, size=120)]
    y = [np.full(len(each), each[0]) for each in tokens]
    net = Network([Embedding(5, 16), PositionalEncoding(), TransformerEncoder(2, 32), LayerNorm(), Dense(5, "softmax")],
                  inputs=(None,), seed=2)
    net.fit(tokens, y, epochs=30, batch_size=20, optimizer=Adam(0.01))
    assert net.evaluate(tokens, y)["accuracy"] > 0.97


@pytest.mark.parametrize("causal", [False, True])
def test_heads_are_those_of_torch(causal):
    torch = pytest.importorskip("torch")
    module = torch.nn.MultiheadAttention(8, 2, kdim=5, vdim=6, batch_first=True, dtype=torch.float64)
    if causal:
        module = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    sizes = (8, 8, 8) if causal else (8, 5, 6)
    nodes = [Input((None, size), name=name) for name, size in zip("qkv", sizes, strict=True)]
    join = MultiHeadAttention(2, causal=causal)
    keys = nodes[1] if not causal else nodes[0]
    net = Network(inputs=nodes[0], outputs=join(nodes[0]), dtype="float64") if causal else Network(
        inputs=nodes[:2], outputs=join(nodes[0], keys, Dense(6)(nodes[1], name="values")), dtype="float64")
    layer = next(name.rpartition(".")[0] for name in net.parameters if name.endswith("query_weight"))
    apart = [getattr(module, f"{letter}_proj_weight") for letter in "qkv"]
    weights = module.in_proj_weight.chunk(3) if causal else apart
    for name, weight, bias in zip(("query", "key", "value"), weights, module.in_proj_bias.chunk(3), strict=True):
        net.parameters[f"{layer}.{name}_weight"][:] = weight.detach().numpy().T
        net.parameters[f"{layer}.{name}_bias"][:] = bias.detach().numpy()
    net.parameters[f"{layer}.output_weight"][:] = module.out_proj.weight.detach().numpy().T
    net.parameters[f"{layer}.output_bias"][:] = module.out_proj.bias.detach().numpy()
    q, k = rng.normal(size=(1, 7, 8)), rng.normal(size=(1, 9, 5))
    if causal:
        mask = torch.ones(7, 7).triu(1).bool()
        expected = module(*[torch.tensor(q)] * 3, attn_mask=mask, need_weights=False)[0]
        found = net.forward(q)
    else:
        v = k[0] @ net.parameters["values.weight"] + net.parameters["values.bias"]
        expected = module(torch.tensor(q), torch.tensor(k), torch.tensor(v[None]), need_weights=False)[0]
        found = net.forward({"q": q, "k": k})
    np.testing.assert_allclose(found[0], expected[0].detach().numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_an_encoder_has_the_loss_and_gradients_of_torch(norm_first):
    torch = pytest.importorskip("torch")
    module = torch.nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, activation="relu", batch_first=True,
                                              norm_first=norm_first, dtype=torch.float64)
    net = Network([TransformerEncoder(2, 12, "relu", norm_first=norm_first)], inputs=(None, 8), dtype="float64")
    state, given = module.state_dict(), net.parameters
    heads = next(name.rpartition(".")[0] for name in given if name.endswith("query_weight"))
    dense = [name.rpartition(".")[0] for name in given if name.endswith(".weight")]
    norms = [name.rpartition(".")[0] for name in given if name.endswith(".scale")]
    pairs = {f"{heads}.output_weight": "self_attn.out_proj.weight", f"{heads}.output_bias": "self_attn.out_proj.bias"}
    for number in (1, 2):
        pairs |= {f"{dense[number - 1]}.{leaf}": f"linear{number}.{leaf}" for leaf in ("weight", "bias")}
        pairs |= {f"{norms[number - 1]}.scale": f"norm{number}.weight", f"{norms[number - 1]}.shift": f"norm{number}.bias"}
    for ours, theirs in pairs.items():
        given[ours][:] = state[theirs].numpy().T
    for k, name in enumerate(("query", "key", "value")):
        given[f"{heads}.{name}_weight"][:] = state["self_attn.in_proj_weight"].chunk(3)[k].numpy().T
        given[f"{heads}.{name}_bias"][:] = state["self_attn.in_proj_bias"].chunk(3)[k].numpy()
    x, y = rng.normal(size=(3, 5, 8)), rng.normal(size=(3, 5, 8))
    loss, gradients = net.loss_and_gradients(list(x), list(y))
    expected = 0.5 * ((module(torch.tensor(x)) - torch.tensor(y)) ** 2).sum() / 15
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    found = dict(module.named_parameters())
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(gradients[ours], found[theirs].grad.numpy().T, rtol=0, atol=1e-11, err_msg=ours)
    for k, name in enumerate(("query", "key", "value")):
        np.testing.assert_allclose(gradients[f"{heads}.{name}_weight"],
                                   found["self_attn.in_proj_weight"].grad.chunk(3)[k].numpy().T, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_computes_the_same(dtype, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    net = Network([PositionalEncoding(), TransformerEncoder(2, 8, causal=True), MultiHeadAttention(3, key_dim=2),
                   AttentionPool(), Dense(2)], inputs=(6, 4), dtype=dtype, seed=1)
    for view in net.parameters.values():
        view[...] += np.random.default_rng(1).uniform(-0.5, 0.5, size=view.shape)
    given = rng.normal(size=(7, 6, 4)).astype(dtype)
    net.to_onnx(tmp_path / "net.onnx")
    found, = onnxruntime.InferenceSession(tmp_path / "net.onnx").run(None, {"input": given})
    np.testing.assert_allclose(found, net.forward(given), rtol=0, atol=1e-5 if dtype == "float32" else 1e-11)
    np.testing.assert_array_equal(fastnn.onnx.load(tmp_path / "net.onnx").forward(given), net.forward(given))


@pytest.mark.parametrize(("make", "message"), [
    (lambda x: MultiHeadAttention(4)(x), "no multiple of 4; give key_dim"),
    (lambda x: MultiHeadAttention(0), "heads"),
    (lambda x: AttentionPool()(LastStep()(x)), r"takes sequences \(steps, features\)"),
    (lambda x: PositionalEncoding()(Input((None,))), "put an Embedding before it"),
    (lambda x: TransformerDecoder(2, 4)(x), "it takes two"),
    (lambda x: TransformerEncoder(2, 4)(LastStep()(x)), r"takes sequences \(steps, features\)"),
    (lambda x: TransformerEncoder(2, 4, norm_first="yes"), "norm_first"),
    (lambda x: Network([TransformerDecoder(2, 4)], inputs=(None, 6)), "cannot stand in a list"),
])
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make(Input((None, 6)))
