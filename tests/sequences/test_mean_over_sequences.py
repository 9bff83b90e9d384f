"""mean="sequences": losses of steps that are means over sequences, of the means over their steps."""

import numpy as np
import pytest

from fastnn import GRU, LBFGS, SGD, Dense, Flatten, Input, Network, check_gradients

rng = np.random.default_rng(0)
LENGTHS = np.array([3, 0, 7, 1, 4, 9, 2, 5])
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
LABELS = [rng.integers(-1, 2, size=n) for n in LENGTHS]
LABELS[3][:] = -1  # a sequence of which nothing counts
VALUES = [rng.normal(size=(n, 2)) for n in LENGTHS]
OF_SEQUENCES = np.array([1.0, 2, 0, 1, 3, 0.5, 1, 2])
OF_STEPS = [rng.integers(0, 3, size=n).astype(float) for n in LENGTHS]
WEIGHTS = {"none": None, "of sequences": OF_SEQUENCES, "of steps": OF_STEPS}
every_weight = pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)


def network(end="softmax", **options):
    loss = {"softmax": None, "identity": "squared_error"}[end]
    return Network([GRU(4, return_sequences=True), Dense(2, end)], inputs=(None, 3), loss=loss, seed=1, dtype="float64",
                   mean="sequences", **options)


def by_hand(of_steps, weights, counted):
    """Return the mean over sequences of the means over the steps that count; of_steps: the losses of each sequence."""
    total = of_all = 0.0
    for i, losses in enumerate(of_steps):
        own = counted[i] * (weights[i] if weights is OF_STEPS else np.ones(len(losses)))
        if own.sum() > 0:
            of_sequence = OF_SEQUENCES[i] if weights is OF_SEQUENCES else 1.0
            total, of_all = total + of_sequence * (own * losses).sum() / own.sum(), of_all + of_sequence
    return total / of_all


@every_weight
@pytest.mark.parametrize("end", ["softmax", "identity"])
def test_the_loss_is_the_mean_of_the_means(end, weights):
    net, y = network(end), LABELS if end == "softmax" else VALUES
    outputs, counted = [*net.forward(X)], [np.ones(n) for n in LENGTHS]
    if end == "softmax":
        counted = [own != -1 for own in y]
        losses = [-np.log(a[np.arange(len(a)), np.maximum(own, 0)]) for a, own in zip(outputs, y, strict=True)]
    else:
        scale = Network([Dense(2)], inputs=2, loss="squared_error", dtype="float64")
        scale.parameters["0.weight"][:] = 0
        unit = scale.evaluate(np.zeros((1, 2)), np.ones((1, 2)))["loss"] / 2  # of the square of one value
        losses = [unit * ((a - own) ** 2).sum(axis=1) for a, own in zip(outputs, y, strict=True)]
    expected = by_hand(losses, weights, counted)
    assert net.evaluate(X, y, sample_weight=weights)["loss"] == pytest.approx(expected, rel=1e-12)
    assert net.loss_and_gradients(X, y, sample_weight=weights)[0] == pytest.approx(expected, rel=1e-12)
    history = net.fit(X, y, batch_size=8, sample_weight=weights, validation_data=(X, y, weights), optimizer=SGD(1e-30))
    assert history.metrics["loss"][0] == pytest.approx(expected, rel=1e-12)
    assert history.metrics["val_loss"][0] == pytest.approx(expected, rel=1e-12)


@every_weight
def test_gradients_are_those_of_differences(weights):
    assert check_gradients(network(), X, LABELS, sample_weight=weights).max_relative_error < 1e-7


@every_weight
def test_gradients_are_those_of_pytorch(weights):
    torch = pytest.importorskip("torch")
    net = Network([Dense(5, "tanh"), Dense(2, "softmax")], inputs=(None, 3), seed=1, dtype="float64", mean="sequences")
    loss, gradients = net.loss_and_gradients(X, LABELS, sample_weight=weights)
    p = {name: torch.tensor(view.copy(), requires_grad=True) for name, view in net.parameters.items()}
    total = of_all = 0.0
    for i, (x, labels) in enumerate(zip(X, LABELS, strict=True)):
        own = torch.tensor((labels != -1) * (OF_STEPS[i] if weights is OF_STEPS else 1.0))
        if own.sum() == 0:
            continue
        scores = torch.tanh(torch.tensor(x) @ p["0.weight"] + p["0.bias"]) @ p["1.weight"] + p["1.bias"]
        each = torch.nn.functional.cross_entropy(scores, torch.tensor(labels), ignore_index=-1, reduction="none")
        of_sequence = OF_SEQUENCES[i] if weights is OF_SEQUENCES else 1.0
        total, of_all = total + of_sequence * (own * each).sum() / own.sum(), of_all + of_sequence
    (total / of_all).backward()
    assert loss == pytest.approx((total / of_all).item(), rel=1e-12)
    for name, parameter in p.items():
        expected = parameter.grad.numpy()
        assert np.abs(gradients[name] - expected).max() <= 1e-10 * np.abs(expected).max(), name


def test_batches_are_means_of_their_sequences_and_threads_change_no_bit(many_parts):
    fits = []
    for threads in (1, 3):
        net = network()
        net.fit(X, LABELS, epochs=2, batch_size=3, shuffle=False, threads=threads, optimizer=SGD(0.1))
        fits.append(net.vectors.parameters.flat.tobytes())
    assert fits[0] == fits[1]
    by_steps = network()
    for _ in range(2):
        for begin in (0, 3, 6):
            _, gradients = by_steps.loss_and_gradients(X[begin:begin + 3], LABELS[begin:begin + 3])
            for name, gradient in gradients.items():
                by_steps.parameters[name][...] -= 0.1 * gradient
    np.testing.assert_allclose(by_steps.vectors.parameters.flat, net.vectors.parameters.flat, rtol=1e-12)


def test_it_differs_from_the_mean_over_steps_and_stays_with_the_network(tmp_path):
    net = network()
    plain = Network([GRU(4, return_sequences=True), Dense(2, "softmax")], inputs=(None, 3), seed=1, dtype="float64")
    assert net.evaluate(X, LABELS)["accuracy"] == plain.evaluate(X, LABELS)["accuracy"]  # metrics count steps
    assert net.evaluate(X, LABELS)["loss"] != plain.evaluate(X, LABELS)["loss"]
    net.save(tmp_path / "net.safetensors")
    assert b'"fastnn-4"' in (tmp_path / "net.safetensors").read_bytes()  # earlier readers would ignore the mean
    for other in (Network.load(tmp_path / "net.safetensors"), net.astype("float64"), Network.from_config(net.config(), 1)):
        assert other.mean == "sequences"
        assert repr(other) == repr(net)
        assert other.evaluate(X, LABELS) == net.evaluate(X, LABELS)
    assert repr(net).endswith("dtype='float64', mean='sequences')")
    assert "mean over sequences" in net.summary()
    assert "mean" not in plain.config()


def test_class_weights_lbfgs_and_graphs():
    net = network()
    before = net.evaluate(X, LABELS)["loss"]
    net.fit(X, LABELS, optimizer=LBFGS(max_iterations=20))
    assert net.evaluate(X, LABELS)["loss"] < 0.5 * before
    x, table = Input((None, 3), name="x"), Input(4, name="table")
    h = GRU(4, return_sequences=True)(x, initial_state=table)
    graph = Network(inputs=[x, table], outputs=Dense(2, "softmax")(h), dtype="float64", mean="sequences")
    given = {"x": X, "table": rng.normal(size=(8, 4))}
    alone = [graph.evaluate({name: values[i:i + 1] for name, values in given.items()}, LABELS[i:i + 1])["loss"]
             for i in range(8) if (LABELS[i] != -1).any()]
    assert graph.evaluate(given, LABELS)["loss"] == pytest.approx(np.mean(alone), rel=1e-12)


def test_beside_an_output_for_each_sample():
    x = Input((None, 3), name="x")
    h = GRU(4, return_sequences=True)(x)
    outputs = {"mark": Dense(2, "softmax")(h, name="mark"), "kind": Dense(3, "softmax")(GRU(3)(h), name="kind")}
    net, plain = (Network(inputs=x, outputs=outputs, dtype="float64", mean=mean, seed=1) for mean in ("sequences", "steps"))
    y = {"mark": LABELS, "kind": rng.integers(3, size=8)}
    assert check_gradients(net, X, y).max_relative_error < 1e-7
    found, other = net.evaluate(X, y), plain.evaluate(X, y)
    alone = [plain.evaluate(X[i:i + 1], {name: values[i:i + 1] for name, values in y.items()}) for i in range(8)
             if (LABELS[i] != -1).any()]
    assert found["mark_loss"] == pytest.approx(np.mean([each["mark_loss"] for each in alone]), rel=1e-12)
    assert found["kind_loss"] == other["kind_loss"]
    assert net.loss_and_gradients(X, y)[0] == pytest.approx(found["loss"], rel=1e-12)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Network([Dense(2)], inputs=3, mean="sequences"), "mean is 'sequences'; that is for outputs at each step"),
    (lambda: Network([GRU(3), Dense(2)], inputs=(None, 3), mean="sequences"), "for outputs at each step"),
    (lambda: Network([Flatten(), Dense(2)], inputs=(4, 3), mean="sequences"), "for outputs at each step"),
    (lambda: Network([Dense(3, "softmax")], inputs=(None, 3), loss="ctc", mean="sequences"), "of a sequence already"),
    (lambda: Network([Dense(2)], inputs=(None, 3), mean="batch"), "mean is 'batch'"),
    (lambda: Network([Dense(2)], inputs=(None, 3), mean=None), "mean is None"),
])
def test_what_has_no_such_mean_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
