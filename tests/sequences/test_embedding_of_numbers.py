"""Embeddings of a feature that holds the number of a category: as of sequences of one token, to the bit."""

import numpy as np
import pytest

import fastnn.jit
from fastnn import (
    Concatenate,
    Dense,
    DivergenceError,
    Embedding,
    Input,
    LastStep,
    Network,
    Parallel,
    Population,
    Sequences,
    Slice,
    check_gradients,
)
from fastnn.onnx import export

rng = np.random.default_rng(0)
TOKENS, FEATURES, ROWS = 40, 5, 60
numbers = rng.normal(size=(ROWS, 2))
city = rng.integers(TOKENS - 10, size=ROWS)  # the last ten never occur
X, Y = np.column_stack([numbers, city]), rng.integers(2, size=ROWS)


def network(dtype="float64"):
    front = Parallel(Concatenate(), Slice(0, 2), [Slice(2, 3), Embedding(TOKENS, FEATURES)])
    return Network([front, Dense(7, "tanh"), Dense(2, "softmax")], inputs=3, seed=3, dtype=dtype)


def of_sequences(dtype="float64"):
    x, words = Input(2, name="x"), Input((None,), name="words")
    h = Dense(7, "tanh")(Concatenate()(x, LastStep()(Embedding(TOKENS, FEATURES)(words))))
    return Network(inputs=[x, words], outputs=Dense(2, "softmax")(h), seed=3, dtype=dtype)


def arrays(net):
    return list(net.parameters.values())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_trained_as_an_embedding_of_sequences_of_one_token(dtype, many_parts):
    data = {"x": numbers, "words": Sequences(city, np.arange(ROWS + 1))}
    for threads in (1, 3):
        net, twin = network(dtype), of_sequences(dtype)
        for own, other in zip(arrays(net), arrays(twin), strict=True):
            own[...] = other
        first = arrays(net)[0].copy()
        for each, given in ((net, X), (twin, data)):
            each.fit(given, Y, epochs=3, batch_size=7, threads=threads)
        for own, other in zip(arrays(net), arrays(twin), strict=True):
            np.testing.assert_array_equal(own, other)
        np.testing.assert_array_equal(net.forward(X), twin.forward(data))
        assert np.array_equal(arrays(net)[0][city.max() + 1:], first[city.max() + 1:])


def test_its_gradient():
    net = network()
    assert check_gradients(net, X, Y).max_relative_error < 1e-6
    assert check_gradients(net, X, Y, training=True).max_relative_error < 1e-6
    loss, _ = net.loss_and_gradients(X, Y)
    onehot = Network([Dense(7, "tanh"), Dense(2, "softmax")], inputs=2 + TOKENS, dtype="float64")
    table, weight, *others = arrays(net)
    for own, array in zip(arrays(onehot), (np.concatenate([weight[:2], table @ weight[2:]]), *others), strict=True):
        own[...] = array
    expected, _ = onehot.loss_and_gradients(np.column_stack([numbers, np.eye(TOKENS)[city]]), Y)
    assert loss == pytest.approx(expected, rel=1e-12)


def test_after_a_layer_its_gradient_is_zero():
    """Dense(1) gives the number of a category by chance only: here it always does."""
    net = Network([Dense(1), Embedding(4, 3), Dense(2, "softmax")], inputs=1, dtype="float64")
    net.parameters["0.weight"][:], net.parameters["0.bias"][:] = 1, 0
    x = rng.integers(4, size=(9, 1))
    _, gradients = net.loss_and_gradients(x, Y[:9])
    assert not gradients["0.weight"].any()
    assert not gradients["0.bias"].any()
    assert gradients["1.weight"].any()


def test_a_number_that_is_no_category_gives_no_number():
    net = network("float32")
    wrong = X[:6].copy()
    wrong[:, 2] = [0.5, -1, TOKENS, 2.0**40, 3, -1e30]
    assert np.isnan(net.forward(wrong)).all(axis=1).tolist() == [True, True, True, True, False, True]
    before = [array.copy() for array in arrays(net)]
    with pytest.raises(DivergenceError):
        net.fit(wrong, Y[:6])
    assert all(map(np.array_equal, before, arrays(net)))


def test_files_compiled_calls_and_populations(tmp_path):
    net = network("float32")
    net.fit(X, Y, epochs=2)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(loaded.forward(X), net.forward(X))
    np.testing.assert_array_equal(net.forward(X[5:6])[0], net.forward(X)[5])
    out = np.empty_like(net.forward(X))
    fastnn.jit.forward(net.compiled(), X.astype(np.float32), out)
    np.testing.assert_array_equal(out, net.forward(X))
    many = Population([network("float32"), network("float32")])
    many.fit(X, Y, epochs=2)
    np.testing.assert_array_equal(arrays(many[0])[0], arrays(net)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_onnx_it_gives_the_same_also_for_numbers_of_no_category(dtype, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    net = network(dtype)
    net.fit(X, Y)
    export(net, tmp_path / "net.onnx")
    x = X[:10].astype(dtype)
    x[1:9, 2] = 0.5, -1, TOKENS, 2.0**40, -1e30, np.nan, np.inf, -0.0
    out = np.empty((10, 2), dtype)
    fastnn.jit.forward(net.compiled(), x, out)  # which checks nothing
    assert np.isnan(out).all(axis=1).tolist() == [False, *[True] * 7, False, False]
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    np.testing.assert_allclose(session.run(None, {"input": x})[0], out, rtol=1e-5, atol=1e-6)


def test_other_shapes_and_too_many_categories_are_refused():
    for layer, shape in ((Embedding(5, 2), (2,)), (Embedding(5, 2), (3, 3)), (Embedding(2**24 + 1, 1), (1,))):
        with pytest.raises(ValueError, match=r"\(1,\)|at most 16,777,216"):
            layer.output_shape(shape)
