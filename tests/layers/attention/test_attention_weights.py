"""The weights of attention are those of the vectorized rung, sum to one, and give the output of the layer."""

import numpy as np
import pytest
from test_attention import RUNGS, X

from fastnn import (
    Attention,
    AttentionPool,
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePool,
    Input,
    LastStep,
    MultiHeadAttention,
    Network,
    Sequences,
    Shared,
    TransformerEncoder,
    plot,
    vectorized,
)
from fastnn.vectorized.attention import weights as weights_of_head

rng = np.random.default_rng(0)


def ended(inputs, node, dtype="float64"):
    return Network(inputs=inputs, outputs=Dense(2)(GlobalAveragePool()(node)), loss="squared_error", dtype=dtype)


def inputs():
    return Input((None, 4), name="question"), Input((None, 3), name="text")


@pytest.mark.parametrize("options", RUNGS.values(), ids=RUNGS)
def test_they_are_those_of_the_rungs(options):
    """A layer whose projections are identities has the weights that the vectorized rung computes."""
    heads, causal, weight = options.get("heads", 1), options.get("causal", False), options.get("weight")
    question, text = Input((None, heads * 5)), Input((None, heads * 5))
    if weight is None:
        layer = MultiHeadAttention(heads, causal=causal)
    else:
        layer = Attention("additive", causal=causal)
    node = layer(question, name="a") if causal else layer(question, text, name="a")
    net = ended([question] if causal else [question, text], node)
    for name in ("query", "key") if weight is None else ():
        net.parameters[f"a.{name}_weight"][:] = np.eye(heads * 5)
    if weight is not None:
        net.parameters["a.weight"][:] = weight
    queries = [rng.normal(size=(n, heads * 5)) for n in (3, 70, 1)]
    sources = queries if causal else [rng.normal(size=(n, heads * 5)) for n in (130, 5, 1)]
    found = net.attention_weights(queries if causal else [queries, sources])
    for q, k, each in zip(queries, sources, found, strict=True):
        expected = [weights_of_head(*parts, causal, weight)[0]
                    for parts in zip(np.split(q, heads, axis=1), np.split(k, heads, axis=1), strict=True)]
        np.testing.assert_allclose(each, expected, rtol=0, atol=1e-15)
        np.testing.assert_allclose(each.sum(axis=-1), 1, rtol=0, atol=1e-14)


def test_their_mean_of_the_values_is_the_output():
    question, text = inputs()
    keys = Dense(4)(text)
    net = Network(inputs=[question, text], outputs=Attention()(question, keys, text, name="a"), loss="squared_error",
                  dtype="float64")
    out = net.forward(X)
    for number, weights in enumerate(net.attention_weights(X, "a")):
        np.testing.assert_allclose(weights[0] @ X["text"][number], out[number], rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_query_for_each_sample(dtype):
    question, text = inputs()
    net = Network(inputs=[question, text], outputs=Attention()(Dense(3)(LastStep()(question)), text), dtype=dtype,
                  loss="squared_error")
    out = net.forward(X)
    for number, weights in enumerate(net.attention_weights(X)):
        assert weights.shape == (1, 1, len(X["text"][number]))
        assert weights.dtype == dtype
        np.testing.assert_allclose(weights[0] @ X["text"][number], out[number:number + 1], rtol=0, atol=1e-6)
    pool = Network([AttentionPool(), Dense(1)], inputs=(None, 3), dtype=dtype)
    pool.parameters["0.query"][:] = rng.normal(size=3)
    hidden = vectorized.attention_pool_forward(X["text"][0], [0, len(X["text"][0])], pool.parameters["0.query"])
    np.testing.assert_allclose(pool.attention_weights(X["text"])[0][0] @ X["text"][0], hidden, rtol=0, atol=1e-6)


def test_series_of_one_length_are_as_sequences_of_any():
    block = lambda steps: Network([TransformerEncoder(2, 8), TransformerEncoder(2, 8), GlobalAveragePool(), Dense(2)],
                                  inputs=(steps, 4), loss="squared_error")
    series, ragged = block(7), block(None)
    for view, other in zip(series.parameters.values(), ragged.parameters.values(), strict=True):
        other[...] = view.reshape(other.shape)
    data = rng.normal(size=(3, 7, 4))
    for layer in ("1", "8", 8):
        np.testing.assert_array_equal(series.attention_weights(data, layer), ragged.attention_weights(list(data), layer))
    assert not np.array_equal(series.attention_weights(data, "1"), series.attention_weights(data, "8"))


def test_each_call_of_a_shared_layer_has_its_own():
    question, text = inputs()
    shared, keys = Shared(Attention()), Dense(4)(text)
    first = shared(question, keys, name="a")
    net = ended([question, text], shared(first, keys))
    once, again = net.attention_weights(X, "a"), net.attention_weights(X, "a (call 2)")
    assert once[0].shape == again[0].shape
    assert not np.allclose(once[0], again[0])


def test_they_leave_the_network_as_it_was():
    net = Network([Embedding(9, 4), Attention(causal=True), LastStep(), Dense(2)], inputs=(None,), loss="squared_error")
    before, out = net.vectors.parameters.flat.copy(), net.forward([[1, 2, 3]])
    weights, = net.attention_weights([[1, 2, 3]])
    assert (np.triu(weights[0], 1) == 0).all()
    assert (np.tril(weights[0]) > 0).sum() == 6
    assert np.array_equal(net.vectors.parameters.flat, before)
    assert np.array_equal(net.forward([[1, 2, 3]]), out)


TOKENS = Network([Embedding(9, 4), MultiHeadAttention(2), LastStep(), Dense(2)], inputs=(None,), loss="squared_error")
TWO = Network([Conv1D(4, 1), MultiHeadAttention(2), MultiHeadAttention(1), Flatten(), Dense(2)], inputs=(5, 3),
              loss="squared_error")


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: Network([Dense(2)], inputs=3).attention_weights(np.ones((1, 3))), "no layer of attention"),
    (lambda: TWO.attention_weights(np.ones((1, 5, 3))), "layer is None, .* several .* '1', '2'"),
    (lambda: TWO.attention_weights(np.ones((1, 5, 3)), 0), "layer is 0; it must be .* '1', '2'"),
    (lambda: TWO.attention_weights(np.ones((1, 5, 3)), 5), "layer is 5"),
    (lambda: TWO.attention_weights(np.ones((1, 5, 3)), True), "layer is True"),
    (lambda: TWO.attention_weights(np.ones((1, 5, 3)), "b"), "layer is 'b'"),
    (lambda: TWO.attention_weights(np.ones((1, 6, 3)), "1"), "X has"),
    (lambda: TOKENS.attention_weights([[]]), "step"),
    (lambda: TOKENS.attention_weights([[9]]), "9"),
    (lambda: plot.attention(TOKENS, [[1, 2], [3]]), "x has 2 samples"),
    (lambda: plot.attention(TWO, np.ones((4, 5, 3)), 1), "x has 4 samples"),
    (lambda: plot.attention(TOKENS, [1, 2], head=2), "head is 2; .* the heads 0 to 1"),
    (lambda: plot.attention(TOKENS, [1, 2], queries=["a"]), "queries has 1 labels"),
    (lambda: plot.attention(TOKENS, [1, 2], steps="ab"), "steps is 'ab'; it must be a list"),
])
def test_what_is_refused(wrong, message):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.parametrize("x", [[1, 4, 2], np.array([1, 4, 2]), [[1, 4, 2]], Sequences([1, 4, 2], [0, 3])])
def test_the_picture_has_the_weights(x):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    weights, = TOKENS.attention_weights([[1, 4, 2]])
    drawn = plot.attention(TOKENS, x, steps=["a", "b", "c"])
    np.testing.assert_array_equal(drawn.get_images()[0].get_array(), weights.mean(axis=0))
    assert [label.get_text() for label in drawn.get_xticklabels()] == ["a", "b", "c"]
    np.testing.assert_array_equal(plot.attention(TOKENS, x, head=-1).get_images()[0].get_array(), weights[1])


def test_the_picture_of_several_inputs():
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    question, text = inputs()
    net = ended([question, text], Attention()(question, Dense(4)(text)))
    one = {name: given[0] for name, given in X.items()}
    expected = net.attention_weights(X)[0][0]
    for x in (one, {name: [given] for name, given in one.items()}):
        np.testing.assert_array_equal(plot.attention(net, x).get_images()[0].get_array(), expected)
