"""What happens between the slices of training: callbacks, stopping, Ctrl-C and the progress bar."""

import _thread
import copy
import csv
import io
import os
import pickle
import re
import signal
import sys
import threading
from functools import partial

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

import fastnn
from fastnn import (
    SGD,
    Adam,
    Callback,
    CSVLogger,
    Dense,
    DivergenceError,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    Network,
    ReduceLROnPlateau,
    TerminateOnNaN,
    callbacks,
    progress,
)


class Recorder(Callback):
    def __init__(self, name, events):
        self.name, self.events = name, events

    def on_train_begin(self, logs):
        self.events.append((self.name, "train begin", logs))

    def on_train_end(self, logs):
        self.events.append((self.name, "train end", sorted(logs)))

    def on_epoch_begin(self, epoch, logs):
        self.events.append((self.name, f"epoch {epoch} begin", logs))

    def on_epoch_end(self, epoch, logs):
        self.events.append((self.name, f"epoch {epoch} end", sorted(logs)))


def test_callbacks_are_called_in_order():
    events, net = [], classifier()
    callbacks = [Recorder("a", events), Recorder("b", events)]
    net.fit(X, LABELS, epochs=2, callbacks=callbacks)
    metrics = ["accuracy", "loss"]
    moments = [("train begin", {}), ("epoch 0 begin", {}), ("epoch 0 end", metrics), ("epoch 1 begin", {}),
               ("epoch 1 end", metrics), ("train end", metrics)]
    assert events == [(name, *moment) for moment in moments for name in "ab"]
    assert callbacks[0].network is net


def test_stop_training():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs):
            self.network.stop_training = epoch == 1

    net, events = classifier(), []
    history = net.fit(X, LABELS, epochs=9, callbacks=[Stop(), Recorder("after", events)])
    assert len(history["loss"]) == 2
    assert events[-1][1] == "train end"
    assert len(net.fit(X, LABELS, epochs=3)["loss"]) == 3


def test_a_hyperparameter_may_change_between_epochs():
    class Halve(Callback):
        def on_epoch_end(self, epoch, logs):
            optimizer.learning_rate /= 2

    within, between, optimizer = classifier(), classifier(), SGD(0.4)
    within.fit(X, LABELS, epochs=3, optimizer=optimizer, callbacks=[Halve()])
    other = SGD(0.4)
    for _ in range(3):
        between.fit(X, LABELS, optimizer=other)
        other.learning_rate /= 2
    assert same(within, between)


def test_a_callback_that_fails_leaves_a_network_that_works():
    class Fail(Callback):
        def on_epoch_end(self, epoch, logs):
            raise RuntimeError("enough")

    stopped, once, kept = classifier(), classifier(), Adam()
    with pytest.raises(RuntimeError, match="enough"):
        stopped.fit(X, LABELS, epochs=5, optimizer=kept, callbacks=[Fail()])
    stopped.fit(X, LABELS, optimizer=kept)
    once.fit(X, LABELS, epochs=2, optimizer=Adam())
    assert same(stopped, once)


def test_an_interrupt_is_heeded_at_once():
    net, many = classifier(), np.zeros((20_000, 4), "float32")
    net.fit(X, LABELS)  # compiles
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
    try:
        threading.Timer(0.2, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            net.fit(many, np.zeros(20_000, int), epochs=1000, batch_size=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.isfinite(net.fit(X, LABELS)["loss"]).all()


# Stopping, and batches


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"])
def test_stopping_within_an_epoch(hook):
    events, net = [], classifier()

    def stop(*arguments):
        net.stop_training = True

    history = net.fit(X, LABELS, epochs=3, batch_size=4, callbacks=[LambdaCallback(**{hook: stop}), Recorder("a", events)])
    assert dict(history) == {}
    assert events[-1][1:] == ("train end", [])
    assert same(net, classifier()) == (hook != "on_train_batch_end")


@pytest.mark.parametrize("every", [1, 2, 4, 7, 100])
def test_batch_hooks_come_as_often_as_asked(every):
    class Watch(Callback):
        every_batches = every
        begun, ended = (), ()

        def on_train_batch_begin(self, batch, logs):
            self.begun += ((batch, *logs),)

        def on_train_batch_end(self, batch, logs):
            self.ended += ((batch, *logs),)

    net, unwatched, watch = classifier(), classifier(), Watch()
    history = net.fit(X, LABELS, epochs=3, batch_size=4, callbacks=[watch])  # 6 batches an epoch
    assert watch.begun == tuple((step % 6,) for step in range(0, 18, every))
    assert watch.ended == tuple(((step - 1) % 6, "loss", "accuracy") for step in range(every, 19, every))
    assert unwatched.fit(X, LABELS, epochs=3, batch_size=4) == history
    assert same(net, unwatched)


def test_the_logs_of_the_last_batch_are_the_epochs():
    last = {}
    history = classifier().fit(X, LABELS, epochs=2, batch_size=4, callbacks=[
        LambdaCallback(on_train_batch_end=lambda batch, logs: last.update(logs))
    ])
    assert last == {name: values[-1] for name, values in history.items()}


def test_a_change_of_rate_takes_hold_of_the_next_batch():
    within, between, optimizer = classifier(), classifier(), SGD(0.4)

    def halve(batch, logs):
        within.optimizer.learning_rate /= 2

    within.fit(X, LABELS, batch_size=8, shuffle=False, optimizer=SGD(0.4),
               callbacks=[LambdaCallback(on_train_batch_end=halve)])
    for start in range(0, 23, 8):
        between.fit(X[start:start + 8], LABELS[start:start + 8], batch_size=8, shuffle=False, optimizer=optimizer)
        optimizer.learning_rate /= 2
    assert same(within, between)


# Errors


HOOKS = ["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end", "on_train_end"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("hook", HOOKS)
def test_an_error_in_any_hook_ends_training_for_all(hook, error, tmp_path):
    def fail(*arguments):
        raise error("enough")

    events, net, log = [], classifier(), CSVLogger(tmp_path / "log.csv")
    net.fit(X, LABELS)
    with pytest.raises(error, match="enough"):
        net.fit(X, LABELS, epochs=2, callbacks=[Recorder("a", events), log, LambdaCallback(**{hook: fail}),
                                                Recorder("b", events)])
    ended = [name for name, moment, _ in events if moment == "train end"]
    assert ended == (["a"] if hook == "on_train_begin" else ["a", "b"])
    assert log.file.closed
    assert np.isfinite(net.fit(X, LABELS, epochs=2)["loss"]).all()


BAD = {
    "patience": (lambda: EarlyStopping(patience=-1), "EarlyStopping(patience=...) is -1", "at least 0"),
    "mode": (lambda: EarlyStopping(mode="least"), "EarlyStopping(mode=...) is 'least'", "'min', 'max' or 'auto'"),
    "monitor": (lambda: EarlyStopping(5), "EarlyStopping(monitor=...) is 5", "'val_loss'"),
    "min_delta": (lambda: EarlyStopping(min_delta=-1), "EarlyStopping(min_delta=...) is -1", "at least 0"),
    "restore": (lambda: EarlyStopping(restore_best="no"), "EarlyStopping(restore_best=...) is 'no'", "True or False"),
    "factor": (lambda: ReduceLROnPlateau(factor=2), "ReduceLROnPlateau(factor=...) is 2", "between 0 and 1"),
    "cooldown": (lambda: ReduceLROnPlateau(cooldown=0.5), "ReduceLROnPlateau(cooldown=...) is 0.5", "whole number"),
    "rate": (lambda: ReduceLROnPlateau(min_learning_rate="0"), "min_learning_rate=...) is '0'", "at least 0 and finite"),
    "freq": (lambda: ModelCheckpoint("x", save_freq="batch"), "ModelCheckpoint(save_freq=...) is 'batch'", "whole number"),
    "best batches": (lambda: ModelCheckpoint("x", save_freq=5, save_best_only=True), "save_best_only=True", "'epoch'"),
    "separator": (lambda: CSVLogger("x", separator=", "), "CSVLogger(separator=...) is ', '", "one character"),
    "function": (lambda: LambdaCallback(on_epoch_end="print"), "LambdaCallback(on_epoch_end=...) is 'print'", "function"),
}


@pytest.mark.parametrize(("make", "what", "repair"), BAD.values(), ids=BAD)
def test_arguments_are_checked(make, what, repair):
    with pytest.raises(ValueError, match=f"{re.escape(what)}.*{re.escape(repair)}"):
        make()


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau, lambda: ModelCheckpoint("x", save_best_only=True)])
def test_a_metric_that_is_not_there_is_named_before_training(make):
    net = classifier()
    with pytest.raises(ValueError, match="'val_loss'; this fit reports loss, accuracy: give fit validation_data"):
        net.fit(X, LABELS, callbacks=[make()])
    assert same(net, classifier())


def test_a_directory_that_is_not_there_is_named_before_training(tmp_path):
    for callback in (ModelCheckpoint(tmp_path / "no" / "x"), CSVLogger(tmp_path / "no" / "x")):
        net = classifier()
        with pytest.raises(FileNotFoundError, match="there is no directory"):
            net.fit(X, LABELS, callbacks=[callback])
        assert same(net, classifier())


@pytest.mark.parametrize("make", [CSVLogger, lambda path: ModelCheckpoint(path, "loss")])
def test_a_directory_for_a_file_is_said(make, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a directory; give the name of a file in it"):
        classifier().fit(X, LABELS, callbacks=[make(tmp_path)])


# Each callback


class Pretend(Callback):
    """Replaces the values of a metric, for the callbacks behind it, by given ones."""

    def __init__(self, **values):
        self.values = values

    def on_epoch_end(self, epoch, logs):
        logs |= {name: values[epoch] for name, values in self.values.items()}


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([5, 4, 4, 4, 1], {"patience": 2}, 4, 1),
        ([5, 4, 4, 4, 1], {"patience": 3}, 5, 4),
        ([5, 4, 4, 4, 1], {}, 3, 1),
        ([5, 4, 4, 4, 1], {"patience": 1}, 3, 1),
        ([5, 4.9, 4.8, 4.7, 1], {"patience": 3, "min_delta": 0.5}, 4, 0),
        ([1, 2, 3, 2, 9], {"mode": "max"}, 4, 2),
        ([float("nan"), 3, 4, 5, 6], {"patience": 2}, 4, 1),
    ],
)
def test_early_stopping(values, options, epochs, best):
    stopping, kept, net = EarlyStopping("loss", restore_best=True, **options), {}, classifier()
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: net._parameters.flat.copy()}))
    net.fit(X, LABELS, epochs=5, callbacks=[Pretend(loss=values), stopping, keep])
    assert len(kept) == epochs
    assert (stopping.best, stopping.best_epoch) == (values[best], best)
    assert stopping.stopped_epoch == (epochs - 1 if epochs < 5 else None)
    np.testing.assert_array_equal(net._parameters.flat, kept[best])


def test_an_accuracy_is_better_when_larger():
    values = [0.1, 0.2, 0.3, 0.3, 0.3]
    stopping = EarlyStopping("val_accuracy", patience=1)
    classifier().fit(X, LABELS, epochs=5, validation_data=(X, LABELS), callbacks=[Pretend(val_accuracy=values), stopping])
    assert stopping.stopped_epoch == 3


def test_a_callback_may_be_used_again():
    stopping = EarlyStopping("loss", patience=1, restore_best=True)
    for net in (classifier(), classifier(seed=1)):
        net.fit(X, LABELS, epochs=3, callbacks=[Pretend(loss=[1, 2, 3]), stopping])
        assert stopping.stopped_epoch == 1
    assert not same(net, classifier())


@pytest.mark.parametrize(
    ("values", "options", "rates"),
    [
        ([3, 2, 2, 2, 2, 2], {"patience": 2}, [1, 1, 1, 1, 0.5, 0.5]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "cooldown": 1}, [1, 1, 1, 0.5, 0.5, 0.25]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "min_learning_rate": 0.3}, [1, 1, 1, 0.5, 0.3, 0.3]),
        ([3, 2, 2, 2, 2, 2], {"patience": 1, "min_learning_rate": 7}, None),
        ([6, 5, 4, 3, 2, 1], {"patience": 1}, None),
        ([6, 5, 4, 3, 2, 1], {"patience": 1, "mode": "max", "factor": 0.1}, [1, 1, 0.1, 0.01, 0.001, 0.0001]),
    ],
)
def test_reduce_lr_on_plateau(values, options, rates):
    reduce = ReduceLROnPlateau("loss", **{"factor": 0.5, **options})
    history = classifier().fit(X, LABELS, epochs=6, optimizer=SGD(1.0), callbacks=[Pretend(loss=values), reduce])
    assert history.get("learning_rate") == (None if rates is None else pytest.approx(rates))


def test_terminate_on_nan_ends_quietly_with_the_weights_before():
    net = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.raises(DivergenceError):
        net.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3))
    other = Network([Dense(8, "relu"), Dense(1)], inputs=4)
    with pytest.warns(RuntimeWarning, match="in epoch 1, batch 0: the loss is not finite"):
        other.fit(1e4 * X, 1e4 * X[:, 0], epochs=100, optimizer=SGD(1e3), callbacks=[TerminateOnNaN()])
    assert same(net, other)
    with pytest.warns(RuntimeWarning, match="after epoch 1: loss is nan"):
        history = classifier().fit(X, LABELS, epochs=9, callbacks=[Pretend(loss=[1.0, float("nan")]), TerminateOnNaN()])
    assert len(history["loss"]) == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_logger(separator, tmp_path):
    path, net = tmp_path / "log.csv", classifier()
    path.write_text("old")
    options = {"validation_data": (X, LABELS), "epochs": 3}
    history = net.fit(X, LABELS, callbacks=[CSVLogger(path, separator=separator)], **options)
    rows = list(csv.reader(io.StringIO(path.read_text()), delimiter=separator))
    assert rows[0] == ["epoch", *history]
    assert [[float(value) for value in row] for row in rows[1:]] == [
        [epoch, *(values[epoch] for values in history.values())] for epoch in range(3)
    ]
    net.fit(X, LABELS, callbacks=[CSVLogger(path, separator=separator, append=True)], **options)
    assert [row[0] for row in csv.reader(io.StringIO(path.read_text()), delimiter=separator)] == ["epoch", *"012012"]


@pytest.mark.parametrize(("there", "repair"), [
    ("epoch,loss\n0,1.5\n", "another file"), ("epoch;loss;accuracy\n", "another file"), ("something else", "another file"),
    ("epoch,loss,accuracy\n0,1.5,0", "mend the file"),
])
def test_rows_are_not_added_to_another_log(there, repair, tmp_path):
    path, net = tmp_path / "log.csv", classifier()
    path.write_text(there)
    with pytest.raises(ValueError, match=repair):
        net.fit(X, LABELS, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text() == there
    assert same(net, classifier())


@pytest.mark.parametrize("make", [
    lambda path: CSVLogger(path / "log.csv"), lambda path: EarlyStopping("loss", restore_best=True),
    lambda path: TerminateOnNaN(), lambda path: ModelCheckpoint(path / "net.safetensors"), lambda path: LambdaCallback(),
    lambda path: ModelCheckpoint(path / "net.safetensors", save_freq=2), lambda path: ReduceLROnPlateau("loss"),
])
def test_a_callback_may_be_copied_and_pickled_in_a_fit_and_after_it(make, tmp_path):
    """As scikit-learn's clone and its searches in processes do with those of an estimator."""
    callback, copies = make(tmp_path), []

    def take(epoch, logs):
        copies.extend([copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))])

    classifier().fit(X, LABELS, epochs=2, callbacks=[callback, LambdaCallback(on_epoch_end=take)])
    take(2, {})
    for each in copies:
        assert len(classifier().fit(X, LABELS, epochs=2, callbacks=[each])["loss"]) == 2


def test_rows_may_be_added_to_an_empty_file(tmp_path):
    path = tmp_path / "log.csv"
    path.touch()
    classifier().fit(X, LABELS, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text().startswith("epoch,loss,accuracy\n0,")


def test_a_row_is_in_the_file_when_its_epoch_is_over(tmp_path):
    path, lines = tmp_path / "log.csv", []
    count = LambdaCallback(on_epoch_end=lambda epoch, logs: lines.append(len(path.read_text().splitlines())))
    classifier().fit(X, LABELS, epochs=3, callbacks=[CSVLogger(path), count])
    assert lines == [2, 3, 4]


def test_model_checkpoint_keeps_the_best(tmp_path):
    path, net, kept = tmp_path / "best.safetensors", classifier(), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(net._parameters.flat.copy()))
    save = ModelCheckpoint(path, "accuracy", save_best_only=True)
    pretend = Pretend(accuracy=[0.1, 0.5, 0.3, 0.5])
    net.fit(X, LABELS, epochs=4, callbacks=[save, pretend, keep])  # save comes last all the same
    np.testing.assert_array_equal(Network.load(path)._parameters.flat, kept[1])


def test_model_checkpoint_fills_in_names(tmp_path):
    names = {
        ("a-{epoch:02d}-{val_loss:.0f}.safetensors", "epoch"): {"a-01-3.safetensors", "a-02-1.safetensors"},
        ("b-{epoch}-{batch}.safetensors", 4): {"b-1-4.safetensors", "b-2-2.safetensors", "b-2-6.safetensors"},
    }
    for (name, freq), files in names.items():
        save = ModelCheckpoint(os.path.join(tmp_path, name), save_freq=freq)
        classifier().fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS),
                         callbacks=[Pretend(val_loss=[3.0, 1.0]), save])
        assert {path.name for path in tmp_path.glob(name[0] + "*")} == files
    with pytest.raises(ValueError, match=r"cannot be filled in.*there are epoch, loss, accuracy"):
        classifier().fit(X, LABELS, callbacks=[ModelCheckpoint("{val_loss}")])


def test_every_callback_is_at_the_top_level():
    assert all(getattr(fastnn, name) is getattr(callbacks, name) for name in callbacks.__all__)


@pytest.mark.parametrize("rates", [[], [0.1], [0.1] * 5, [0.1, 0.1, 0.2, 0.2, 0.1], [0.3, 0.2, 0.1]])
@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_the_learning_rate_is_in_the_history_once_it_differs(rates, at_once):
    history = History()
    for begin in range(0, len(rates), at_once):
        some = rates[begin:begin + at_once]
        history.extend({"loss": [1.0] * len(some)}, some)
    assert history.learning_rates == rates
    assert history.get("learning_rate", rates) == rates
    assert ("learning_rate" in history) == (len(set(rates)) > 1)


def test_the_learning_rate_is_in_the_history_if_it_changes():
    net = classifier()
    assert "learning_rate" not in net.fit(X, LABELS, epochs=3, optimizer=SGD(0.5))
    net.fit(X, LABELS, epochs=4, optimizer=SGD(0.5), callbacks=[
        LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(net.optimizer, "learning_rate", 0.25 if epoch == 1 else 0.5))
    ])
    assert net.history["learning_rate"] == [0.5, 0.5, 0.25, 0.5]


# The progress bar


def test_progress_bar(capsys):
    classifier().fit(X, LABELS, epochs=2, progress=True)
    assert "batch" in capsys.readouterr().err
    classifier().fit(X, LABELS, epochs=2)
    assert capsys.readouterr().err == ""


def test_the_bar_shows_epoch_and_metrics(capsys, monkeypatch):
    monkeypatch.setattr(progress, "METRICS_EVERY", 0)
    classifier().fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS), progress=True,
                     callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: None)])
    shown = capsys.readouterr().err
    for word in ("epoch 2/2", "12/12", "accuracy=", "val_loss="):
        assert word in shown


@pytest.mark.parametrize("terminal", [True, False])
def test_unasked_it_is_for_terminals(terminal, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with progress.Progress(None, 2, 5, 0) as bar:
        assert (bar.bar is not None) == terminal
        assert bar.bar is None or bar.bar.delay == progress.DELAY


class Broken(io.StringIO):
    """A terminal that takes so many pieces of text and no more, as one whose window is closed."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def isatty(self):
        return True

    def write(self, text):
        self.pieces -= 1
        if self.pieces < 0:
            raise BrokenPipeError("the reader has gone")
        return len(text)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("shown", [None, True])
@pytest.mark.parametrize("stream", [lambda: None, closed, *[partial(Broken, n) for n in (0, 1, 2, 5)]])
def test_a_bar_that_cannot_be_shown_ends_no_fit(stream, shown, monkeypatch):
    monkeypatch.setattr(progress, "DELAY", 0)
    monkeypatch.setattr(sys, "stderr", stream())
    history = classifier().fit(X, LABELS, epochs=3, batch_size=4, progress=shown,
                               callbacks=[LambdaCallback(on_train_batch_end=lambda batch, logs: None)])
    assert len(history["loss"]) == 3


def test_in_a_notebook_it_is_the_notebooks():
    """In a kernel of Jupyter, run for real where it is installed."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("ipywidgets")
    cell = ("import numpy as np\n"
            "from fastnn import Callback, Dense, Network, progress\n"
            "progress.DELAY = 0\n"
            "net = Network([Dense(1)], inputs=1)\n"
            "net.fit(np.ones((9, 1)), np.ones(9), epochs=3{});")
    for options, shown in (("", True), (", progress=True", True), (", progress=False", False)):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.format(options))])
        nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
        outputs = notebook.cells[0].outputs
        views = [view for output in outputs for view in output.get("data", {}) if "widget" in view]
        assert bool(views) == shown, (options, outputs)
