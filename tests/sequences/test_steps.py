"""Outputs at each step of sequences: targets, weights, losses and metrics of steps."""

import numpy as np
import pytest

from fastnn import (
    LBFGS,
    Dense,
    Embedding,
    LayerNorm,
    Network,
    Sequences,
    check_gradients,
)

rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 9, size=40)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = [rng.integers(4, size=n) for n in LENGTHS]
SOME = [np.where(rng.random(n) < 0.3, -1, own) for n, own in zip(LENGTHS, LABELS, strict=True)]
VALUES = [rng.normal(size=(n, 2)) for n in LENGTHS]
YES = [rng.integers(2, size=(n, 2)).astype(float) for n in LENGTHS]
ENDS = {"classes": (Dense(4, "softmax"), LABELS), "some": (Dense(4, "softmax"), SOME), "values": (Dense(2), VALUES),
        "yes or no": (Dense(2, "sigmoid"), YES), "one value": (Dense(1), [own[:, 0] for own in VALUES]),
        "one yes or no": (Dense(1, "sigmoid"), [own[:, 0] for own in YES])}
every_end = pytest.mark.parametrize("end", ENDS)


def network(end, dtype="float64", inputs=(None, 3)):
    return Network([Dense(6, "tanh"), LayerNorm(), ENDS[end][0]], inputs=inputs, seed=4, dtype=dtype)


def flat(end, weights=None):
    """Return X, y and weights of all steps as samples, without those that do not count."""
    x, y = np.concatenate(X), np.concatenate(ENDS[end][1])
    w = np.ones(len(x)) if weights is None else weights
    counted = (y != -1 if end == "some" else np.ones(len(x), bool)) & (w > 0)
    return x[counted], y[counted], w[counted]


@every_end
@pytest.mark.parametrize("weighed", ["", "sequences", "steps"])
def test_the_loss_is_the_mean_over_the_steps_that_count(end, weighed):
    net, rows = network(end), network(end, inputs=3)
    per_step = [rng.integers(3, size=n).astype(float) for n in LENGTHS]
    weights = {"": None, "sequences": rng.uniform(0.1, 2, size=40), "steps": per_step}[weighed]
    of_rows = {"": None, "sequences": None if weights is None else np.repeat(weights, LENGTHS) if weighed == "sequences"
               else None, "steps": np.concatenate(per_step)}[weighed]
    x, y, w = flat(end, of_rows)
    expected, reference = rows.loss_and_gradients(x, y, sample_weight=w)
    loss, gradients = net.loss_and_gradients(X, ENDS[end][1], sample_weight=weights)
    assert loss == pytest.approx(expected, rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, reference[name], rtol=1e-9, atol=1e-14)
    metrics = rows.evaluate(x, y, sample_weight=w)
    for name, value in net.evaluate(X, ENDS[end][1], sample_weight=weights).items():
        assert value == pytest.approx(metrics[name], rel=1e-12)
    assert net.loss_function(X, ENDS[end][1], sample_weight=weights)() == pytest.approx(expected, rel=1e-12)


@every_end
def test_outputs_are_sequences(end):
    net, rows = network(end, "float32"), network(end, "float32", inputs=3)
    outputs = net.forward(X)
    assert isinstance(outputs, Sequences)
    assert outputs.lengths.tolist() == LENGTHS.tolist()
    assert np.array_equal(outputs.steps, rows.forward(np.concatenate(X)))
    predicted = net.predict(X)
    assert np.array_equal(predicted.steps, rows.predict(np.concatenate(X)))
    alone = [net.forward([one])[0] for one in X]
    assert np.array_equal(np.concatenate(alone), outputs.steps)
    assert np.array_equal(net.forward(X * 60)[-40:].to_padded(), outputs.to_padded())
    assert len(net.forward([])) == len(net.predict([])) == 0


@every_end
def test_gradients_are_those_of_differences(end):
    net = network(end)
    assert check_gradients(net, X, ENDS[end][1]).max_relative_error < 1e-7


@every_end
def test_threads_change_no_bit(end, many_parts):
    found = []
    for threads in (1, 2, 3, 8):
        net = network(end, "float32")
        history = net.fit(X, ENDS[end][1], epochs=2, batch_size=9, threads=threads, validation_data=(X, ENDS[end][1]))
        found.append(([array.tobytes() for array in net.vectors.arrays], history.metrics,
                      net.forward(X, threads=threads).steps.tobytes()))
    assert all(each == found[0] for each in found)


def test_it_learns_and_reports_what_counts():
    labels = [(one[:, 0] > 0).astype(int) for one in X]
    some = [np.where(np.arange(len(own)) % 3 == 1, -1, own) for own in labels]
    net = Network([Dense(8, "tanh"), Dense(2, "softmax")], inputs=(None, 3), seed=0)
    history = net.fit(X, some, epochs=60, batch_size=8, validation_data=(X, labels), metrics=["f1", "auc"])
    assert history["accuracy"][-1] > 0.95
    assert history["val_accuracy"][-1] > 0.95
    assert history["val_auc"][-1] > 0.95
    wrong = [np.where(own == -1, -1, 1 - own) for own in some]
    assert net.evaluate(X, wrong)["accuracy"] == pytest.approx(1 - net.evaluate(X, some)["accuracy"])


def test_steps_that_do_not_count_change_nothing():
    """Whatever stands where the label is −1 or the weight 0."""
    nets = [network("classes") for _ in range(2)]
    weights = [(own != -1).astype(float) for own in SOME]
    nets[0].fit(X, SOME, epochs=2, batch_size=7)
    nets[1].fit(X, [np.where(own == -1, 3, own) for own in SOME], epochs=2, batch_size=7, sample_weight=weights)
    assert nets[0].vectors.parameters.flat.tobytes() == nets[1].vectors.parameters.flat.tobytes()


def test_every_form_of_targets_is_taken():
    net = network("classes")
    expected = net.evaluate(X, LABELS)
    whole = Sequences.of_lengths(np.concatenate(LABELS), LENGTHS)
    hot = [np.eye(4)[own] for own in LABELS]
    for given in (whole, [own.tolist() for own in LABELS], hot, [own.astype(float) for own in LABELS]):
        assert net.evaluate(X, given) == expected
    same = rng.normal(size=(5, 4, 3))
    assert net.evaluate(same, np.ones((5, 4), int)) == net.evaluate([*same], [[1] * 4] * 5)


def test_empty_sequences_count_nothing():
    net = network("values")
    longer = [X[0], np.empty((0, 3)), X[1]]
    assert net.forward(longer).lengths.tolist() == [len(X[0]), 0, len(X[1])]
    targets = [VALUES[0], np.empty((0, 2)), VALUES[1]]
    assert net.evaluate(longer, targets) == net.evaluate(X[:2], VALUES[:2])
    assert net.loss_and_gradients(longer, targets)[0] == net.loss_and_gradients(X[:2], VALUES[:2])[0]
    net.fit(longer, targets, batch_size=1)
    assert np.isfinite(net.vectors.parameters.flat).all()


@pytest.mark.parametrize("end", ["classes", "values"])
def test_empty_sequences_alone_are_refused(end):
    net = network(end)
    for call in (net.fit, net.evaluate):
        with pytest.raises(ValueError, match="all sequences are empty, so none counts"):
            call([np.empty((0, 3))] * 2, [[], []])


def test_a_step_before_a_sigmoid_is_left_out_by_its_weight():
    net = Network([Dense(1, "sigmoid")], inputs=(None, 3), dtype="float64")
    longer, labels = [X[0], X[1]], [np.arange(len(one)) % 2 for one in X[:2]]
    labels[0][-1] = -1
    with pytest.raises(ValueError, match="give these steps 0 or 1, and the weight 0 in sample_weight"):
        net.evaluate(longer, labels)
    weights = [(own >= 0).astype(float) for own in labels]
    labels[0][-1] = 1
    expected = net.evaluate([X[0][:-1], X[1]], [labels[0][:-1], labels[1]])
    assert net.evaluate(longer, labels, sample_weight=weights) == pytest.approx(expected, rel=1e-12)


def test_class_weights_and_lbfgs():
    net = network("some")
    net.fit(X, SOME, class_weight="balanced", batch_size=8)
    before = net.evaluate(X, SOME)["loss"]
    net.fit(X, SOME, optimizer=LBFGS(max_iterations=10))
    assert net.evaluate(X, SOME)["loss"] < before


def test_tokens_may_be_labeled():
    tokens = [rng.integers(30, size=n) for n in LENGTHS]
    net = Network([Embedding(30, 4), Dense(2, "softmax")], inputs=(None,))
    net.fit(tokens, [one % 2 for one in tokens], epochs=100, batch_size=8)
    assert net.evaluate(tokens, [one % 2 for one in tokens])["accuracy"] == 1


@pytest.mark.parametrize(("y", "words"), [
    (LABELS[:-1], "y has 39 sequences; X has 40"),
    ([np.zeros(len(X[0]) + 1, int), *LABELS[1:]], r"y\[0\] has \d+ steps; the outputs for X\[0\] have"),
    ([own + 4 for own in LABELS], "labels must run from 0 to 3"),
    ([np.full(n, -1) for n in LENGTHS], "none counts"),
    (np.zeros(40, int), "y has one target for each sequence.*LastStep"),
    ([0, 1] * 20, "y has one target for each sequence.*LastStep"),
    ([np.zeros((n, 3)) for n in LENGTHS], r"y\[0\] has shape"),
    (np.zeros((40, 9), int), r"Sequences.from_padded\(y, lengths\)"),
    (None, "y is None"),
])
def test_targets_that_do_not_fit_are_refused(y, words):
    net = network("classes")
    with pytest.raises(ValueError, match=words):
        net.fit(X, y)


@pytest.mark.parametrize(("weights", "words"), [
    ([np.ones(n + 1) for n in LENGTHS], r"sample_weight\[0\] has"),
    (np.ones(39), "39"), (-np.ones(40), "negative"), ([np.zeros(n) for n in LENGTHS], "zero"),
])
def test_weights_that_do_not_fit_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        network("classes").fit(X, LABELS, sample_weight=weights)


def test_what_is_not_built_is_refused_by_name():
    from fastnn import Conv2D

    with pytest.raises(ValueError, match="end with Flatten"):
        Network([Conv2D(2, 3)], inputs=(None, 5, 5, 1))


def test_lbfgs_leaves_out_held_out_sequences_and_keeps_the_weights_of_the_others():
    fits = []
    for held_out in (True, False):
        net = network("some")
        given = X, SOME, {"validation_split": 0.3} if held_out else {}
        if not held_out:  # those that the fit above learned from, by their numbers
            order = np.random.default_rng([40, net.seed]).permutation(40)
            rows = np.sort(order[round(0.3 * 40):])
            given = [X[row] for row in rows], [SOME[row] for row in rows], {}
        net.fit(*given[:2], optimizer=LBFGS(max_iterations=5), **given[2])
        fits.append(net.vectors.parameters.flat.copy())
    assert np.array_equal(*fits)
