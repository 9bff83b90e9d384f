"""The data of members: rows of one array, shared by all, in memory that does not grow with their number."""

import gc
import pickle
import tracemalloc

import numpy as np
import pytest
from layer_cases import X
from members import LABELS, WEIGHTS, check_same, classifiers

from fastnn import Adam, EarlyStopping, LambdaCallback, Population, k_folds
from fastnn.population import task, worker_pool


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
    """Orders of samples, activations and gradients belong to the threads."""
    sizes, run = [], worker_pool.WorkerPool.run_tasks

    def measured(self, tasks):
        sizes.append(tracemalloc.get_traced_memory()[0])
        return run(self, tasks)

    def bytes_of_a_member(samples):
        data, labels = np.zeros((samples, 9), np.float32), np.zeros(samples, int)
        sizes.clear()
        for members in (2, 10):
            Population(classifiers(members)).fit(data, labels, batch_size=1000, threads=1, class_weight={0: 2.0},
                                                 validation_rows=np.arange(0, samples, 2))
            gc.collect()
        return (sizes[1] - sizes[0]) / 8

    monkeypatch.setattr(worker_pool.WorkerPool, "run_tasks", measured)
    bytes_of_a_member(1000)  # what is made once is there
    tracemalloc.start()
    try:
        few, many = map(bytes_of_a_member, (2_000, 20_000))
    finally:
        tracemalloc.stop()
    assert many - few < 18_000  # a byte a sample; an order takes 8, weights 4
