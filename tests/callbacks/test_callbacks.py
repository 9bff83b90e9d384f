"""When callbacks are called, how they stop a fit, and the state of the fit when one raises."""

import _thread
import re
import signal
import threading

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Adam, Callback, CSVLogger, EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau


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
