"""Members trained by an executor: the bits, optimizers, histories and errors of training in one process."""

from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from patience import nannies_wait

import fastnn
from fastnn import SGD, Adam, CSVLogger, Dense, Dropout, EarlyStopping, Network, Population, ReduceLROnPlateau
from fastnn.fitting.lbfgs import LBFGS
from fastnn.fitting.schedules import CosineDecay

X = np.random.default_rng(0).normal(size=(150, 3)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)


class Here(Executor):
    """Runs each task at once, and keeps how many there were."""

    def __init__(self):
        self.tasks = 0

    def submit(self, function, *arguments):
        self.tasks += 1
        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future


def nets(count=7):
    return Population([Network([Dense(3 + k % 3, "tanh"), *([Dropout(0.2)] if k % 2 else []), Dense(2, "softmax")], inputs=3,
                               seed=k, dtype="float64" if k % 3 == 0 else "float32") for k in range(count)])


def same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        for name, array in mine.parameters.items():
            np.testing.assert_array_equal(array, theirs.parameters[name], strict=True)
        np.testing.assert_array_equal(mine.vectors.random, theirs.vectors.random)
    assert [dict(h) for h in one.histories] == [dict(h) for h in other.histories]
    np.testing.assert_array_equal(one.scores(), other.scores())
    assert one.errors.keys() == other.errors.keys()


def test_fits_in_turn_have_the_same_bits(monkeypatch):
    """Fits after each other share optimizer states; a fit may be resumed here or there."""
    monkeypatch.setattr("fastnn.population.executors.workers_of", lambda executor: 3)
    monkeypatch.setattr("fastnn.population.executors.PARTS", 1)
    here, there, mixed, executor = nets(), nets(), nets(), Here()
    own, alike, other = (Adam(CosineDecay(0.02, steps=60)) for _ in range(3))
    split = {"rows": np.arange(100), "validation_rows": np.arange(100, 150)}
    for optimizers in (("adam",) * 3, (own, alike, other), ("adam",) * 3, (None,) * 3):
        resume = optimizers[0] is None
        options = {"epochs": [2 + k % 3 + 3 * resume for k in range(7)], "batch_size": 16, "resume": resume, **split}
        here.fit(X, Y, optimizer=optimizers[0], **options)
        there.fit(X, Y, optimizer=optimizers[1], executor=executor, **options)
        mixed.fit(X, Y, optimizer=optimizers[2], executor=None if optimizers[2] is other else executor, **options)
        same(here, there)
        same(here, mixed)
    assert executor.tasks == (4 + 3) * 3
    assert repr(here[1].optimizer) == repr(there[1].optimizer)


def test_callbacks_metrics_and_weights_travel():
    def options(executor):
        return {"epochs": 12, "optimizer": SGD(0.5), "callbacks": lambda k: [EarlyStopping("val_loss", patience=1 + k % 2),
                                                                             ReduceLROnPlateau(patience=1)],
                "metrics": ["f1"], "validation_data": (X[:40], Y[:40]), "sample_weight": np.linspace(0.5, 2, 150),
                "class_weight": "balanced", "executor": executor}

    here, there = nets(5), nets(5)
    here.fit(X, Y, **options(None))
    there.fit(X, Y, **options(Here()))
    same(here, there)
    assert [c[0].best_epoch for c in here.callbacks] == [c[0].best_epoch for c in there.callbacks]
    assert here.reported.keys() == there.reported.keys()
    assert [n.optimizer.learning_rate for n in here] == [n.optimizer.learning_rate for n in there]
    np.testing.assert_array_equal(here.ranking("val_f1"), there.ranking("val_f1"))


def test_divergence_and_lbfgs_are_reported_as_here():
    pytest.importorskip("scipy")
    populations = [nets(4), nets(4)]
    for population, executor in zip(populations, (None, Here()), strict=True):
        with pytest.warns(RuntimeWarning, match="1 of 4 members diverged and stopped: 1"):
            population.fit(1e3 * X, Y, epochs=3, executor=executor,
                           optimizer=["adam", SGD(1e38), LBFGS(max_iterations=5), "sgd"])
    same(*populations)
    assert str(populations[0].errors[1]) == str(populations[1].errors[1])
    assert populations[1].errors[1].epoch == populations[0].errors[1].epoch


@pytest.mark.parametrize("options", [{}, {"folds": 2}, {"halving": 2}])
def test_a_sweep_has_the_same_table(options):
    space = {"width": [3, 5], "learning_rate": (1e-3, 1e-1, "log"), "dropout": [0.0, 0.3]}
    here, there = (fastnn.sweep(space, X, Y, samples=5, epochs=4, executor=executor, **options)
                   for executor in (None, Here()))
    assert here.table.equals(there.table)
    same(here.population, there.population)
    assert here.best_configuration == there.best_configuration


@pytest.mark.parametrize("pool", [partial(ThreadPoolExecutor, 2), pytest.param(
    partial(ProcessPoolExecutor, 2, mp_context=get_context("spawn")), marks=pytest.mark.long)], ids=["threads", "processes"])
def test_a_pool(pool):
    here, there = nets(3), nets(3)
    here.fit(X, Y, epochs=2)
    with pool() as executor:
        there.fit(X, Y, epochs=2, executor=executor)
    same(here, there)


def test_errors_leave_everything_as_it_was():
    population, before = nets(2), nets(2)
    for given, match in (({"executor": 3}, "executor is 3; it must be an executor"),
                         ({"executor": Here(), "epochs": -1}, "epochs"),
                         ({"executor": Here(), "optimizer": "none"}, "optimizer")):
        with pytest.raises(ValueError, match=match):
            population.fit(X, Y, **given)
    with pytest.raises(ValueError, match="X has"):
        population.fit(X[:, :2], Y, executor=Here())
    for mine, theirs in zip(population, before, strict=True):
        np.testing.assert_array_equal(mine.vectors.parameters.flat, theirs.vectors.parameters.flat)


def test_files_of_callbacks_are_written(tmp_path):
    nets(2).fit(X, Y, epochs=2, callbacks=lambda k: [CSVLogger(tmp_path / f"{k}.csv")], executor=Here())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv"]


@pytest.mark.long
def test_200_configurations_on_a_dask_cluster_of_two_workers():
    distributed = pytest.importorskip("distributed", reason="a cluster needs the extra many")
    space = {"width": (2, 32), "depth": [1, 2], "activation": ["relu", "tanh"], "learning_rate": (1e-4, 1e-1, "log"),
             "dropout": [0.0, 0.2], "optimizer": ["adam", "sgd"]}
    here = fastnn.sweep(space, X, Y, samples=200, epochs=10)
    with pytest.MonkeyPatch.context() as patch:
        nannies_wait(patch)
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, \
                distributed.Client(cluster) as client:
            there = fastnn.sweep(space, X, Y, samples=200, epochs=10, executor=client)
            executed = fastnn.sweep(space, X, Y, samples=20, epochs=10, executor=client.get_executor())
    assert here.table.equals(there.table)
    same(here.population, there.population)
    same(here.population[:20], executed.population)
