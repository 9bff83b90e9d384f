"""Many networks: scikit-learn's searches on a Dask cluster of two processes, and Optuna with pruning."""

import numpy as np
import pytest
from patience import nannies_wait

from fastnn import Dense, LambdaCallback, Network, sweep
from fastnn.datasets import spiral

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import scale

from fastnn.sklearn import NetworkClassifier, NetworkRegressor

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = scale(IRIS)
OPTIONS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0}

quietly = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def client():
    """Return a client of a cluster of two processes with one thread each."""
    distributed = pytest.importorskip("distributed", reason="a cluster needs the extra many")
    with pytest.MonkeyPatch.context() as patch:
        nannies_wait(patch)
        with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, env={"NUMBA_NUM_THREADS": "1"},
                                       dashboard_address=":0") as cluster, distributed.Client(cluster) as client):
            yield client


def process_and_threads():
    import os

    from fastnn.runtime.threads import resolve_threads

    return os.getpid(), resolve_threads(None)


def test_a_worker_is_a_process_of_one_thread(client):
    processes, threads = zip(*client.run(process_and_threads).values(), strict=True)
    assert len(set(processes)) == 2
    assert threads == (1, 1)


@quietly
@pytest.mark.parametrize("model", [NetworkClassifier(dropout=0.1, **OPTIONS), NetworkRegressor(**OPTIONS)],
                         ids=["classifier", "regressor"])
def test_a_search_gives_the_same_bits_on_a_cluster_as_here(client, model):
    import joblib

    def searched():
        grid = {"hidden_layer_sizes": [(8,), (16, 16)]}
        return GridSearchCV(clone(model), grid, cv=2, error_score="raise").fit(IRIS, SPECIES)

    with joblib.parallel_config(backend="dask"):
        there, scores = searched(), cross_val_score(model, IRIS, SPECIES, cv=3)
    here = searched()
    for key in ("split0_test_score", "split1_test_score"):
        assert np.array_equal(there.cv_results_[key], here.cv_results_[key])
    assert there.best_params_ == here.best_params_
    for far, near in zip(there.best_estimator_.coefs_, here.best_estimator_.coefs_, strict=True):
        assert np.array_equal(far, near)
    assert np.array_equal(scores, cross_val_score(model, IRIS, SPECIES, cv=3))


def test_a_sweep_gives_the_same_bits_on_a_cluster_as_here(client):
    space = {"width": [3, 5], "learning_rate": (1e-3, 1e-1, "log")}
    here, there = (sweep(space, IRIS, SPECIES, samples=6, epochs=2, halving=2, executor=executor)
                   for executor in (None, client))
    assert here.table.equals(there.table)
    for near, far in zip(here.population, there.population, strict=True):
        assert np.array_equal(near.vectors.parameters.flat, far.vectors.parameters.flat)


def trained(seed):
    X, y = spiral(samples=90)
    net = Network([Dense(8, "relu"), Dense(3, "softmax")], inputs=2, seed=seed)
    net.fit(X, y, epochs=2)
    return net


def test_a_net_comes_back_from_a_worker(client):
    X, y = spiral(samples=90)
    for seed, far in enumerate(client.gather(client.map(trained, range(2)))):
        near = trained(seed)
        assert np.array_equal(far.forward(X), near.forward(X))
        for net in (far, near):
            net.fit(X, y, epochs=2, optimizer="sgd")  # the state of the shuffling has come along
        assert np.array_equal(far.forward(X), near.forward(X))


def test_optuna_ends_a_fit_that_lags_behind():
    optuna = pytest.importorskip("optuna", reason="pruning needs the extra many")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = spiral(samples=90)
    nets = []

    def objective(trial):
        def report(epoch, logs):
            trial.report(logs["loss"], epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        nets.append(Network([Dense(trial.suggest_int("width", 2, 16), "relu"), Dense(3, "softmax")], inputs=2))
        return nets[-1].fit(X, y, epochs=5, callbacks=[LambdaCallback(on_epoch_end=report)])["loss"][-1]

    class Third(optuna.pruners.BasePruner):
        def prune(self, study, trial):
            return trial.number == 1 and trial.last_step == 2

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=Third())
    study.optimize(objective, n_trials=3)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert [len(net.history.epochs) for net in nets] == [5, 3, 5]
    assert study.trials[1].intermediate_values == dict(enumerate(nets[1].history["loss"]))
    assert len(nets[1].fit(X, y, epochs=5, resume=True).epochs) == 5  # what was pruned can still go on
