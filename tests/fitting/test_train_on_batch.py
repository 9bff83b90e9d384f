"""`train_on_batch`: one step, with the bits of a fit of one epoch on that batch."""

import copy
import pickle
import threading
from dataclasses import dataclass

import numpy as np
import pytest

from fastnn import (
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    CosineDecay,
    Dense,
    DivergenceError,
    Dropout,
    ExponentialDecay,
    LambdaCallback,
    Network,
    Normalize,
    WarmUp,
)
from fastnn.fitting import one_batch, schedules
from fastnn.fitting.schedules import Schedule

GENERATOR = np.random.default_rng(0)


def classifier(**options):
    return Network([Normalize(), Dense(16, "tanh", l2=1e-3), Dropout(0.2), BatchNorm(), Dense(3, "softmax")], inputs=4,
                   seed=1, **options)


def batch(number, samples=8, dtype=np.float32):
    generator = np.random.default_rng(number)
    return generator.normal(size=(samples, 4)).astype(dtype), generator.integers(0, 3, samples)


def same_arrays(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.vectors.copies(), b.vectors.copies(), strict=True))


def fitted(net, X, y, optimizer, **options):
    return net.fit(X, y, epochs=1, batch_size=len(X), shuffle=False, optimizer=optimizer, **options)["loss"][0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [Adam, lambda: SGD(0.1, momentum=0.9, clip_norm=0.5), AdamW,
                                  lambda: Adam(ExponentialDecay(0.01, every=3))],
                         ids=["Adam", "clipped", "AdamW", "schedule"])
def test_steps_have_the_bits_of_fits(dtype, make):
    one, other, optimizer, beside = classifier(dtype=dtype), classifier(dtype=dtype), make(), make()
    for step in range(12):
        X, y = batch(step, samples=8 if step % 4 else 5, dtype=np.float64 if step % 3 else np.float32)
        if step == 6 and not callable(optimizer.learning_rate):
            optimizer.learning_rate = beside.learning_rate = 0.02
        if step == 9:  # a fit between steps, and other numbers of threads
            assert fitted(one, X, y, optimizer) == fitted(other, X, y, beside)
        threads = (None, 1, 2)[step // 3 % 3]
        assert one.train_on_batch(X, y, optimizer=optimizer, threads=threads) == fitted(other, X, y, beside)
        assert same_arrays(one, other)


@pytest.mark.parametrize("rate", [ExponentialDecay(0.01, every=30), WarmUp(CosineDecay(0.01, steps=100), 20),
                                  lambda step: 0.01 / step], ids=["decay", "warm-up", "function"])
def test_the_rates_of_a_schedule_are_those_of_their_steps(rate, monkeypatch):
    """Over several readings, with a fit and steps of the general way between; all others take the short way."""
    monkeypatch.setattr(schedules, "AHEAD", 64)
    one, other, ways = classifier(), classifier(), []
    mine, beside = Adam(rate), Adam(rate)
    monkeypatch.setattr(one_batch, "first_step", lambda *given, of=one_batch.first_step: ways.append(0) or of(*given))
    for step in range(150):
        X, y = batch(step)
        if step == 70:
            fitted(one, X, y, mine)
            fitted(other, X, y, beside)
        given = {"sample_weight": np.ones(8)} if step in (30, 80) else {}
        one.train_on_batch(X, y, optimizer=mine, **given)
        fitted(other, X, y, beside)
    assert same_arrays(one, other)
    assert len(ways) == 3


def test_a_rate_that_is_none_is_refused_at_its_step():
    @dataclass(frozen=True)
    class Falling(Schedule):
        def rates(self, t):
            return 0.01 - 0.001 * t

    net, (X, y) = classifier(), batch(0)
    for _ in range(11):
        net.train_on_batch(X, y, optimizer=(optimizer := Adam(Falling())) if net.fits.stepper is None else optimizer)
    with pytest.raises(ValueError, match="learning_rate"):
        net.train_on_batch(X, y)


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_a_known_form_takes_the_short_way(threads):
    net, (X, y) = classifier(), batch(0)
    net.train_on_batch(X, y, optimizer=SGD(0.1), threads=threads)
    assert net.fits.stepper.step(X, y, threads) is not None
    assert net.fits.stepper.step(X, y, 3) is None  # the program for 3 threads is not known


@pytest.mark.parametrize(("layers", "y"), [
    ([Dense(1)], np.arange(6.0)), ([Dense(1)], np.arange(6)[:, None]), ([Dense(2)], np.arange(12.0).reshape(6, 2)),
    ([Dense(1, "sigmoid")], np.arange(6) % 2), ([Dense(2, "sigmoid")], np.arange(12).reshape(6, 2) % 2),
    ([Dense(3, "softmax")], np.eye(3)[np.arange(6) % 3]),
], ids=["values", "column", "two values", "yes or no", "several yes or no", "one-hot"])
def test_every_kind_of_targets(layers, y):
    X = np.linspace(-1, 1, 24).reshape(6, 4)
    one, other, optimizer, beside = Network(layers, inputs=4), Network(layers, inputs=4), SGD(0.1), SGD(0.1)
    for _ in range(4):
        assert one.train_on_batch(X, y, optimizer=optimizer) == fitted(other, X, y, beside)
        assert one.train_on_batch(X.tolist(), y.tolist(), optimizer=optimizer) == fitted(other, X, y, beside)  # lists
        weights = np.arange(1.0, 7.0)
        assert (one.train_on_batch(X, y, sample_weight=weights) == fitted(other, X, y, beside, sample_weight=weights))
    assert same_arrays(one, other)


def test_the_optimizer_is_kept():
    net = Network([Dense(1)], inputs=4)
    X, y = np.ones((3, 4)), np.ones(3)
    net.train_on_batch(X, y)
    assert net.optimizer.name == "adam"
    net.train_on_batch(X, y)
    assert net.fits.optimizer_state(net.optimizer).step[0] == 2
    own = SGD(0.1)
    net.train_on_batch(X, y, optimizer=own)
    net.train_on_batch(X, y)
    assert net.fits.optimizer_state(own).step[0] == 2


@pytest.mark.parametrize("warm", [0, 3])
def test_what_is_refused_changes_nothing(warm):
    net, (X, y) = classifier(), batch(0)
    for _ in range(warm):
        net.train_on_batch(X, y)
    before = net.vectors.copies()
    bad = X.copy()
    bad[3, 2] = np.nan
    for wrong, names in (((bad, y), r"X holds nan at \(3, 2\)"), ((X, y + 1), "y holds label 3"),
                         ((X[:, :3], y), "3 features"), ((X, y[:5]), "5 rows"), ((X, np.full(8, -1)), "y holds label -1"),
                         ((bad.astype(np.float64) * 1e300, y), "X holds")):
        with pytest.raises(ValueError, match=names), np.errstate(all="ignore"):
            net.train_on_batch(*wrong)
    assert all(np.array_equal(x, y) for x, y in zip(before, net.vectors.copies(), strict=True))
    net.train_on_batch(X, y)


@pytest.mark.parametrize("warm", [0, 2])
def test_divergence_changes_nothing(warm):
    net, X = Network([Dense(1)], inputs=1), np.ones((2, 1), np.float32)
    for _ in range(warm):
        net.train_on_batch(X, np.ones(2), optimizer="sgd")
    before = net.vectors.copies()
    with pytest.raises(DivergenceError, match="the loss is not finite"):
        net.train_on_batch(X, np.full(2, 1e38), optimizer="sgd")
    assert all(np.array_equal(x, y) for x, y in zip(before, net.vectors.copies(), strict=True))


def test_large_gradients_take_the_careful_way():
    one, other, X = Network([Dense(1)], inputs=1), Network([Dense(1)], inputs=1), np.ones((2, 1), np.float32)
    mine, beside = SGD(1e-9), SGD(1e-9)
    for y in (np.ones(2), np.ones(2), np.full(2, 1e15), np.ones(2)):
        assert one.train_on_batch(X, y, optimizer=mine) == fitted(other, X, y, beside)
        assert same_arrays(one, other)


def test_a_fit_in_progress_refuses_steps():
    net, (X, y), found = classifier(), batch(0), []

    def step(batch, logs):
        try:
            net.train_on_batch(X, y)
        except RuntimeError as error:
            found.append(str(error))

    net.train_on_batch(X, y)
    net.fit(X, y, callbacks=[LambdaCallback(on_train_batch_end=step)])
    assert "in a fit already" in found[0]
    thread = threading.Thread(target=net.train_on_batch, args=(X, y))
    thread.start()
    thread.join()


def test_copies_have_the_weights_and_checkpoints_the_optimizer(tmp_path):
    net, other = classifier(), classifier()
    for step in range(3):
        net.train_on_batch(*batch(step))
        other.train_on_batch(*batch(step))
    net.save_checkpoint(tmp_path / "run.safetensors")
    loaded = Network.load_checkpoint(tmp_path / "run.safetensors")
    assert loaded.train_on_batch(*batch(3)) == other.train_on_batch(*batch(3))
    assert same_arrays(loaded, other)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert same_arrays(twin, net)
        assert twin.optimizer is None


def test_text_labels_are_learned_and_kept():
    net, X = Network([Dense(2, "softmax")], inputs=1), np.array([[-1.0], [1.0]])
    for _ in range(60):
        net.train_on_batch(X, np.array(["no", "yes"]), optimizer=SGD(1.0) if net.optimizer is None else None)
    assert net.predict(X).tolist() == ["no", "yes"]
