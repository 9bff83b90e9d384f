"""The best value of a callback that is used for several fits, networks, warm starts or copies, and when it starts anew."""

import copy
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import (
    LBFGS,
    SGD,
    Adam,
    BatchNorm,
    Callback,
    CSVLogger,
    Dense,
    EarlyStopping,
    ModelCheckpoint,
    Network,
    Population,
    ReduceLROnPlateau,
)

HELD_OUT = X[:9], LABELS[:9]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fit(net, *callbacks, rate=0.05, epochs=5, held_out=HELD_OUT, **options):
    return net.fit(X, LABELS, epochs=epochs, optimizer=Adam(rate), validation_data=held_out, callbacks=callbacks, **options)


def in_file(path="best", held_out=HELD_OUT):
    return Network.load(path).evaluate(*held_out)["loss"]


@pytest.fixture
def best():
    return ModelCheckpoint("best", save_best_only=True)


@pytest.mark.filterwarnings("error")
def test_over_several_fits_of_one_network(best):
    net, values = classifier(), []
    for rate in (0.05, 3.0, 1e-9, 0.05):
        values += fit(net, best, rate=rate)["val_loss"]
        assert best.best == in_file() == min(values)


@pytest.mark.filterwarnings("error")
def test_over_networks_that_are_tried_out_on_the_same_data(best):
    values = []
    for width, dtype in ((30, "float32"), (1, "float64"), (9, "float64")):
        net = Network([Dense(width, "tanh"), BatchNorm(), Dense(3, "softmax")], inputs=4, dtype=dtype)
        values.append(min(fit(net, best)["val_loss"]))
        assert best.best == min(values)
        assert Network.load("best").layers[0].out_features == (30, 1, 9)[int(np.argmin(values))]


@pytest.mark.filterwarnings("error")
def test_another_object_begins_anew(best):
    fit(classifier(), best)
    other = ModelCheckpoint("best", save_best_only=True)
    worse = min(fit(classifier(), other, rate=1e-6)["val_loss"])
    assert best.best < worse == other.best == in_file()


def test_other_data_are_not_compared_with(best):
    net = classifier()
    fit(net, best)
    assert best.best < (found := np.inf)
    others = {"other rows": (X[9:], LABELS[9:]), "other targets": (X[:9], LABELS[:9][::-1]),
              "weights": (*HELD_OUT, np.arange(9) + 1.0)}
    for held_out in others.values():
        with pytest.warns(UserWarning, match="of other data or judged otherwise: the best starts anew from here"):
            found = min(fit(net, best, rate=1e-6, held_out=held_out)["val_loss"])
        assert best.best == found
    with pytest.warns(UserWarning, match="of other data or judged otherwise"):  # the same data, another loss
        found = min(fit(Network([Dense(3, "softmax")], inputs=4, loss="squared_error"), best)["val_loss"])
    assert best.best == found == in_file()


@pytest.mark.parametrize("what", ["deleted", "cut off", "another network", "another best"])
def test_a_file_that_does_not_hold_it_any_more(what, best):
    net = classifier()
    fit(net, best)
    if what == "deleted":
        os.remove("best")
    elif what == "cut off":
        os.truncate("best", 300)
    elif what == "another network":
        classifier(seed=3).save("best")
    else:
        fit(net, ModelCheckpoint("best", "val_accuracy", save_best_only=True))
    with pytest.warns(UserWarning, match="the best starts anew from here"):
        values = fit(net, best, rate=1e-6)["val_loss"]
    assert best.best == min(values) == in_file()


@pytest.mark.filterwarnings("error")
def test_copies_carry_it_as_far_as_it_is_comparable(best):
    """Copies as in scikit-learn's clone."""
    fit(classifier(), best)
    first, again = best.best, copy.deepcopy(best)
    fit(classifier(), again, rate=1e-6)
    assert again.best == first == in_file()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = fit(classifier(), copy.deepcopy(best), rate=1e-6, held_out=(X[9:], LABELS[9:]))["val_loss"]
    assert in_file(held_out=(X[9:], LABELS[9:])) == min(values)


@pytest.mark.filterwarnings("ignore:no convergence")
def test_warm_starts_of_an_estimator():
    from fastnn.sklearn import NetworkClassifier

    best = ModelCheckpoint("best", "loss", save_best_only=True)
    estimator = NetworkClassifier((8,), warm_start=True, max_iter=4, callbacks=[best], random_state=0)
    losses = []
    for rate in (0.05, 5.0, 0.05):
        estimator.set_params(learning_rate_init=rate).fit(X, LABELS)
        losses += estimator.loss_curve_[len(losses):]
        assert best.best == min(losses)
    estimator.set_params(learning_rate_init=9.0)
    for _ in range(3):
        estimator.partial_fit(X, LABELS)
        assert best.best == min(estimator.loss_curve_)


def test_with_lbfgs(best):
    net = classifier()
    values = net.fit(X, LABELS, optimizer=LBFGS(max_iterations=5), validation_data=HELD_OUT, callbacks=[best])["val_loss"]
    net.fit(X, LABELS, optimizer=LBFGS(max_iterations=40), validation_data=HELD_OUT, callbacks=[best])
    assert best.best == in_file() <= min(values)


def test_members_of_a_population():
    population = Population([classifier(seed) for seed in range(3)])

    def callbacks(number):
        return [EarlyStopping(patience=2, restore_best=True), ModelCheckpoint(f"{number}", save_best_only=True)]

    for _ in range(2):
        population.fit(X, LABELS, epochs=20, optimizer=Adam(0.1), validation_data=HELD_OUT, callbacks=callbacks)
        for number, (net, (stopping, checkpoint)) in enumerate(zip(population, population.callbacks, strict=True)):
            assert stopping.best == checkpoint.best == in_file(str(number)) == net.evaluate(*HELD_OUT)["loss"]
    for one in lambda number: [CSVLogger("log.csv")], lambda number: [ModelCheckpoint("best", "loss")]:
        with pytest.raises(ValueError, match=r"members 0 and 1 would both write .*; give each a file of its own"):
            population.fit(X, LABELS, callbacks=one)


@pytest.mark.parametrize("pair", [
    lambda: [ModelCheckpoint("one", full=True), ModelCheckpoint("one", "loss", save_best_only=True)],
    lambda: [ModelCheckpoint("one", "loss", save_best_only=True), ModelCheckpoint("./one", "accuracy", save_best_only=True)],
    lambda: [CSVLogger("one"), CSVLogger("one", separator=";")], lambda: [ModelCheckpoint("one"), CSVLogger("one")],
])
def test_two_callbacks_do_not_write_over_each_others_file(pair):
    net = classifier()
    with pytest.raises(ValueError, match=r"both write .*one; give each a file of its own"):
        net.fit(X, LABELS, callbacks=pair())
    assert same(net, classifier())
    assert os.listdir() == []


def test_the_last_may_be_written_by_two():
    fit(classifier(), ModelCheckpoint("last", full=True), ModelCheckpoint("last", full=True, save_freq=2))
    assert len(Network.load_checkpoint("last").history.epochs) == 5


def stopped(**options):
    """A fit that early stopping has ended."""
    net = classifier()
    fit(net, EarlyStopping(patience=2, **options), rate=1.0, epochs=50)
    assert len(net.history.epochs) < 50
    return net


def test_weights_that_were_not_kept_are_not_called_the_best():
    """restore_best is turned on for the resumed fit."""
    net = stopped()
    later = EarlyStopping(patience=4, restore_best=True)
    with pytest.warns(UserWarning, match="restore_best was off until now: it starts anew from here"):
        net.fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT, callbacks=[later])
    assert net.evaluate(*HELD_OUT)["loss"] == later.best
    with pytest.warns(UserWarning, match="restore_best was off until now: the last weights are kept"):
        stopped().fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT,
                      callbacks=[EarlyStopping(patience=2, restore_best=True)])


def test_weights_are_not_put_back_by_one_that_was_not_asked():
    net = stopped(restore_best=True)
    history = net.history
    later = EarlyStopping(patience=2)
    net.fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT, callbacks=[later])
    assert net.evaluate(*HELD_OUT)["loss"] == history["val_loss"][-1] > later.best


@pytest.mark.parametrize("callbacks", [
    [EarlyStopping("nothing")], [EarlyStopping(patience=9), ModelCheckpoint("{nothing}")],
    [CSVLogger(os.path.join("nowhere", "log.csv"))],
])
def test_a_resume_that_is_refused_leaves_the_best_weights(callbacks):
    net, other = stopped(restore_best=True), stopped(restore_best=True)
    with pytest.raises((ValueError, OSError)):
        net.fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT, callbacks=callbacks)
    assert same(net, other)
    for each in net, other:
        each.fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT, callbacks=[EarlyStopping(patience=9)])
    assert same(net, other)
    assert net.history == other.history


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau,
                                  lambda *a, **o: ModelCheckpoint("best", *a, save_best_only=True, **o)])
@pytest.mark.parametrize("second", [("val_accuracy", "auto"), ("val_loss", "max"), ("loss", "auto")])
def test_a_best_of_another_metric_is_not_compared_with(make, second):
    net, monitor, mode = classifier(), *second
    fit(net, make("val_loss"))
    later = make(monitor, mode=mode)
    with pytest.warns(UserWarning, match="or in the other direction: it starts anew from here"):
        history = net.fit(X, LABELS, epochs=9, resume=True, validation_data=HELD_OUT, callbacks=[later])
    best = max if mode == "max" or "accuracy" in monitor else min
    assert later.best == pytest.approx(best(history[monitor][5:]), abs=1e-4)  # but for min_delta


def test_states_go_to_those_that_are_most_like_them():
    class Counts(Callback):
        """Two of them are distinguished by their names, if they have any."""

        def __init__(self, name=None):
            self.name, self.count = name, 0

        def on_train_begin(self, logs):
            self.count = (self.resumed or {"count": 100 if self.name == "a" else 200})["count"]

        def told_apart_by(self):
            return {"name": self.name} if self.name else {}

        def state(self):
            return {"count": self.count}

    net = classifier()
    fit(net, Counts("a"), Counts("b"))
    net.save_checkpoint("run")
    for names, counts in (("ab", [100, 200]), ("ba", [200, 100]), ("b", [200]), ("cb", [100, 200])):
        callbacks = [Counts(name) for name in names]
        Network.load_checkpoint("run").fit(X, LABELS, epochs=5, resume=True, callbacks=callbacks)
        assert [each.count for each in callbacks] == counts
    fit(net, Counts(), Counts("b"))
    callbacks = [Counts("b"), Counts(), Counts()]
    net.fit(X, LABELS, epochs=5, resume=True, callbacks=callbacks)
    assert [each.count for each in callbacks] == [200, 200, 200]


def test_who_missed_the_end_of_an_epoch_is_told_of_it_once():
    """An exception between the callbacks, in the same process and loaded from a file."""
    class Tells(Callback):
        def __init__(self, fails=None):
            self.told, self.fails = [], fails

        def on_epoch_end(self, epoch, logs):
            self.told.append((epoch, logs["loss"], logs.get("noted")))
            logs["noted"] = epoch
            if epoch == self.fails:
                raise RuntimeError("enough")

    for by in "memory", "file":
        first, second, net = Tells(fails=2), Tells(), classifier()
        with pytest.raises(RuntimeError, match="enough"):
            fit(net, first, second, ModelCheckpoint("run", full=True))
        if by == "file":
            net = Network.load_checkpoint("run")
        first.fails = None
        net.fit(X, LABELS, epochs=5, resume=True, validation_data=HELD_OUT, callbacks=[first, second])
        assert [epoch for epoch, _, _ in first.told] == [epoch for epoch, _, _ in second.told] == [*range(5)]
        assert [loss for _, loss, _ in second.told] == net.history["loss"]
        assert [noted for _, _, noted in second.told] == [*range(5)]


def test_a_disk_that_is_full_leaves_the_best_before(best, monkeypatch):
    net = classifier()
    first = min(fit(net, best)["val_loss"])

    def fail(*arguments):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="disk full"):
            fit(net, best)
    assert best.best == first == in_file()
    net.fit(X, LABELS, epochs=5, resume=True, validation_data=HELD_OUT, callbacks=[best])  # what was not written is written
    assert best.best == in_file() == min(net.history["val_loss"]) < first


def test_files_made_before_go_on():
    """States that contain neither the monitored metric nor the file of the best."""
    net = classifier()
    fit(net, EarlyStopping("val_loss", patience=9), ModelCheckpoint("best", save_best_only=True), CSVLogger("log.csv"))
    log = Path("log.csv")
    log.write_text(re.sub(r"(?m)^\d", lambda number: str(int(number[0]) - 1), log.read_text()))  # epochs from 0
    size = os.path.getsize(log)
    stopping = {"best": 0.1, "wait": 3, "best_epoch": 1, "stopped_epoch": None, "best_arrays": None}
    net.fits.last.states = [("EarlyStopping", stopping), ("ModelCheckpoint", {"best": 0.1}), ("CSVLogger", {"size": size})]
    net.save_checkpoint("run")
    later, checkpoint = EarlyStopping("val_loss", patience=5), ModelCheckpoint("best", save_best_only=True)
    net = Network.load_checkpoint("run")
    net.fit(X, LABELS, epochs=50, resume=True, validation_data=HELD_OUT, callbacks=[later, checkpoint, CSVLogger("log.csv")])
    assert (later.best, checkpoint.best, later.stopped_epoch) == (0.1, 0.1, 6)
    assert [line.split(",")[0] for line in open("log.csv")] == ["epoch", *map(str, range(7))]


def test_plateaus_lower_the_rate_once():
    """It is interrupted between the recording and the change of the rate."""
    def run(fails):
        net, reduce = classifier(), ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=9.0)
        net.fit(X, LABELS, epochs=3, optimizer=SGD(0.1), callbacks=[reduce])
        if fails:
            net.optimizer.learning_rate *= 2  # as it was before
            net.fits.last.states[0][1]["untold"] = {"loss": net.history["loss"][-1]}
        net.fit(X, LABELS, epochs=6, resume=True, callbacks=[reduce])
        return net.history["learning_rate"]

    assert run(True) == run(False)
