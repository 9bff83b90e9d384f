"""Populations: every member gets the same bits, weights and history, as alone, whatever happens."""

import copy
import threading
from _thread import interrupt_main

import numpy as np
import pytest
from layer_cases import VALUES, X, all_bits
from members import LABELS, WEIGHTS, check_same, classifiers, fit_alone, linear, values_members

from fastnn import (
    LBFGS,
    SGD,
    Adam,
    Callback,
    CosineDecay,
    Dense,
    DivergenceError,
    EarlyStopping,
    LambdaCallback,
    Network,
    Population,
    ReduceLROnPlateau,
    TerminateOnNaN,
    losses,
    optimizers,
)
from fastnn.population import task, worker_pool


@pytest.fixture(params=["at leisure", "in haste"])
def pace(request, monkeypatch):
    """Once normally, and once with a check of the clock after every batch that always says that the time is up."""
    if request.param == "in haste":
        monkeypatch.setattr(worker_pool, "SLICE", 0)
        monkeypatch.setattr(task, "FLOPS_PER_LOOK", 1)
        monkeypatch.setattr(task, "MOST_EPOCHS", 3)
    return request.param


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_members_come_to_the_bits_they_come_to_alone(threads, pace):
    together, alone = values_members(), values_members()
    kinds = [*optimizers.values()]
    numbers = range(len(alone))
    options = {"epochs": [k % 5 for k in numbers], "batch_size": [(1, 7, 32, 500)[k % 4] for k in numbers],
               "sample_weight": WEIGHTS, "validation_data": (X[:30], VALUES[:30], WEIGHTS[:30])}
    given = [kinds[k % len(kinds)](learning_rate=0.01) for k in range(len(alone))]
    expected = fit_alone(alone, X, VALUES, optimizer=given, **options)
    histories = Population(together).fit(X, VALUES, optimizer=given, threads=threads, **options)
    check_same(together, alone, histories, expected)


@pytest.mark.parametrize("options", [
    {}, {"shuffle": False}, {"optimizer": Adam(CosineDecay(0.05, steps=20))}, {"optimizer": Adam(0.05, clip_norm=0.1)},
    {"optimizer": Adam(lambda step: 0.1 / step)}, {"optimizer": "rmsprop", "sample_weight": WEIGHTS},
    {"validation_data": (X[:20], LABELS[:20])},
    {"callbacks": [ReduceLROnPlateau("loss", patience=1, min_delta=0.1)], "optimizer": Adam(0.1)},
    {"callbacks": [LambdaCallback(on_epoch_begin=lambda epoch, logs: None)]},
    {"callbacks": [LambdaCallback(on_train_batch_end=lambda batch, logs: None)]},
], ids=["plain", "in order", "schedule", "clipped", "function", "weighted", "validated", "plateau", "epochs", "batches"])
def test_under_every_option(options, pace):
    together, alone = Population(classifiers()), classifiers()
    options = {"epochs": 9, "batch_size": 16, **options}
    own = [copy.copy(options.get("optimizer"))] * 4 if "callbacks" not in options else [
        copy.copy(options.get("optimizer")) for _ in alone]
    expected = fit_alone(alone, X, LABELS, **{**options, "optimizer": own})
    check_same(together, alone, together.fit(X, LABELS, threads=2, **options), expected)


@pytest.mark.parametrize("stopping", [
    EarlyStopping(patience=2, restore_best=True), EarlyStopping("loss", min_delta=0.02),
    EarlyStopping("val_accuracy", patience=3),
    EarlyStopping("accuracy", patience=4, restore_best=True),
], ids=lambda stopping: stopping.monitor)
def test_early_stopping_of_each(stopping, pace):
    together, alone = Population(classifiers(8)), classifiers(8)
    options = {"epochs": 40, "batch_size": 16, "validation_data": (X[:25], LABELS[:25])}
    stoppings = [copy.copy(stopping) for _ in alone]
    expected = [net.fit(X, LABELS, optimizer=Adam(0.05), callbacks=[own], threads=1, **options)
                for net, own in zip(alone, stoppings, strict=True)]
    histories = together.fit(X, LABELS, optimizer=Adam(0.05), callbacks=[stopping], **options)
    check_same(together, alone, histories, expected)
    for own, (other,) in zip(stoppings, together.callbacks, strict=True):
        assert (own.best, own.best_epoch, own.wait, own.stopped_epoch) == (
            other.best, other.best_epoch, other.wait, other.stopped_epoch)
    assert len({len(history.epochs) for history in histories}) > 1


@pytest.mark.parametrize("loss", losses)
def test_every_loss(loss):
    record = losses[loss]
    last = {"classes": "softmax", "binary": "sigmoid", "values": "identity"}[record.targets]
    y = {"classes": LABELS, "binary": LABELS > 0, "values": VALUES[:, 0]}[record.targets]
    outputs = 3 if last == "softmax" else record.outputs_of_target

    def member(width):
        return Network([Dense(width, "relu"), Dense(outputs, last)], inputs=9, loss=loss)

    together, alone = [member(4), member(9)], [member(4), member(9)]
    options = {"epochs": 3, "validation_data": (X, y)}
    check_same(together, alone, Population(together).fit(X, y, **options), fit_alone(alone, X, y, **options))


def test_five_epochs_and_five_more_are_ten():
    twice, once, kept = Population(classifiers()), classifiers(), Adam(0.01)
    first = twice.fit(X, LABELS, epochs=5, optimizer=kept)
    kept.learning_rate = 0.02
    second = twice.fit(X, LABELS, epochs=5, optimizer=kept)
    for number, net in enumerate(once):
        own = Adam(0.01)
        expected = net.fit(X, LABELS, epochs=5, optimizer=own)["loss"]
        own.learning_rate = 0.02
        expected = expected + net.fit(X, LABELS, epochs=5, optimizer=own)["loss"]
        assert first[number]["loss"] + second[number]["loss"] == expected
        assert all_bits(net) == all_bits(twice[number])


def test_a_member_goes_on_alone_and_back():
    together, alone = Population(classifiers()), classifiers()
    together.fit(X, LABELS, epochs=2)
    together[1].fit(X, LABELS, epochs=5, resume=True)
    histories = together.fit(X, LABELS, epochs=5, resume=True)
    check_same(together, alone, histories, fit_alone(alone, X, LABELS, epochs=5))


@pytest.mark.parametrize("calls", [0, 1, 5])
def test_after_an_interrupt_each_goes_on_to_the_same_bits(calls, monkeypatch):
    monkeypatch.setattr(worker_pool, "SLICE", 0)
    monkeypatch.setattr(task, "FLOPS_PER_LOOK", 1)
    run, left = worker_pool.WorkerPool.run_tasks, [calls]

    def interrupted(self, tasks):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return run(self, tasks)

    together, alone = Population(classifiers()), classifiers()
    options = {"epochs": 6, "batch_size": 8, "validation_data": (X[:9], LABELS[:9]),
               "callbacks": [EarlyStopping(patience=3, restore_best=True)]}
    monkeypatch.setattr(worker_pool.WorkerPool, "run_tasks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        together.fit(X, LABELS, optimizer="adam", threads=2, **options)
    monkeypatch.undo()
    assert len(together.histories) == 4
    together.predict(X)
    histories = together.fit(X, LABELS, resume=True, **options)
    check_same(together, alone, histories, fit_alone(alone, X, LABELS, **options))


def test_control_c():
    def members():
        like = Network([Dense(64, "relu"), Dense(64, "relu"), Dense(3, "softmax")], inputs=9)
        return [*Population(like, seeds=range(3))]

    together, alone = Population(members()), members()
    threading.Timer(0.3, interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        together.fit(X, LABELS, epochs=10**6, batch_size=8)
    done = [len(history.epochs) for history in together.histories]
    assert max(done) > 0
    epochs = max(done) + 2
    histories = together.fit(X, LABELS, epochs=epochs, batch_size=8, resume=True)
    check_same(together, alone, histories, fit_alone(alone, X, LABELS, epochs=epochs, batch_size=8))


def test_members_may_be_stopped_from_outside(monkeypatch):
    """By a flag that another member's callback sets, at any point of a task of many epochs; each can be resumed."""
    together, alone = Population(classifiers()), classifiers()

    def stop_all(epoch, logs):
        if epoch == 2:
            for net in together:
                net.stop_training = True

    def callbacks(member):
        return [LambdaCallback(on_epoch_end=stop_all)] if member == 2 else []  # the one that takes longest, so begins

    monkeypatch.setattr(task, "MOST_EPOCHS", 10**5)
    together.fit(X, LABELS, epochs=10**9, batch_size=1, callbacks=callbacks, threads=2)
    done = [len(history.epochs) for history in together.histories]
    assert done[2] == 3
    assert max(done) < 10**5
    epochs = max(done) + 2
    histories = together.fit(X, LABELS, epochs=epochs, batch_size=1, resume=True)
    check_same(together, alone, histories, fit_alone(alone, X, LABELS, epochs=epochs, batch_size=1))


def test_a_member_that_diverges_stops_alone():
    together, alone = Population([linear(seed) for seed in range(4)]), [linear(seed) for seed in range(4)]
    rates, y = [0.01, 1e6, 0.02, 1e7], X.sum(axis=1)
    with pytest.warns(RuntimeWarning, match="2 of 4 members diverged and stopped: 1, 3"):
        histories = together.fit(X, y, epochs=90, optimizer=[SGD(rate) for rate in rates])
    assert [*together.errors] == [1, 3]
    for number, net in enumerate(alone):
        if number in together.errors:
            with pytest.raises(DivergenceError) as error:
                net.fit(X, y, epochs=90, optimizer=SGD(rates[number]))
            assert str(error.value) == str(together.errors[number])
        else:
            net.fit(X, y, epochs=90, optimizer=SGD(rates[number]))
        assert all_bits(net) == all_bits(together[number])
        assert dict(net.history) == dict(histories[number])
    assert np.isnan(together.scores()).tolist() == [False, True, False, True]
    assert together.best() in (together[0], together[2])
    with pytest.warns(RuntimeWarning, match="training ended"):
        together.fit(X, y, epochs=90, optimizer=[SGD(rate) for rate in rates], callbacks=[TerminateOnNaN()])
    assert together.errors == {}


def test_members_may_learn_from_the_weights_of_one():
    """With their values at the beginning, however these change."""
    def members():
        return [Network([Dense(3, "tanh"), Dense(1)], inputs=4, seed=seed) for seed in range(3)]

    together, alone = members(), members()
    data, labels = together[1].parameters["0.weight"].reshape(3, 4), together[2].parameters["1.weight"]
    copies = data.copy(), labels.copy()
    histories = Population(together).fit(data, labels, epochs=5, validation_data=(data, labels))
    check_same(together, alone, histories, fit_alone(alone, *copies, epochs=5, validation_data=copies))


def test_lbfgs_trains_after_the_others():
    together, alone = Population(classifiers()), classifiers()
    given = [Adam(0.01), LBFGS(max_iterations=5), "sgd", LBFGS(max_iterations=3)]
    histories = together.fit(X, LABELS, epochs=3, optimizer=given, validation_rows=np.arange(30))
    options = {"validation_data": (X[:30], LABELS[:30])}
    expected = [net.fit(X, LABELS, epochs=1 if isinstance(own, LBFGS) else 3, optimizer=own, **options)
                for net, own in zip(alone, given, strict=True)]
    check_same(together, alone, histories, expected)


def test_callbacks_of_each_and_of_none_other():
    seen = []

    class Seen(Callback):
        def __init__(self, member):
            self.member = member

        def on_epoch_end(self, epoch, logs):
            seen.append((self.member, epoch, self.network is population[self.member]))

    population = Population(classifiers(3))
    population.fit(X, LABELS, epochs=2, callbacks=lambda member: [Seen(member)])
    assert sorted(seen) == [(member, epoch, True) for member in range(3) for epoch in range(2)]

    class Broken(Callback):
        def on_epoch_end(self, epoch, logs):
            raise OSError("full")

    ends = []
    with pytest.raises(OSError, match="full"):
        population.fit(X, LABELS, epochs=2, callbacks=[Broken(), LambdaCallback(on_train_end=ends.append)])
    assert len(ends) == 3
    shared = Adam(0.1)
    population.fit(X, LABELS, epochs=8, optimizer=shared, callbacks=[ReduceLROnPlateau("loss", patience=1, min_delta=9.0)])
    assert shared.learning_rate == 0.1
    assert all(net.optimizer.learning_rate < 0.1 for net in population)
