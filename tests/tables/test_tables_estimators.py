"""TableClassifier and TableRegressor: scikit-learn's checks, data frames, pipelines and searches."""

import pickle
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", reason="the estimators need scikit-learn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn.tables import Recipe, TableClassifier, TableRegressor

generator = np.random.default_rng(0)


def expected_failures(estimator):
    return {"check_sample_weight_equivalence_on_dense_data": "the rows are dealt among the members, repeated ones too"}


@parametrize_with_checks([TableClassifier(members=2, epochs=60), TableRegressor(members=2, epochs=60)],
                         expected_failed_checks=expected_failures)
def test_check(estimator, check):
    check(estimator)


def example(rows=200):
    X = pd.DataFrame({"size": generator.uniform(0.2, 2, rows), "kind": generator.choice(["u", "v"], rows)})
    X.loc[::20, "size"] = np.nan
    return X, X["size"].fillna(1) * np.where(X["kind"] == "u", 3.0, 1.0)


def test_a_data_frame_goes_in_as_it_is():
    X, y = example()
    model = TableRegressor(epochs=40).fit(X, y)
    assert model.score(X, y) > 0.95
    assert list(model.feature_names_in_) == ["size", "kind"]
    low, high = model.predict_interval(X, 0.8).T
    assert 0.7 < ((low <= y) & (y <= high)).mean()
    labels = np.where(y > 1.5, "large", "small")
    classifier = TableClassifier(epochs=40).fit(X, labels)
    assert classifier.classes_.tolist() == ["large", "small"]
    assert classifier.score(X, labels) > 0.9
    np.testing.assert_array_equal(classifier.classes_[classifier.predict_proba(X).argmax(axis=1)], classifier.predict(X))


def test_searches_clones_and_pickles():
    X, y = example()
    search = GridSearchCV(TableRegressor(epochs=5), {"members": [1, 2], "layers": [None, []]}, cv=2).fit(X, y)
    assert set(search.best_params_) == {"members", "layers"}
    assert len(cross_val_score(TableClassifier(epochs=2, members=2), X, y > 1.5, cv=3)) == 3
    model = clone(TableRegressor(epochs=2, drop=["kind"])).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert any("asked for" in str(column) for column in model.model_.preprocessing.columns)


def test_a_column_called_target_is_a_feature():
    X, y = example()
    model = TableRegressor(epochs=2).fit(X.rename(columns={"size": "target"}), y)
    assert [column.name for column in model.model_.preprocessing.columns] == ["target", "kind"]


def test_each_option_of_the_recipe_is_a_parameter():
    renamed = {"test", "seed", "threads", "weight"}  # 0, random_state, n_threads, fit's sample_weight
    known = {*TableClassifier().get_params()} | {*TableRegressor().get_params()}
    assert {field.name for field in fields(Recipe)} - renamed <= known
    X, y = example()
    with pytest.raises(ValueError, match="has 2 different groups"):
        TableRegressor(epochs=1, group="kind").fit(X, y)


def test_rows_of_weight_0_are_not_learned():
    X, y = example()
    wrong = np.where(np.arange(len(y)) % 2, y, -y)
    weights = np.arange(len(y)) % 2
    assert TableRegressor(epochs=40).fit(X, wrong, sample_weight=weights).score(X, y) > 0.9
    assert TableRegressor(epochs=40).fit(X, wrong).score(X, y) < 0.6


def test_classes_of_weight_0_are_not_known():
    X, y = example()
    labels = np.array(["low", "mid", "high"])[np.digitize(y, [1, 3])]
    model = TableClassifier(epochs=5, members=2).fit(X, labels, sample_weight=(labels != "mid").astype(float))
    assert model.classes_.tolist() == ["high", "low"]
    assert model.predict_proba(X).shape == (len(X), 2)
    assert {*model.predict(X)} <= {"high", "low"}


def test_counts_quantiles_and_several_targets():
    X, y = example()
    counts = generator.poisson(y)
    model = TableRegressor(task="counts", epochs=10).fit(X, counts)
    assert (model.predict(X) > 0).all()
    assert 0 < model.score(X, counts) < 1
    model = TableRegressor(quantiles=[0.1, 0.9], epochs=10).fit(X, y)
    low, high = model.predict(X).T
    assert (low <= high).all()
    assert 0 < model.score(X, y) < 1
    both = pd.DataFrame({"one": y, "two": -y})
    model = TableRegressor(epochs=20, members=2).fit(X, both)
    assert model.predict(X).shape == (len(X), 2)
    assert model.predict_interval(X, 0.5).shape == (len(X), 2, 2)
    assert model.score(X, both) > 0.8


def test_ordered_classes_and_thresholds():
    X, y = example()
    grades = np.array(["low", "mid", "high"])[np.digitize(y, [1, 3])]
    model = TableClassifier(task="ordered", order=["low", "mid", "high"], epochs=20).fit(X, grades)
    assert model.classes_.tolist() == ["low", "mid", "high"]
    assert model.score(X, grades) > 0.8
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(ValueError, match="it must hold each class of y once"):
        TableClassifier(task="ordered", order=["low", "high"]).fit(X, grades)
    all_of_one = TableClassifier(threshold=0.999, epochs=1, members=1).fit(X, grades == "low")
    assert not all_of_one.predict(X).any()
