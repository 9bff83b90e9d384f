"""What happens between the slices of training: callbacks, stopping, Ctrl-C and the progress bar."""

import _thread
import signal
import threading

import numpy as np
import pytest
from nets import LABELS, X, classifier, same

from fastnn import SGD, Adam, Callback


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


def test_progress_bar(capsys):
    classifier().fit(X, LABELS, epochs=2, progress=True)
    assert "batch" in capsys.readouterr().err
    classifier().fit(X, LABELS, epochs=2)
    assert capsys.readouterr().err == ""
