"""Training: fits that continue the last one, epochs, history, validation and divergence."""

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Adam, Callback, Dense, DivergenceError, Network, optimizers

every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=lambda cls: cls.name)


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_five_epochs_and_five_more_are_ten(optimizer, dtype):
    twice, once = classifier(dtype=dtype), classifier(dtype=dtype)
    kept = optimizer(learning_rate=0.03)
    first = twice.fit(X, LABELS, epochs=5, batch_size=10, optimizer=kept)
    second = twice.fit(X, LABELS, epochs=5, batch_size=10, optimizer=kept)
    whole = once.fit(X, LABELS, epochs=10, batch_size=10, optimizer=optimizer(learning_rate=0.03))
    assert same(twice, once)
    assert first["loss"] + second["loss"] == whole["loss"]


@every_optimizer
def test_an_optimizer_by_name_goes_on_as_well(optimizer):
    twice, once = classifier(), classifier()
    for _ in range(2):
        twice.fit(X, LABELS, epochs=2, optimizer=optimizer.name)
    once.fit(X, LABELS, epochs=4, optimizer=optimizer())
    assert same(twice, once)


def test_an_optimizer_remembers_each_network_apart():
    shared = Adam(0.01)
    one, other, alone = classifier(), classifier(seed=1), classifier()
    for _ in range(3):
        one.fit(X, LABELS, optimizer=shared)
        other.fit(X, LABELS, optimizer=shared)
    alone.fit(X, LABELS, epochs=3, optimizer=Adam(0.01))
    assert same(one, alone)


def test_batches_larger_than_the_data_are_one_batch():
    large, whole = classifier(), classifier()
    large.fit(X, LABELS, batch_size=10**6)
    whole.fit(X, LABELS, batch_size=23)
    assert same(large, whole)


def test_every_sample_comes_once_an_epoch():
    # one linear unit, one step an epoch at rate 1 from zero: the bias becomes the mean of y over the samples of the step
    net = Network([Dense(1, initializer="zeros")], inputs=1, dtype="float64")
    y = np.random.default_rng(0).normal(size=301)
    history = net.fit(np.zeros((301, 1)), y, batch_size=301, optimizer=SGD(1.0))
    assert net.parameters["0.bias"][0] == pytest.approx(y.mean(), abs=1e-14)
    assert history["loss"] == pytest.approx([(y**2).mean() / 2])


def test_history():
    history = classifier().fit(X, LABELS, epochs=4, validation_data=(X[:9], LABELS[:9]))
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(values) == 4 and all(type(value) is float for value in values) for values in history.values())
    assert history.epochs == range(4)
    assert "4 epochs" in repr(history)
    with pytest.raises(KeyError, match="val_loss"):
        history["vall_loss"]
    assert list(Network([Dense(1)], 4).fit(X, X[:, 0], validation_data=(X, X[:, 0]))) == ["loss", "val_loss"]


@pytest.mark.parametrize("batch_size", [1, 7, 10, 23])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_the_history_of_a_network_that_stands_still_is_its_evaluation(batch_size, weighted):
    net, weights = classifier(dtype="float64"), np.arange(23.0) if weighted else None
    history = net.fit(X, LABELS, epochs=2, batch_size=batch_size, sample_weight=weights, optimizer=SGD(1e-30))
    metrics = net.evaluate(X, LABELS, sample_weight=weights)
    for name, values in history.items():
        assert values == pytest.approx([metrics[name]] * 2, rel=1e-13)


def test_no_epochs_change_nothing():
    net = classifier()
    assert dict(net.fit(X, LABELS, epochs=0)) == {}
    assert same(net, classifier())


@pytest.mark.parametrize("given", [(X[:9], LABELS[:9]), [X[:9], LABELS[:9], np.arange(9.0)]], ids=["plain", "weighted"])
def test_validation_is_evaluation_at_the_end_of_the_epoch(given):
    net, unwatched, seen = classifier(), classifier(), []

    class Evaluate(Callback):
        def on_epoch_end(self, epoch, logs):
            metrics = self.network.evaluate(*given[:2], sample_weight=given[2] if len(given) == 3 else None)
            seen.append((metrics["loss"], metrics["accuracy"]))

    history = net.fit(X, LABELS, epochs=3, validation_data=given, callbacks=[Evaluate()])
    assert list(zip(history["val_loss"], history["val_accuracy"], strict=True)) == seen
    unwatched.fit(X, LABELS, epochs=3)
    assert same(net, unwatched)


def test_divergence_leaves_finite_weights():
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    before = {name: view.copy() for name, view in net.parameters.items()}
    with pytest.raises(DivergenceError, match="learning rate"):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    assert all(np.isfinite(view).all() for view in net.parameters.values())
    net.parameters["1.bias"][:] = np.inf
    with pytest.raises(DivergenceError, match="epoch 1, batch 1"):
        net.fit(X, X[:, 0])
    for name, view in net.parameters.items():  # as good as new
        view[...] = before[name]
    assert np.isfinite(net.fit(X, X[:, 0], epochs=2)["loss"]).all()
