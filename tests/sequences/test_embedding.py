"""Embeddings: gradients, and steps that touch only the rows of the tokens of a batch."""

import numpy as np
import pytest

from fastnn import (
    SGD,
    Adam,
    Callback,
    Dense,
    Embedding,
    GlobalAveragePool,
    Input,
    LastStep,
    Network,
    Sequences,
    Shared,
    check_gradients,
    from_torch_state_dict,
    optimizers,
)

rng = np.random.default_rng(0)
TOKENS, FEATURES = 40, 5
X = [rng.integers(TOKENS, size=n) for n in rng.integers(1, 9, size=30)]
Y = rng.integers(2, size=30)
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def network(dtype="float64", pool=GlobalAveragePool, **options):
    return Network([Embedding(TOKENS, FEATURES), Dense(4, "tanh"), pool(), Dense(2, "softmax")], inputs=(None,), seed=3,
                   dtype=dtype, **options)


@dtypes
def test_it_takes_rows_of_its_weight(dtype):
    net = Network([Embedding(TOKENS, FEATURES), LastStep(), Dense(FEATURES)], inputs=(None,), dtype=dtype)
    net.parameters["2.weight"][:] = np.eye(FEATURES)
    assert np.array_equal(net.forward(X), net.parameters["0.weight"][[one[-1] for one in X]])


def test_its_gradient_is_that_of_a_dense_layer_of_ones_and_zeros():
    net = network()
    dense = Network([Dense(FEATURES), Dense(4, "tanh"), GlobalAveragePool(), Dense(2, "softmax")], inputs=(None, TOKENS),
                    dtype="float64")
    dense.parameters["0.bias"][:] = 0
    for name, view in net.parameters.items():
        dense.parameters[name][...] = view
    loss, gradients = net.loss_and_gradients(X, Y)
    expected, others = dense.loss_and_gradients([np.eye(TOKENS)[one] for one in X], Y)
    assert loss == pytest.approx(expected, rel=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, others[name], rtol=1e-10, atol=1e-15)
    assert check_gradients(net, X, Y).max_relative_error < 1e-7
    assert check_gradients(net, X, Y, training=True).max_relative_error < 1e-7


def sparse_steps(net, optimizer, batches):
    """Train copies of the arrays with NumPy: every optimizer updates only the rows of the tokens of a batch."""
    parameters = {name: view.copy() for name, view in net.parameters.items()}
    slots = {name: [np.zeros_like(view) for _ in optimizer.slots] for name, view in parameters.items()}
    for step, (x, y) in enumerate(batches, 1):
        twin = network(net.dtype)
        twin.vectors.set_arrays(parameters)
        _, gradients = twin.loss_and_gradients(x, y, training=True)
        for name, gradient in gradients.items():
            rows = np.unique(np.concatenate(x)) if name == "0.weight" else slice(None)
            updated, *kept = optimizer.vectorized(parameters[name][rows], gradient[rows],
                                                  *(slot[rows] for slot in slots[name]), step)
            parameters[name][rows] = updated
            for slot, values in zip(slots[name], kept, strict=True):
                slot[rows] = values
    return parameters, slots


@pytest.mark.parametrize("name", optimizers)
def test_a_step_leaves_other_rows_and_what_the_optimizer_keeps_for_them(name):
    net, optimizer = network(), optimizers[name](0.05)
    batches = [(X[i:i + 3], Y[i:i + 3]) for i in range(0, 12, 3)]
    parameters, slots = sparse_steps(net, optimizer, batches)
    net.fit(X[:12], Y[:12], batch_size=3, shuffle=False, optimizer=optimizer)
    for key, view in net.parameters.items():
        np.testing.assert_allclose(view, parameters[key], rtol=1e-9, atol=1e-12)
    kept = [net.vectors.parameters.split(slot[:net.vectors.parameters.size])["0.weight"]
            for slot in net.fits.optimizer_state(optimizer).slots]
    for own, expected in zip(kept, slots["0.weight"], strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-15)


def test_tokens_that_never_occur_keep_their_vectors_to_the_bit():
    net = network("float32")
    before = net.parameters["0.weight"].copy()
    some = [one % 7 for one in X]
    net.fit(some, Y, epochs=20, batch_size=4)
    changed = (net.parameters["0.weight"] != before).any(axis=1)
    assert np.array_equal(np.flatnonzero(changed), np.unique(np.concatenate(some)))


@pytest.mark.parametrize("limits", [{"clip_norm": 0.01}, {"clip_value": 0.001}])
def test_clipping_sees_the_gradient_of_this_step_only(limits):
    """What an earlier step has left in memory is no part of the norm."""
    net, twin = network(), network()
    optimizer = SGD(0.1, **limits)
    for i in range(0, 12, 3):
        net.fit(X[i:i + 3], Y[i:i + 3], batch_size=3, shuffle=False, optimizer=optimizer)
        twin.fit(X[i:i + 3], Y[i:i + 3], batch_size=3, shuffle=False, optimizer=SGD(0.1, **limits))
        assert all(np.array_equal(view, twin.parameters[name]) for name, view in net.parameters.items())


@dtypes
def test_threads_change_no_bit(dtype, many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network(dtype)
        net.fit(X, Y, epochs=2, batch_size=8, threads=threads)
        _, gradients = net.loss_and_gradients(X, Y, threads=threads)
        found.append([array.tobytes() for array in net.vectors.arrays] + [each.tobytes() for each in gradients.values()]
                     + [net.forward(X, threads=threads).tobytes()])
    assert all(each == found[0] for each in found)


def test_a_fit_goes_on_with_the_same_bits(tmp_path):
    whole, parts = network(), network()
    adam = Adam(0.01)
    whole.fit(X, Y, epochs=4, batch_size=7)
    parts.fit(X, Y, epochs=2, batch_size=7, optimizer=adam)
    parts.save_checkpoint(tmp_path / "run.safetensors")
    resumed = Network.load_checkpoint(tmp_path / "run.safetensors")
    resumed.fit(X, Y, epochs=4, batch_size=7, resume=True)
    twin = network()
    twin.fit(X, Y, epochs=4, batch_size=7, optimizer=Adam(0.01))
    assert all(np.array_equal(view, twin.parameters[name]) for name, view in resumed.parameters.items())


def test_an_embedding_that_two_inputs_share_updates_the_rows_of_both():
    def shared():
        a, b, embedding = Input((None,), name="a"), Input((None,), name="b"), Shared(Embedding(TOKENS, FEATURES))
        both = GlobalAveragePool()(embedding(a)) + GlobalAveragePool()(embedding(b))
        return Network(inputs=[a, b], outputs=Dense(2, "softmax")(both), seed=1, dtype="float64")

    given = {"a": [one % 15 for one in X], "b": [20 + one % 15 for one in X]}
    net, adam = shared(), Adam(0.01)
    assert check_gradients(net, given, Y).max_relative_error < 1e-7
    before = {name: view.copy() for name, view in net.parameters.items()}
    _, gradients = net.loss_and_gradients(given, Y)
    net.fit(given, Y, batch_size=30, optimizer=adam, shuffle=False)
    for name, gradient in gradients.items():
        expected = adam.vectorized(before[name], gradient, np.zeros_like(gradient), np.zeros_like(gradient), 1)[0]
        np.testing.assert_allclose(net.parameters[name], expected, rtol=1e-10, atol=1e-15)
    net.fit(given, Y, epochs=3, batch_size=4, optimizer=adam)
    changed = (net.parameters["0.weight"] != before["0.weight"]).any(axis=1)
    assert set(np.flatnonzero(changed)) == set(np.concatenate([*given["a"], *given["b"]]))


@pytest.mark.parametrize("frozen", ["0.weight", "1.*"])
def test_frozen_parameters_stay_beside_an_embedding(frozen):
    net = network("float32")
    before = {name: view.copy() for name, view in net.parameters.items()}
    net.fit([one % 7 for one in X], Y, epochs=2, batch_size=8, frozen=[frozen])
    for name, view in net.parameters.items():
        changed = (view != before[name]).reshape(len(view), -1).any(axis=1)
        assert changed.any() != (name.startswith(frozen[:2]) and frozen in (name, "1.*"))
        assert name != "0.weight" or not changed[7:].any()


def test_every_form_of_tokens_is_taken():
    net = network()
    expected = net.forward(X)
    lists = [one.tolist() for one in X]
    whole = Sequences.of_lengths(np.concatenate(X), [len(one) for one in X])
    for given in (lists, whole, [one.astype(np.uint16) for one in X], [one.astype(float) for one in X],
                  Sequences(whole.values.astype(np.int32), whole.offsets)):
        assert np.array_equal(net.forward(given), expected)
    assert np.array_equal(net.forward(np.array([[1, 2], [3, 4]])), net.forward([[1, 2], [3, 4]]))


@pytest.mark.parametrize(("given", "words"), [
    ([[1, 2], [TOKENS]], rf"X\[1\] holds token {TOKENS} at step 0; with a vocabulary of {TOKENS}"),
    ([[1, 2], [3, -1]], r"X\[1\] holds token -1 at step 1"),
    ([[0.5]], "not whole"),
    ([["word"]], "whole numbers, the tokens"),
    (["good tea"], r"X\[0\] is 'good tea', a text; give its tokens: fastnn\.text\.Vocabulary"),
    ([[1], b"tea"], r"X\[1\] is b'tea', a text; give its tokens"),
    (np.array(["tea"], object), r"X\[0\] is 'tea', a text; give its tokens"),
    ([np.ones((3, 2), int)], "tokens have no features"),
    (np.array([1, 2]), r"for one sequence give \[X\]"),
    ([1, 2], r"for one sequence give \[X\]"),
    (np.array([[1, -1]]), r"if that is padding, give Sequences\.from_padded\(X, mask=np\.asarray\(X\) >= 0\)"),
    ([[2**40]], "holds token 1099511627776"),
    ([[np.nan]], "not whole"),
])
def test_other_tokens_are_refused(given, words):
    net = network()
    with pytest.raises(ValueError, match=words):
        net.forward(given)


@pytest.mark.parametrize("changed", ["tokens", "labels", "labels of steps"])
def test_indices_that_a_caller_changes_during_a_fit_are_those_of_its_beginning(changed):
    """Kernels index by tokens and labels without a check of their own, so a change could make them write anywhere."""
    class Change(Callback):
        def on_epoch_end(self, epoch, logs):
            given[:] = 1

    found = []
    for callbacks in ((), (Change(),)):
        tokens, labels = np.concatenate(X).astype(np.int32), Y.astype(np.int64)
        sequences, y, layers = Sequences.of_lengths(tokens, [len(one) for one in X]), labels, [GlobalAveragePool()]
        if changed == "labels of steps":
            labels = tokens.astype(np.int64) % 2
            y, layers = sequences.with_steps(labels), []
        given = tokens if changed == "tokens" else labels
        net = Network([Embedding(TOKENS, FEATURES), *layers, Dense(2, "softmax")], inputs=(None,), seed=3)
        net.fit(sequences, y, epochs=3, batch_size=8, callbacks=callbacks)
        assert (given == 1).all() == bool(callbacks)
        found.append(net.vectors.parameters.flat.tobytes())
    assert found[0] == found[1]


def test_it_stands_first_before_tokens():
    with pytest.raises(ValueError, match=r"inputs=\(None,\), and here a sample has the shape \(3,\)"):
        Network([Embedding(4, 2), Dense(2)], inputs=3)
    for options in ((0, 2), (2, 0), (2.5, 1)):
        with pytest.raises(ValueError, match="Embedding"):
            Embedding(*options)


def test_its_weight_is_read_from_pytorch():
    net = network("float32")
    weights = {"emb.weight": rng.normal(size=(TOKENS, FEATURES)), "fc.weight": rng.normal(size=(4, FEATURES)),
               "fc.bias": rng.normal(size=4), "out.weight": rng.normal(size=(2, 4)), "out.bias": np.zeros(2)}
    net.load_torch(weights, layers=["emb", "fc", "out"])
    np.testing.assert_array_equal(net.parameters["0.weight"], weights["emb.weight"].astype(np.float32))
    np.testing.assert_array_equal(net.parameters["1.weight"], weights["fc.weight"].T.astype(np.float32))
    with pytest.raises(ValueError, match="has none"):
        net.load_torch(weights | {"emb.bias": np.ones(TOKENS)}, layers=["emb", "fc", "out"])
    assert from_torch_state_dict({key: weights[key] for key in ("fc.weight", "fc.bias")}, layers=["fc"]) is not None
