"""Connectionist temporal classification: the loss against sums over all paths and against PyTorch, and its laws."""

import copy
import pickle
from itertools import groupby, product

import numpy as np
import pytest

from fastnn import (
    GRU,
    LBFGS,
    Adam,
    Conv1D,
    Dense,
    GaussianNoise,
    Input,
    Network,
    Population,
    Sequences,
    check_gradients,
    compiled,
    naive,
    vectorized,
)
from fastnn.decoding import label_error_rate

rng = np.random.default_rng(0)
LENGTHS = rng.integers(5, 13, size=30)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
Y = [rng.integers(1, 5, size=n) for n in rng.integers(0, 4, size=30)]
Y[3] = np.array([2, 2, 2])  # takes five steps
RUNGS = {"naive": naive, "vectorized": vectorized, "compiled": compiled}
every_rung = pytest.mark.parametrize("rung", RUNGS.values(), ids=RUNGS)


def network(dtype="float64", seed=1):
    return Network([GRU(6, return_sequences=True), Dense(5, "softmax")], (None, 3), "ctc", dtype, seed)


def read(path):
    """Return the labels that a path reads as."""
    return tuple(label for label, _ in groupby(path) if label != 0)


def of_all_paths(z, labels):
    """Return −log of the sum of the probabilities of all paths that read as the labels."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(sum(np.prod(p[range(len(z)), path]) for path in product(range(z.shape[1]), repeat=len(z))
                       if read(path) == tuple(labels)))


@every_rung
@pytest.mark.parametrize(("steps", "labels"), [
    (1, []), (1, [2]), (4, []), (4, [1]), (5, [1, 2]), (5, [1, 1]), (5, [2, 1, 2]), (5, [1, 1, 1]), (6, [1, 2, 2]),
])
def test_the_loss_sums_over_all_paths(rung, steps, labels):
    z = np.random.default_rng(steps).normal(size=(steps, 3)) * 2
    assert rung.ctc_loss(z, [0, steps], labels, [0, len(labels)]) == pytest.approx(of_all_paths(z, labels), rel=1e-12)


def cases():
    """Sequences of which some are empty, some have no labels, and some have no step to spare."""
    random = np.random.default_rng(3)
    labels = [[1, 1, 1], [], [3, 2, 3, 3], [1], [], [4, 4]]
    lengths = [5, 0, 5, 1, 7, 11]
    z = random.normal(size=(sum(lengths), 5)) * 3
    return (z, np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(labels).astype(int),
            np.concatenate([[0], np.cumsum([*map(len, labels)])]), random.uniform(0.5, 2, size=6))


@every_rung
def test_the_gradient_is_that_of_differences_and_sums_to_0(rung):
    z, *others = cases()
    dz = np.array(rung.ctc_loss_gradient(z, *others))
    for place in np.ndindex(z.shape):
        if place[0] % 3 == 0:
            moved = [z.copy(), z.copy()]
            moved[0][place] += 1e-5
            moved[1][place] -= 1e-5
            slope = (vectorized.ctc_loss(moved[0], *others) - vectorized.ctc_loss(moved[1], *others)) / 2e-5
            assert dz[place] == pytest.approx(slope, abs=1e-9)
    np.testing.assert_allclose(dz.sum(axis=1), 0, atol=1e-14)  # returnn#1835: not so where no path reads as the labels


def test_pytorch_agrees():
    """Values and gradients, with empty targets, equal labels in a row and targets without a step to spare."""
    torch = pytest.importorskip("torch")
    z, offsets, labels, label_offsets, _ = cases()
    for i in range(6):
        given = torch.tensor(z[offsets[i]:offsets[i + 1]], requires_grad=True)
        target = torch.tensor(labels[label_offsets[i]:label_offsets[i + 1]])
        one = z[offsets[i]:offsets[i + 1]], [0, len(given)], target.numpy(), [0, len(target)]
        if len(given) == 0:
            assert compiled.ctc_loss(*one) == 0
            continue
        expected = torch.nn.functional.ctc_loss(given.log_softmax(1)[:, None], target[None], [len(given)], [len(target)],
                                                reduction="sum")
        expected.backward()
        assert compiled.ctc_loss(*one) == pytest.approx(expected.item(), rel=1e-10)
        np.testing.assert_allclose(compiled.ctc_loss_gradient(*one), given.grad.numpy(), atol=1e-10)


# PyTorch 2.13: torch.nn.functional.ctc_loss(log_softmax(z), ..., reduction="sum"), z = sin(7 t + 3 k), t steps, k classes
STORED = [
    (8, 4, [1, 2, 2, 3], 4.804073770041966), (5, 3, [1, 1, 2], 4.319174832909211), (6, 5, [], 8.74202067618144),
    (40, 6, [5, 4, 4, 1, 2], 50.86467465368106),
]


@every_rung
@pytest.mark.parametrize(("steps", "classes", "labels", "loss"), STORED)
def test_values_of_pytorch(rung, steps, classes, labels, loss):
    z = np.sin(7 * np.arange(steps)[:, None] + 3 * np.arange(classes))
    assert rung.ctc_loss(z, [0, steps], labels, [0, len(labels)]) == pytest.approx(loss, rel=1e-12)


@every_rung
def test_functions_refuse_what_they_cannot_take(rung):
    z = np.zeros((4, 3))
    for arguments, words in [
        ((z, [0, 4], [1, 3], [0, 2]), r"labels\[1\] is 3; with 3 classes"), ((z, [0, 4], [0], [0, 1]), "0 is the blank"),
        ((z, [0, 4], [1, 1, 1], [0, 3]), "has 4 steps, and its labels take 5"), ((z, [0, 4], [1], [0, 1, 1]), "offsets"),
        ((z[:, :1], [0, 4], [], [0, 0]), "classes"), ((z, [0, 4], [1], [0, 1], [0.0]), "sum to 0"),
    ]:
        with pytest.raises(ValueError, match=words):
            rung.ctc_loss(*arguments)


def test_far_apart_logits_stay_exact():
    """Probabilities that round to 0 have a logarithm."""
    z = np.zeros((300, 4))
    z[:, 3] = 500  # and the target is of other labels
    loss = compiled.ctc_loss(z, [0, 300], [1, 2], [0, 2])
    assert loss == pytest.approx(vectorized.ctc_loss(z, [0, 300], [1, 2], [0, 2]), rel=1e-13)
    assert loss > 140_000
    np.testing.assert_allclose(compiled.ctc_loss_gradient(z, [0, 300], [1, 2], [0, 2]),
                               vectorized.ctc_loss_gradient(z, [0, 300], [1, 2], [0, 2]), atol=1e-10)


def test_a_network_learns_the_loss():
    net = network()
    outputs = net.forward(X)
    z = np.log(outputs.steps)  # up to a constant of each step
    weights = rng.uniform(0.5, 2, size=30)
    arguments = outputs.offsets, np.concatenate(Y), np.concatenate([[0], np.cumsum([*map(len, Y)])])
    assert net.evaluate(X, Y)["loss"] == pytest.approx(vectorized.ctc_loss(z, *arguments), rel=1e-10)
    expected = vectorized.ctc_loss(z, *arguments, weights)
    assert net.evaluate(X, Y, sample_weight=weights)["loss"] == pytest.approx(expected, rel=1e-10)
    loss, gradients = net.loss_and_gradients(X, Y, sample_weight=weights)
    assert loss == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(gradients["1.bias"], vectorized.ctc_loss_gradient(z, *arguments, weights).sum(axis=0),
                               atol=1e-12)
    assert check_gradients(net, X, Y, sample_weight=weights).max_relative_error < 1e-7


def test_threads_change_no_bit(many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network("float32")
        history = net.fit(X, Y, epochs=2, batch_size=7, threads=threads, validation_data=(X, Y))
        arrays = [array.tobytes() for array in net.vectors.arrays]
        found.append((arrays, history.metrics, net.evaluate(X, Y, threads=threads)))
    assert all(each == found[0] for each in found)


def test_a_sequence_has_no_neighbors():
    net = network("float32")
    alone = [net.loss_and_gradients([x], [y])[0] for x, y in zip(X, Y, strict=True)]
    pairs = [net.evaluate([X[i], X[-1]], [Y[i], Y[-1]], sample_weight=[1, 0])["loss"] for i in range(30)]
    assert pairs == [net.evaluate([x], [y])["loss"] for x, y in zip(X, Y, strict=True)]
    np.testing.assert_allclose(alone, pairs, rtol=1e-6)


def test_labels_are_predicted_and_counted():
    labels = [rng.integers(1, 5, size=n) for n in rng.integers(1, 5, size=60)]
    spoken = [np.repeat(np.append(one, 0), rng.integers(2, 4, size=len(one) + 1)) for one in labels]
    means = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    spoken = [means[one] + 0.1 * rng.normal(size=(len(one), 3)) for one in spoken]
    net = network("float32", seed=3)
    history = net.fit(spoken, labels, epochs=100, batch_size=10, optimizer=Adam(learning_rate=0.03),
                      validation_data=(spoken[:5], labels[:5]), metrics=["sequence_accuracy"])
    assert history["label_error_rate"][-1] < 0.3 < 0.6 < history["label_error_rate"][0]
    assert set(history.metrics) >= {"val_label_error_rate", "sequence_accuracy", "val_sequence_accuracy"}
    predicted = net.predict(X)
    outputs = net.forward(X)
    assert isinstance(predicted, Sequences)
    assert [tuple(one) for one in predicted] == [read(one.argmax(axis=1)) for one in outputs]
    found = net.evaluate(X, Y, metrics=["sequence_accuracy"])
    assert found["label_error_rate"] == label_error_rate(Y, predicted)
    assert found["sequence_accuracy"] == np.mean([np.array_equal(*each) for each in zip(Y, predicted, strict=True)])
    assert np.array_equal(net.predict_proba(X).steps, outputs.steps)
    assert len(net.predict([])) == 0
    assert list(net.predict([X[0][:0]])[0]) == []


def test_metrics_of_ones_own_take_lists_of_labels():
    net = network()

    def longest(y, predicted):
        return float(max(map(len, y)) - len(y) + len(predicted))

    assert net.evaluate(X, Y, metrics=[longest])["longest"] == 3
    with pytest.raises(ValueError, match="no metric of a network that learns a sequence of labels from 1 to 4"):
        net.evaluate(X, Y, metrics=["f1"])


def test_files_copies_and_resumed_fits(tmp_path):
    net = network("float32")
    net.fit(X, Y, epochs=2, batch_size=8)
    net.save(tmp_path / "net.safetensors")
    for again in (Network.load(tmp_path / "net.safetensors"), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert again.loss == "ctc"
        assert again.evaluate(X, Y) == net.evaluate(X, Y)
    net.save_checkpoint(tmp_path / "run.safetensors")
    resumed = Network.load_checkpoint(tmp_path / "run.safetensors")
    resumed.fit(X, Y, epochs=4, batch_size=8, resume=True)
    whole = network("float32")
    whole.fit(X, Y, epochs=4, batch_size=8)
    assert resumed.vectors.parameters.flat.tobytes() == whole.vectors.parameters.flat.tobytes()
    assert resumed.history.metrics == whole.history.metrics


def test_graphs_strides_noise_and_lbfgs():
    x = Input((None, 3))
    h = Conv1D(4, 3, "relu", stride=2, padding="same")(GaussianNoise(0.1)(x))
    net = Network(inputs=x, outputs=Dense(5, "softmax")(h), loss="ctc", dtype="float64", seed=0)
    short = [y[:1] for y in Y]
    net.fit(X, short, epochs=2)
    assert check_gradients(net, X, short).max_relative_error < 1e-7
    net = Network([Conv1D(4, 3, "relu", stride=2, padding="same"), Dense(5, "softmax")], (None, 3), loss="ctc")
    before = net.evaluate(X, short)["loss"]
    net.fit(X, short, optimizer=LBFGS(max_iterations=10))
    assert net.evaluate(X, short)["loss"] < before


def test_every_form_of_targets_is_taken():
    net, lengths = network(), [*map(len, Y)]
    expected = net.evaluate(X, Y)
    whole = Sequences.of_lengths(np.concatenate(Y), lengths)
    padded = Sequences.from_padded(whole.to_padded(), lengths)
    more = Sequences(np.concatenate([[9, 9], np.concatenate(Y)]), 2 + whole.offsets)
    for given in (whole, padded, more, [one.tolist() for one in Y], [one.astype(float) for one in Y],
                  [one.astype(np.int8) for one in Y], np.array([*map(list, Y)], dtype=object)):
        assert net.evaluate(X, given) == expected
    assert net.evaluate(X[:2], np.array([[1, 2], [3, 4]])) == net.evaluate(X[:2], [[1, 2], [3, 4]])
    nothing = net.evaluate(X, [[]] * 30)
    assert nothing["loss"] == pytest.approx(-np.mean([np.log(one[:, 0]).sum() for one in net.forward(X)]), rel=1e-12)


def test_labels_that_a_callback_changes_do_not_reach_kernels():
    from fastnn import LambdaCallback

    labels = [one.copy() for one in Y]
    together = Sequences.of_lengths(np.concatenate(labels), [*map(len, labels)])
    nets = [network("float32") for _ in range(2)]

    def spoil(batch, logs):
        together.values[:] = 10**9

    nets[0].fit(X, together, batch_size=5, callbacks=[LambdaCallback(on_train_batch_end=spoil)])
    nets[1].fit(X, labels, batch_size=5)
    assert nets[0].vectors.parameters.flat.tobytes() == nets[1].vectors.parameters.flat.tobytes()


@pytest.mark.parametrize(("y", "words"), [
    (Y[:-1], "y has 29 sequences of labels; X has 30"),
    ([[1] * 20, *Y[1:]], r"y\[0\] has 20 labels, of which 19 repeat the one before.*takes 39 steps.*no path reads"),
    ([*Y[:4], [1, 2] * 9, *Y[5:]], r"y\[4\] has 18 labels, so it takes 18 steps"),
    ([*Y[:4], [1, 0], *Y[5:]], r"y\[4\] holds label 0.*0 is the blank.*from_padded\(y, lengths\)"),
    ([*Y[:4], [1, -1], *Y[5:]], r"y\[4\] holds label -1.*mask"),
    ([*Y[:4], [5], *Y[5:]], r"y\[4\] holds label 5.*from 1 to 4"),
    ([*Y[:4], [1.5], *Y[5:]], "whole numbers"), (np.ones(30, int), "one label for each sample.*one sequence"),
    ([1] * 30, "one label for each sample"), ([*Y[:4], ["a"], *Y[5:]], "dtype"), ([*Y[:4], "ab", *Y[5:]], "a text"),
    ([np.eye(5)[one] for one in Y], "shape"), (None, "y is None"), ([*Y[:4], None, *Y[5:]], "missing"),
    ([*Y[:4], [np.nan], *Y[5:]], "nan"),
])
def test_targets_that_do_not_fit_are_refused(y, words):
    net = network()
    before = net.vectors.parameters.flat.copy()
    with pytest.raises(ValueError, match=words):
        net.fit(X, y)
    assert np.array_equal(before, net.vectors.parameters.flat)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Network([GRU(4), Dense(5, "softmax")], (None, 3), loss="ctc"), "outputs at each step"),
    (lambda: Network([Dense(5, "softmax")], 3, loss="ctc"), "outputs at each step"),
    (lambda: Network([Dense(5, "sigmoid")], (None, 3), loss="ctc"), "Dense\\(labels \\+ 1, 'softmax'\\)"),
    (lambda: Network([Dense(5)], (None, 3), loss="ctc"), "end the network with"),
    (lambda: Network([Dense(1, "softmax")], (None, 3), loss="ctc"), "softmax"),
])
def test_networks_without_labels_at_steps_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_several_inputs_are_refused():
    x, state = Input((None, 3), name="x"), Input(2, name="state")
    h = GRU(2, return_sequences=True)(x, initial_state=state)
    with pytest.raises(ValueError, match="one input and one output"):
        Network(inputs=[x, state], outputs=Dense(5, "softmax")(h), loss="ctc")


def test_a_stream_gives_the_outputs_that_are_decoded():
    net = network("float32")
    stream = net.stream()
    assert np.array_equal([stream.step(x) for x in X[0]], net.forward(X[:1])[0])
    with pytest.raises(ValueError, match="labels are those of whole sequences"):
        stream.predict(X[0][0])


def test_what_cannot_be_is_refused_by_name():
    net = network()
    with pytest.raises(ValueError, match="class_weight is for samples of one class each"):
        net.fit(X, Y, class_weight="balanced")
    with pytest.raises(ValueError, match="sample_weight"):
        net.fit(X, Y, sample_weight=[np.ones(n) for n in LENGTHS])
    with pytest.raises(ValueError, match="outputs at each step"):
        Population([net])
    with pytest.raises(ValueError, match=r"known ones are .*ctc"):
        Network([Dense(5, "softmax")], (None, 3), loss="ctcc")
    from fastnn import register_loss

    with pytest.raises(ValueError, match="ctc"):
        register_loss("ctc", lambda a, y: a - y, lambda a, y: 1.0)
