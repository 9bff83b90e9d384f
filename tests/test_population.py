"""Populations: every member comes to the bits, weights and history, that it comes to alone, whatever happens on the way."""

import copy
import pickle
import threading
import tracemalloc
import warnings
from _thread import interrupt_main

import numpy as np
import pytest
from layer_cases import LAYERS, VALUES, X, all_bits, network

from fastnn import (
    LBFGS,
    SGD,
    Adam,
    Callback,
    CosineDecay,
    CSVLogger,
    Dense,
    DivergenceError,
    EarlyStopping,
    LambdaCallback,
    Network,
    Population,
    ReduceLROnPlateau,
    TerminateOnNaN,
    k_folds,
    losses,
    optimizers,
)
from fastnn.population import crew, task

LABELS = np.random.default_rng(3).integers(3, size=len(X))
WEIGHTS = np.random.default_rng(4).uniform(0.5, 2, size=len(X))


@pytest.fixture(params=["at leisure", "in haste"])
def pace(request, monkeypatch):
    """Once as it is, and once with a look at the clock after every batch, which always says that the time is over."""
    if request.param == "in haste":
        monkeypatch.setattr(crew, "SLICE", 0)
        monkeypatch.setattr(task, "FLOPS_PER_LOOK", 1)
        monkeypatch.setattr(task, "MOST_EPOCHS", 3)
    return request.param


def values_members():
    """Every layer in the middle, both dtypes, several widths."""
    return [network(name, "between", width=width, dtype=dtype) for name in LAYERS
            for width, dtype in ((5, "float32"), (17, "float64"))]


def classifiers(count=4):
    shapes = [(8,), (5, 5), (16,), (3, 3, 3)]
    return [Network([*(Dense(width, "tanh", l2=0.001 * (seed % 2)) for width in shapes[seed % 4]), Dense(3, "softmax")],
                    inputs=9, seed=seed) for seed in range(count)]


def fit_alone(nets, X, y, *, callbacks=(), **options):
    """Each by `Network.fit`; an option in a list is one for each."""
    histories = []
    for number, net in enumerate(nets):
        own = {name: value[number] if isinstance(value, list) else value for name, value in options.items()}
        histories.append(net.fit(X, y, threads=1, callbacks=[copy.copy(callback) for callback in callbacks], **own))
    return histories


def check_same(nets, others, histories, other_histories):
    for net, other, history, other_history in zip(nets, others, histories, other_histories, strict=True):
        assert all_bits(net) == all_bits(other), net
        assert dict(history) == dict(other_history)
        assert history.learning_rates == other_history.learning_rates


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

    def member(width):
        return Network([Dense(width, "relu"), Dense(3 if last == "softmax" else 1, last)], inputs=9, loss=loss)

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
    monkeypatch.setattr(crew, "SLICE", 0)
    monkeypatch.setattr(task, "FLOPS_PER_LOOK", 1)
    run, left = crew.Crew.run, [calls]

    def interrupted(self, tasks):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return run(self, tasks)

    together, alone = Population(classifiers()), classifiers()
    options = {"epochs": 6, "batch_size": 8, "validation_data": (X[:9], LABELS[:9]),
               "callbacks": [EarlyStopping(patience=3, restore_best=True)]}
    monkeypatch.setattr(crew.Crew, "run", interrupted)
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
    """By what another member's callback sets, wherever they are in the many epochs of a task; each can go on."""
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


def linear(seed):
    return Network([Dense(1)], inputs=9, seed=seed)


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


def test_members_learn_from_rows_of_one_array():
    rows, validation_rows = zip(*k_folds(len(X), 4), strict=True)
    assert sorted(np.concatenate(validation_rows)) == [*range(len(X))]
    for options in ({}, {"shuffle": False}, {"sample_weight": WEIGHTS}, {"callbacks": [LambdaCallback(
            on_train_batch_begin=lambda batch, logs: None)]}):
        together, alone = Population(classifiers()), classifiers()
        histories = together.fit(X, LABELS, epochs=4, batch_size=9, rows=rows, validation_rows=validation_rows, **options)
        for number, net in enumerate(alone):
            train, held_out = rows[number], validation_rows[number]
            weights = [WEIGHTS[held_out]] if "sample_weight" in options else []
            own = {**options, "sample_weight": WEIGHTS[train]} if weights else options
            history = net.fit(X[train], LABELS[train], epochs=4, batch_size=9,
                              validation_data=(X[held_out], LABELS[held_out], *weights), **own)
            check_same([together[number]], [net], [histories[number]], [history])


def test_rows_of_equally_many_may_be_one_array():
    rows = np.random.default_rng(0).integers(len(X), size=(4, 30))
    together, alone = Population(classifiers()), Population(classifiers())
    histories = together.fit(X, LABELS, epochs=2, rows=rows, validation_rows=rows[:, :5])
    expected = alone.fit(X, LABELS, epochs=2, rows=[*rows], validation_rows=[*rows[:, :5]])
    check_same(together, alone, histories, expected)
    with pytest.raises(ValueError, match="rows has 3 entries"):
        together.fit(X, LABELS, rows=rows[:3])


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0}])
def test_class_weights_are_those_of_the_rows(class_weight):
    rows = [None, np.arange(40), np.arange(5, 70, 2), np.arange(70) % 3 > 0]
    together, alone = Population(classifiers()), classifiers()
    histories = together.fit(X, LABELS, epochs=3, rows=rows, class_weight=class_weight, sample_weight=WEIGHTS)
    for number, net in enumerate(alone):
        own = slice(None) if rows[number] is None else rows[number]
        history = net.fit(X[own], LABELS[own], epochs=3, class_weight=class_weight, sample_weight=WEIGHTS[own])
        check_same([together[number]], [net], [histories[number]], [history])


def test_pickles():
    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2, optimizer=Adam(0.01), callbacks=[EarlyStopping("loss", restore_best=True)])
    twin = pickle.loads(pickle.dumps(population))
    assert np.array_equal(twin.predict_proba(X), population.predict_proba(X))
    assert twin.scores().tolist() == population.scores().tolist()
    twin.fit(X, LABELS)


def test_data_are_shared(monkeypatch):
    seen, data = [], X.astype(np.float32)
    prepare = task.Task.__init__

    def spy(self, trainer, evaluation):
        seen.append((trainer.program.data.X, evaluation.data.X))
        prepare(self, trainer, evaluation)

    monkeypatch.setattr(task.Task, "__init__", spy)
    rows = k_folds(len(X), 4)
    Population(classifiers()).fit(data, LABELS, rows=[fold for fold, _ in rows], validation_rows=[fold for _, fold in rows])
    assert len(seen) == 4
    assert all(np.shares_memory(each, data) for pair in seen for each in pair)


def test_the_memory_of_a_member_does_not_grow_with_the_data(monkeypatch):
    """Orders of samples, activations and gradients are the threads'."""
    samples, sizes, run = 20_000, {}, crew.Crew.run
    data, labels = np.zeros((samples, 9), np.float32), np.zeros(samples, int)

    def measured(self, tasks):
        sizes[len(population)] = tracemalloc.get_traced_memory()[0]
        return run(self, tasks)

    monkeypatch.setattr(crew.Crew, "run", measured)
    tracemalloc.start()
    try:
        for members in (2, 10):
            population = Population(classifiers(members))
            population.fit(data, labels, batch_size=1000, threads=1, validation_rows=np.arange(0, samples, 2),
                           class_weight={0: 2.0})
    finally:
        tracemalloc.stop()
    assert (sizes[10] - sizes[2]) / 8 < 2 * samples  # an order takes 8 bytes a sample, weights 4


def test_members_may_learn_from_the_weights_of_one():
    """As they were at the beginning, however these change."""
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


def state(population):
    return [(all_bits(net), net._fit, dict(net.history or {})) for net in population]


@pytest.mark.parametrize(("options", "message"), [
    ({"X": X[:, :3]}, "takes 9"),
    ({"y": LABELS + 1}, "labels must run from 0 to 2"),
    ({"epochs": [1, 2]}, "epochs has 2 entries; this population has 4 members"),
    ({"epochs": -1}, "epochs is -1"),
    ({"batch_size": [1, 2, 3, 0]}, "batch_size is 0"),
    ({"optimizer": ["adam"] * 3}, "optimizer has 3 entries"),
    ({"optimizer": ["adam", "sgd", "adan", "lion"]}, "member 2: unknown optimizer 'adan'"),
    ({"rows": np.arange(len(X) + 1)}, "rows has row 70; the rows of X are 0 to 69"),
    ({"rows": [[-1]] * 4}, "row -1"),
    ({"rows": [np.zeros(0, int)] * 4}, "give the numbers of some rows"),
    ({"rows": [[0, 1]] * 3}, "rows has 3 entries"),
    ({"validation_rows": np.linspace(0, 1, 70)}, "give the numbers of some rows"),
    ({"validation_rows": [0], "validation_data": (X, LABELS)}, "both given"),
    ({"validation_data": X}, "must be a tuple"),
    ({"validation_data": (X, VALUES)}, "validation_data: y"),
    ({"callbacks": [CSVLogger("log.csv")]}, "give a function of the member's number"),
    ({"callbacks": [EarlyStopping("val_loss")]}, "member 0: EarlyStopping.*give fit validation_data"),
    ({"callbacks": lambda number: number}, "must be a list of Callback"),
    ({"resume": True, "batch_size": 5}, "member 0: batch_size is 5; the fit to be resumed has 32"),
    ({"resume": True, "optimizer": LBFGS()}, "cannot be resumed"),
    ({"threads": 0}, "threads is 0"),
    ({"sample_weight": 1.0 * (np.arange(len(X)) > 5), "rows": [0, 1]}, "zero for all of a member's rows"),
    ({"class_weight": "fair"}, "class_weight is 'fair'"),
])
def test_what_does_not_fit_is_refused_and_nothing_has_changed(options, message):
    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2)
    before, histories = state(population), population.histories
    given = {"X": X, "y": LABELS, "optimizer": None, **options}
    with pytest.raises(ValueError, match=message):
        population.fit(given.pop("X"), given.pop("y"), **given)
    assert state(population) == before
    assert population.histories is histories
    population.fit(X, LABELS, epochs=3, resume=True)


def test_a_callback_that_refuses_on_the_last_member_leaves_all_as_they_were():
    class Refuses(Callback):
        def on_train_begin(self, logs):
            raise ValueError("not this one")

    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2)
    before = state(population)
    with pytest.raises(ValueError, match="member 3: not this one"):
        population.fit(X, LABELS, callbacks=lambda number: [Refuses()] if number == 3 else [])
    assert state(population) == before


@pytest.mark.parametrize(("members", "message"), [
    (lambda: [], "networks is empty"),
    (lambda: [Network([Dense(1)], 2), "net"], r"networks\[1\] is 'net'"),
    (lambda: [Network([Dense(1)], 2)] * 2, "a member twice"),
    (lambda: [Network([Dense(1)], 2), Network([Dense(1)], 3)], "member 1 takes 3 inputs and member 0 takes 2"),
    (lambda: [Network([Dense(1)], 2), Network([Dense(2)], 2)], "member 1 learns 2 values and member 0 1 values"),
    (lambda: [Network([Dense(2)], 2), Network([Dense(2, "softmax")], 2)], "member 1 learns 2 probabilities"),
    (lambda: [Network([Dense(2, "sigmoid")], 2), Network([Dense(2, "softmax")], 2)], "each for itself"),
    (lambda: Network([Dense(1)], 2), "seeds=range"),
    (lambda: 5, "networks is 5; it must be a list"),
    (lambda: "net", "networks is 'net'; it must be a list"),
])
def test_members_that_cannot_learn_together(members, message):
    with pytest.raises(ValueError, match=message):
        Population(members())


def test_members_by_number_slice_and_list():
    population = Population(classifiers())
    population.fit(X, LABELS, epochs=2)
    assert population[1] is population.networks[1]
    assert [*population[1:3]] == population.networks[1:3]
    assert [*population[[3, 0]]] == [population[3], population[0]]
    assert population[[3]].histories == [population.histories[3]]
    assert [*population[np.array([False, True, False, True])]] == [population[1], population[3]]
    assert [*population[population.scores() <= min(population.scores())]] == [population.best()]
    assert [*population[np.array([-1, 0])]] == [population[3], population[0]]
    for wrong in ("a", [True], [0.5], [[0]], None):
        with pytest.raises(ValueError, match="a mask of one bool a member"):
            population[wrong]
    with pytest.raises(IndexError):
        population[[4]]
    with pytest.raises(ValueError, match="networks is empty"):
        population[[]]
    assert "4 networks" in repr(population)
    assert [net.seed for net in Population(population[0], seeds=[7, 8])] == [7, 8]
    with pytest.raises(ValueError, match="goes with one network"):
        Population(population.networks, seeds=[1, 2])
    with pytest.raises(ValueError, match="seeds is 3; it must be a list"):
        Population(population[0], seeds=3)


def test_members_counted_from_the_end_keep_what_is_theirs():
    """What their optimizers remember, and their errors."""
    twice, once, kept = Population(classifiers()), classifiers(), Adam(0.01)
    twice.fit(X, LABELS, epochs=3, optimizer=kept)
    twice[[-1, 1]].fit(X, LABELS, epochs=3, optimizer=kept)
    for number in (1, 3):
        once[number].fit(X, LABELS, epochs=6, optimizer=Adam(0.01))
        assert all_bits(once[number]) == all_bits(twice[number])
    population = Population([linear(seed) for seed in range(2)])
    with pytest.warns(RuntimeWarning, match="1 of 2"):
        population.fit(X, X.sum(axis=1), epochs=90, optimizer=[SGD(0.01), SGD(1e7)])
    assert [*population[[-1]].errors] == [0]


def test_scores_ranking_and_table():
    population = Population(classifiers())
    with pytest.raises(ValueError, match="call fit first"):
        population.scores()
    population.fit(X, LABELS, epochs=[1, 2, 9, 4], optimizer=Adam(0.02), validation_rows=np.arange(35))
    assert population.scores().tolist() == [history["val_loss"][-1] for history in population.histories]
    assert population.best() is population[int(np.argmin(population.scores()))]
    assert population.best("accuracy") is population[int(np.argmax(population.scores("accuracy")))]
    with pytest.raises(ValueError, match="'los' was not recorded; recorded were accuracy, loss"):
        population.scores("los")
    table = population.table()
    assert len(table) == 4
    assert list(table["epochs"]) == [1, 2, 9, 4]
    stopped = population.fit(X, LABELS, epochs=50, optimizer=Adam(0.1), validation_rows=np.arange(20),
                             callbacks=[EarlyStopping(restore_best=True)])
    assert population.scores().tolist() == [min(history["val_loss"]) for history in stopped]


def test_members_of_different_losses_are_not_to_be_judged_by_them():
    population = Population([Network([Dense(3, "softmax")], inputs=9, loss=loss) for loss in ("squared_error", None)])
    population.fit(X, LABELS, epochs=2)
    with pytest.warns(UserWarning, match=r"\(cross_entropy, squared_error\).*metric='accuracy'"):
        population.best()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        population.best("accuracy")
    with pytest.warns(UserWarning, match="metric='val_accuracy'"):
        population.halve(X, LABELS, epochs=3, validation_rows=np.arange(20))
    values = Population([Network([Dense(1)], inputs=9, loss=loss) for loss in ("squared_error", "huber")])
    values.fit(X, X[:, 0])
    with pytest.warns(UserWarning, match="an error of your own"):
        values.ranking()


def test_the_table_without_pandas(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    table = Population(classifiers()).table()
    assert [row["seed"] for row in table] == [0, 1, 2, 3]
    assert "parameters" in repr(table)


def test_the_ensemble():
    population = Population(classifiers(5))
    population.fit(X, LABELS, epochs=3)
    each = np.stack([net.forward(X) for net in population])
    assert np.array_equal(population.forward(X), each)
    np.testing.assert_allclose(population.predict_proba(X), each.mean(axis=0), rtol=1e-6)
    assert np.array_equal(population.predict(X), each.mean(axis=0, dtype=np.float64).argmax(axis=1))
    votes = np.stack([net.predict(X) for net in population])
    assert np.array_equal(population.predict(X, "vote"), [np.bincount(column, minlength=3).argmax() for column in votes.T])
    np.testing.assert_allclose(population.spread(X), each.std(axis=0), atol=1e-6)
    assert np.array_equal(population.quantiles(X, 0.5), np.median(each, axis=0))
    assert population.quantiles(X, [0.1, 0.9]).shape == (2, len(X), 3)
    assert population.evaluate(X, LABELS)[2] == population[2].evaluate(X, LABELS)
    for wrong in (1.5, [0.5, np.nan], "half"):
        with pytest.raises(ValueError, match="from 0 to 1"):
            population.quantiles(X, wrong)
    with pytest.raises(ValueError, match="'mean' or 'vote'"):
        population.predict(X, "median")

    values = Population([linear(seed) for seed in range(3)])
    each = np.stack([net.predict(X) for net in values])
    np.testing.assert_allclose(values.predict(X), each.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(values.predict(X, "median"), np.median(each, axis=0))
    with pytest.raises(ValueError, match="'mean' or 'median'"):
        values.predict(X, "vote")
    with pytest.raises(ValueError, match="use predict"):
        values.predict_proba(X)


def test_members_whose_outputs_are_nan_are_named():
    population = Population(classifiers(3))
    population.fit(X, LABELS)
    population[1].parameters["0.weight"][:] = np.nan
    for how in ("mean", "vote"):
        with pytest.raises(DivergenceError, match=r"of the members \[1\] are NaN; leave out those that diverged"):
            population.predict(X, how)


def test_the_vote_of_single_and_of_several_sigmoids():
    single = Population(Network([Dense(1, "sigmoid")], inputs=9), seeds=range(3))
    assert np.array_equal(single.predict(X, "vote"), np.median([net.predict(X) for net in single], axis=0))
    several = Population(Network([Dense(2, "sigmoid")], inputs=9), seeds=range(3))
    assert np.array_equal(several.predict(X, "vote"), np.median([net.predict(X) for net in several], axis=0))


@pytest.mark.parametrize("factor", [2, 3])
def test_halving_trains_the_best_on_and_to_the_same_bits(factor):
    together, alone = Population(classifiers(9)), classifiers(9)
    rungs = together.halve(X, LABELS, epochs=8, factor=factor, validation_rows=np.arange(30), batch_size=[8] * 9)
    epochs = [len(history.epochs) for history in together.histories]
    assert max(epochs) == 8
    assert epochs[int(rungs.argmax())] == 8
    assert len(set(rungs)) > 1
    histories = fit_alone(alone, X, LABELS, epochs=epochs, batch_size=8, validation_data=(X[:30], LABELS[:30]))
    check_same(together, alone, together.histories, histories)
    first = [history["val_loss"][min(epochs) - 1] for history in histories]
    assert set(np.flatnonzero(rungs > 1)) == set(np.argsort(first)[:len(np.flatnonzero(rungs > 1))])


@pytest.mark.parametrize("stopping", [EarlyStopping(patience=2, min_delta=0.2, restore_best=True),
                                      EarlyStopping("loss", min_delta=0.05)], ids=["best", "last"])
def test_halving_with_options_that_are_lists_for_all(stopping):
    """What is a list, but not of one value a member; and members that stop by themselves, in whatever rung."""
    together, alone = Population(classifiers(9)), classifiers(9)
    options = {"sample_weight": WEIGHTS.tolist(), "validation_data": [X[:30], LABELS[:30]], "batch_size": 16}
    rungs = together.halve(X.tolist(), LABELS.tolist(), epochs=27, optimizer=Adam(0.05), callbacks=[stopping], **options)
    assert set(rungs) == {1, 2, 3}
    assert any(len(history.epochs) < 3 ** rung for rung, history in zip(rungs, together.histories, strict=True))
    for number, net in enumerate(alone):
        own = copy.copy(stopping)
        history = net.fit(X, LABELS, epochs=3 ** int(rungs[number]), optimizer=Adam(0.05), callbacks=[own], **options)
        check_same([together[number]], [net], [together.histories[number]], [history])
        assert own.best_epoch == together.callbacks[number][0].best_epoch


def test_halving_leaves_out_those_that_diverge():
    population = Population([linear(seed) for seed in range(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rungs = population.halve(X, X[:, 0], epochs=300, factor=3, batch_size=1, optimizer=[SGD(1e9), SGD(1e-4), SGD(1e8)])
    assert rungs.tolist() == [1, 2, 1]
    assert [*population.errors] == [0, 2]
    with pytest.raises(ValueError, match="leave resume out"):
        population.halve(X, X[:, 0], epochs=3, resume=True)
