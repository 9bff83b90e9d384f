"""L-BFGS through SciPy: it finds minima, reports each iteration, and does not change the network if it fails."""

import sys

import numpy as np
import pytest
from layer_cases import LAYERS, VALUES, all_bits, network
from layer_cases import X as ROWS
from nets import LABELS, X, classifier, same

from fastnn import LBFGS, Adam, Callback, Dense, DivergenceError, Dropout, ModelCheckpoint, Network

pytest.importorskip("scipy", reason="L-BFGS is SciPy's")


def line(**options):
    """Fits a straight line, whose best parameters are known."""
    return Network([Dense(2, **options)], inputs=4, dtype="float64")


TARGETS = np.random.default_rng(1).normal(size=(23, 2))


def test_it_finds_the_least_squares_solution():
    net = line()
    history = net.fit(X, TARGETS, optimizer=LBFGS(tolerance=1e-10))
    with_one = np.hstack([X, np.ones((23, 1))])
    best, residuals, *_ = np.linalg.lstsq(with_one, TARGETS, rcond=None)
    np.testing.assert_allclose(np.vstack([net.parameters["0.weight"], net.parameters["0.bias"]]), best, atol=1e-4)
    assert history["loss"][-1] == pytest.approx(residuals.sum() / 46, rel=1e-9)


def test_it_finds_the_ridge_solution_with_a_penalty_and_weights():
    net, weights = line(l2=0.3), np.linspace(0.1, 3, 23)
    net.fit(X, TARGETS, optimizer=LBFGS(tolerance=1e-10), sample_weight=weights)
    shares, with_one = weights / weights.sum(), np.hstack([X, np.ones((23, 1))])
    normal = with_one.T @ (shares[:, None] * with_one) + np.diag([0.6] * 4 + [0.0])  # ½ Σ r² + 0.3 Σ w²
    best = np.linalg.solve(normal, with_one.T @ (shares[:, None] * TARGETS))
    np.testing.assert_allclose(np.vstack([net.parameters["0.weight"], net.parameters["0.bias"]]), best, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_history_tells_each_iteration(dtype):
    net = classifier(dtype=dtype)
    history = net.fit(X, LABELS, optimizer=LBFGS(max_iterations=30), validation_data=(X, LABELS))
    assert len(history.epochs) == 30
    assert (np.diff(history["loss"]) < 0).all()
    assert history["val_accuracy"] == history["accuracy"]
    np.testing.assert_allclose(history["val_loss"], history["loss"], rtol=1e-5 if dtype == "float32" else 1e-12)
    last = net.evaluate(X, LABELS)
    assert history["loss"][-1] == pytest.approx(last["loss"], rel=1e-5 if dtype == "float32" else 1e-12)
    assert history["accuracy"][-1] == last["accuracy"]


def test_the_gradient_at_the_end_is_within_the_tolerance():
    net = line()
    net.fit(X, TARGETS, optimizer=LBFGS(tolerance=1e-3))
    largest = max(abs(gradient).max() for gradient in net.loss_and_gradients(X, TARGETS)[1].values())
    assert 0 < largest <= 1e-3
    stands = net.parameters["0.weight"].copy()
    assert len(net.fit(X, TARGETS, optimizer=LBFGS(tolerance=1e-3)).epochs) == 0  # already there
    np.testing.assert_array_equal(net.parameters["0.weight"], stands)


def test_a_network_in_float32_is_trained_in_float64():
    single, double = classifier(dtype="float32"), classifier(dtype="float64")
    double.vectors.parameters.flat[:] = single.vectors.parameters.flat
    ours, theirs = (net.fit(X.astype("float32"), LABELS, optimizer=LBFGS(max_iterations=20)) for net in (single, double))
    assert ours["loss"] == theirs["loss"]
    np.testing.assert_array_equal(single.vectors.parameters.flat, double.vectors.parameters.flat.astype("float32"))


def test_threads_do_not_change_a_bit(many_parts):
    def trained(threads):
        net = classifier()
        history = net.fit(np.tile(X, (30, 1)), np.tile(LABELS, 30), optimizer=LBFGS(max_iterations=5), threads=threads)
        return net, history["loss"]

    one, loss = trained(1)
    for threads in (2, 3):
        other, losses = trained(threads)
        assert same(one, other)
        assert losses == loss
    assert max(many_parts) > 1


def test_callbacks_see_iterations_and_may_stop():
    class Recorder(Callback):
        def __init__(self):
            self.seen = []

        def on_train_begin(self, logs):
            self.seen.append("begin")

        def on_epoch_begin(self, epoch, logs):
            self.seen.append(epoch)

        def on_epoch_end(self, epoch, logs):
            self.seen.append((epoch, *logs))
            assert self.network.evaluate(X, LABELS)["loss"] == pytest.approx(logs["loss"], rel=1e-5)
            self.network.stop_training = epoch == 2

        def on_train_end(self, logs):
            self.seen.append(("end", *logs))

    recorder, net = Recorder(), classifier()
    history = net.fit(X, LABELS, optimizer=LBFGS(), callbacks=[recorder])
    metrics = "loss", "accuracy"
    assert recorder.seen == ["begin", 0, (0, *metrics), 1, (1, *metrics), 2, (2, *metrics), ("end", *metrics)]
    assert len(history.epochs) == 3


def test_other_optimizers_go_on_where_it_stood():
    net = classifier()
    net.fit(X, LABELS, optimizer=LBFGS(max_iterations=20))
    before = net.evaluate(X, LABELS)["loss"]
    net.fit(X, LABELS, epochs=2, optimizer=Adam(1e-4))
    assert net.evaluate(X, LABELS)["loss"] == pytest.approx(before, rel=0.05)


def test_a_loss_that_is_not_finite():
    net = Network([Dense(1)], inputs=4, dtype="float64")
    net.parameters["0.weight"][:] = 1e200
    before = net.parameters["0.weight"].copy()
    with pytest.raises(DivergenceError, match="not finite at a step that L-BFGS tries"):
        net.fit(X, TARGETS[:, 0], optimizer=LBFGS())
    np.testing.assert_array_equal(net.parameters["0.weight"], before)


@pytest.mark.parametrize("name", LAYERS)
def test_with_every_layer_it_gives_the_same_bits_twice_or_refuses(name):
    nets = [network(name, "between", dtype="float64") for _ in range(2)]
    before = all_bits(nets[0])
    if LAYERS[name].draws or LAYERS[name].mixes_samples:
        with pytest.raises(ValueError, match=rf"weights alone, but layer \d, {type(LAYERS[name]).__name__}\("):
            nets[0].fit(ROWS, VALUES, optimizer=LBFGS())
        assert all_bits(nets[0]) == before
    else:
        first, second = (net.fit(ROWS, VALUES, optimizer=LBFGS(max_iterations=5)) for net in nets)
        assert len(first.epochs) == 5
        assert (first, all_bits(nets[0])) == (second, all_bits(nets[1]))


def test_dropout_of_nothing_is_no_dropout():
    net = Network([Dense(5, "tanh"), Dropout(0.0), Dense(3, "softmax")], inputs=4, dtype="float64")
    plain = classifier(dtype="float64")
    plain.vectors.parameters.flat[:] = net.vectors.parameters.flat
    assert net.fit(X, LABELS, optimizer=LBFGS(max_iterations=5)) == plain.fit(X, LABELS, optimizer=LBFGS(max_iterations=5))


def test_more_memory_than_iterations_takes_none():
    one, other = classifier(), classifier()
    assert (one.fit(X, LABELS, optimizer=LBFGS(max_iterations=5, memory=10**15))
            == other.fit(X, LABELS, optimizer=LBFGS(max_iterations=5, memory=5)))


def test_epochs_are_refused():
    with pytest.raises(ValueError, match=r"epochs is 5; .* max_iterations=5"):
        classifier().fit(X, LABELS, epochs=5, optimizer=LBFGS())


@pytest.mark.parametrize("given", [{"max_iterations": 0}, {"tolerance": -1}, {"memory": 2.5}, {"tolerance": "small"}])
def test_bad_arguments_are_named(given):
    [name] = given
    with pytest.raises(ValueError, match=rf"LBFGS\({name}=...\) is"):
        LBFGS(**given)


def test_without_scipy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    net = classifier()
    before = net.parameters["0.weight"].copy()
    with pytest.raises(ImportError, match=r"fastnn-numba\[scipy\]"):
        net.fit(X, LABELS, optimizer=LBFGS())
    np.testing.assert_array_equal(net.parameters["0.weight"], before)


def test_a_fit_that_cannot_be_resumed_is_not_saved_in_full(tmp_path):
    net, before = line(), line()
    with pytest.raises(ValueError, match="leave full at False"):
        net.fit(X, TARGETS, optimizer=LBFGS(), callbacks=[ModelCheckpoint(tmp_path / "net.safetensors", full=True)])
    assert same(net, before)
