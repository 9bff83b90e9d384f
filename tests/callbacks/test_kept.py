"""The file or weights kept by a callback evaluate to the recorded value, for every layer, fit, resume and order."""

import itertools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from layer_cases import X, network, one_place_each, targets
from nets import LABELS, classifier
from nets import X as FEW
from raised_at import raised_at

import fastnn.callbacks
from fastnn import Adam, Callback, CSVLogger, EarlyStopping, ModelCheckpoint, Network, ReduceLROnPlateau

OPTIONS = {"validation_data": (FEW[:9], LABELS[:9]), "batch_size": 8, "threads": 1, "progress": False}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def reload(path):
    try:
        return Network.load(path)
    except fastnn.ModelFormatError:
        return Network.load_checkpoint(path)


@pytest.mark.parametrize(("name", "place"), one_place_each(2))
def test_for_every_layer_over_two_fits(name, place):
    """The second fit makes the network worse: the best files are those of the first, the restored weights its own best."""
    net = network(name, place)
    values, y = [], targets(net)
    held_out = X[:31], y[:31]
    best, full = ModelCheckpoint("best", save_best_only=True), ModelCheckpoint("full", save_best_only=True, full=True)
    for rate in (0.01, 0.5):
        stopping = EarlyStopping(patience=50, restore_best=True)
        history = net.fit(X, y, epochs=6, optimizer=Adam(rate), validation_data=held_out, threads=1,
                          callbacks=[stopping, full, best, ModelCheckpoint("last", full=True)])
        values.append(min(history["val_loss"]))
        assert stopping.best == values[-1] == net.evaluate(*held_out)["loss"]
        assert best.best == full.best == min(values)
        for each in "best", "full":
            assert reload(each).evaluate(*held_out)["loss"] == min(values)


def test_of_several_each_keeps_its_own():
    checkpoints = [ModelCheckpoint(name, name, save_best_only=True) for name in ("val_loss", "val_accuracy")]
    net = classifier()
    for rate in (0.3, 0.1, 2.0):
        net.fit(FEW, LABELS, epochs=9, optimizer=Adam(rate), callbacks=checkpoints, **OPTIONS)
        for each in checkpoints:
            found = Network.load(each.path).evaluate(FEW[:9], LABELS[:9])
            assert found[each.monitor.removeprefix("val_")] == each.best


# The elements of a list of callbacks, so that every order can be tried.

class Reports(Callback):
    """A metric that is best in the middle."""

    def __init__(self):
        self.reports = {"middle": "max"}

    def on_epoch_end(self, epoch, logs):
        logs["middle"] = -abs(epoch - 3.0)


def keepers():
    """Two checkpoints of the best, one of them full, one for each epoch, and other callbacks with a state."""
    return {
        "middle": ModelCheckpoint("middle", "middle", save_best_only=True),
        "best": ModelCheckpoint("best", "loss", save_best_only=True, full=True),
        "accuracy": ModelCheckpoint("accuracy", "val_accuracy", save_best_only=True),
        "last": ModelCheckpoint("last", full=True),
        "stop": EarlyStopping("middle", patience=2, restore_best=True),
        "stop by loss": EarlyStopping("val_loss", patience=3),
        "rate": ReduceLROnPlateau("middle", patience=1, factor=0.5),
        "log": CSVLogger("log.csv"), "other log": CSVLogger("other.csv", separator=";"),
    }


def outcome(net, callbacks):
    """Return everything that must not depend on interrupts; files are compared by content."""
    files = {name: [view.tobytes() for view in reload(name).parameters.values()] for name in ("middle", "best", "accuracy")}
    logs = [Path(name).read_bytes() for name in ("log.csv", "other.csv")]
    told = {name: (callback.best, callback.seen) for name, callback in callbacks.items()
            if isinstance(callback, (EarlyStopping, ReduceLROnPlateau)) or getattr(callback, "save_best_only", False)}
    stopped = [(callbacks[name].wait, callbacks[name].best_epoch, callbacks[name].stopped_epoch)
               for name in ("stop", "stop by loss")]
    weights = [view.tobytes() for view in net.parameters.values()]
    return files, logs, {name: best for name, (best, _) in told.items()}, stopped, dict(net.history), weights


def whole():
    callbacks = keepers()
    net = classifier()
    net.fit(FEW, LABELS, epochs=9, optimizer=Adam(0.05), callbacks=[Reports(), *callbacks.values()], **OPTIONS)
    assert 3 < len(net.history.epochs) < 9
    return outcome(net, callbacks)


class Snapshot(Callback):
    """Copy the folder: what would be on the disk if the program were killed at this moment."""

    def __init__(self, moment, runs_last=False):
        self.moment, self.runs_last = moment, runs_last

    def take(self, when):
        if any(not name.startswith("killed") for name in os.listdir()):
            folder = Path(f"killed-{self.moment}-{when}")
            folder.mkdir()
            for name in os.listdir():
                if os.path.isfile(name):
                    shutil.copy(name, folder)

    def on_epoch_end(self, epoch, logs):
        self.take(f"{epoch}-end")

    def on_callbacks_end(self):
        self.take(f"{len(self.network.history.epochs)}-written-{len(os.listdir())}")


@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.long)])
def test_whenever_it_is_killed_and_in_whatever_order_the_callbacks_come_back(stride):
    expected = whole()
    for name in os.listdir():
        os.remove(name)
    orders = np.random.default_rng(int(os.environ.get("FASTNN_TEST_SEED", "0")))
    listed = [Reports()]
    for number, (name, callback) in enumerate(keepers().items()):
        listed += [Snapshot(f"{number}{name}"), callback, Snapshot(f"{number}{name}-last", runs_last=True)]
    classifier().fit(FEW, LABELS, epochs=9, optimizer=Adam(0.05), callbacks=listed, **OPTIONS)
    home, resumed = os.getcwd(), 0
    for folder in sorted(Path().glob("killed-*"))[::stride]:
        os.chdir(folder)
        if os.path.exists("last"):
            net, callbacks = Network.load_checkpoint("last"), keepers()
            names = orders.permutation([*callbacks]).tolist()
            listed = [Reports(), *(callbacks[name] for name in names)]
            net.fit(FEW, LABELS, epochs=9, resume=True, callbacks=listed, **OPTIONS)
            assert outcome(net, callbacks) == expected, (folder, names)
            resumed += 1
        os.chdir(home)
    assert resumed > 50 // stride


def test_a_full_best_goes_on_from_itself():
    """Each of two full files is written while the other waits to be written: a fit can be resumed from either."""
    def pair():
        return [ModelCheckpoint("one", "middle", save_best_only=True, full=True),
                ModelCheckpoint("two", "loss", save_best_only=True, full=True)]

    options = {"epochs": 9, **OPTIONS}
    classifier().fit(FEW, LABELS, optimizer=Adam(0.05), callbacks=[Reports(), *pair()], **options)
    best = [[view.tobytes() for view in Network.load_checkpoint(name).parameters.values()] for name in ("one", "two")]
    shutil.rmtree("killed", ignore_errors=True)
    between = Snapshot("x", runs_last=True)
    between.on_epoch_end = lambda epoch, logs: None
    one, two = pair()
    classifier().fit(FEW, LABELS, optimizer=Adam(0.05), callbacks=[Reports(), one, between, two], **options)
    home = os.getcwd()
    for folder, name in itertools.product(sorted(Path().glob("killed-*")), ("one", "two")):
        os.chdir(folder)
        if os.path.exists(name):
            net = Network.load_checkpoint(name)
            net.fit(FEW, LABELS, resume=True, callbacks=[Reports(), *pair()[::-1]], **options)
            assert [[view.tobytes() for view in Network.load_checkpoint(each).parameters.values()]
                    for each in ("one", "two")] == best, (folder, name)
        os.chdir(home)


def in_callbacks(path):
    return path.startswith(os.path.dirname(fastnn.callbacks.__file__))


@pytest.mark.parametrize("stride", [211, pytest.param(3, marks=pytest.mark.long)])
def test_an_interrupt_may_fall_on_any_line_of_a_callback(stride):
    """Callbacks that were not called for the epoch are called when the fit is resumed, and none is called twice."""
    expected, line, came = whole(), int(os.environ.get("FASTNN_TEST_SEED", "1")), True
    while came:
        for name in os.listdir():
            os.remove(name)
        net = classifier()
        listed = [Reports(), *keepers().values()]
        came = raised_at(line, lambda: net.fit(FEW, LABELS, epochs=9, optimizer=Adam(0.05), callbacks=listed,  # noqa: B023
                                               **OPTIONS), in_callbacks)
        if net.history is not None:
            callbacks = keepers()
            net.fit(FEW, LABELS, epochs=9, resume=True, callbacks=[Reports(), *callbacks.values()], **OPTIONS)
            assert outcome(net, callbacks) == expected, line
        line += stride
    assert line > 1000
