"""The results of a population: members, scores, a table, the ensemble."""

import warnings

import numpy as np
import pytest
from layer_cases import X, all_bits
from members import LABELS, classifiers, linear

from fastnn import SGD, Adam, Dense, DivergenceError, EarlyStopping, Network, Population


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
    for wrong in ("a", [True], [0.5], [[0]], None, True, np.timedelta64(1, "s")):
        with pytest.raises(ValueError, match="a mask of one bool a member"):
            population[wrong]
    with pytest.raises(IndexError):
        population[[4]]
    for wrong in (4, -5, 2**70):
        with pytest.raises(IndexError, match=r"there is no member .*; there are 4, numbered from 0"):
            population[wrong]
    with pytest.raises(ValueError, match="networks is empty"):
        population[[]]
    assert "4 networks" in repr(population)
    assert [net.seed for net in Population(population[0], seeds=[7, 8])] == [7, 8]
    with pytest.raises(ValueError, match="goes with one network"):
        Population(population.networks, seeds=[1, 2])
    with pytest.raises(ValueError, match="seeds is 3; it must be a list"):
        Population(population[0], seeds=3)


def test_members_counted_from_the_end_keep_what_is_theirs():
    """The states of their optimizers, and their errors."""
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
