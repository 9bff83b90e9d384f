"""Classifiers of several targets, each with classes of its own."""

import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastnn import GRU, Dense
from fastnn.sklearn import NetworkClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
Y = np.stack([np.array(["low", "high"])[(X[:, 0] > 0).astype(int)],
              np.array(["one", "two", "three"])[np.digitize(X[:, 1], [-0.5, 0.5])]], axis=1)


def new(**options):
    return NetworkClassifier(**{"hidden_layer_sizes": (16,), "max_iter": 80, "batch_size": 16, "tol": 0.0,
                                "learning_rate_init": 0.02, "random_state": 0} | options)


@pytest.fixture(scope="module")
def fitted():
    return new().fit(X, Y)


def test_it_learns_all_targets(fitted):
    predicted, probabilities = fitted.predict(X), fitted.predict_proba(X)
    assert predicted.shape == Y.shape
    assert [each.tolist() for each in fitted.classes_] == [["high", "low"], ["one", "three", "two"]]
    assert [each.shape for each in probabilities] == [(120, 2), (120, 3)]
    for column, known, own in zip(predicted.T, fitted.classes_, probabilities, strict=True):
        np.testing.assert_array_equal(column, known[own.argmax(axis=1)])
    assert fitted.score(X, Y) == (predicted == Y).all(axis=1).mean() > 0.9
    assert fitted.n_outputs_ == 2
    assert [each.shape for each in fitted.hidden_activations(X)] == [(120, 16)]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), predicted)


@pytest.mark.parametrize("options", [{"solver": "lbfgs", "max_iter": 30}, {"early_stopping": True, "max_iter": 5},
                                     {"class_weight": "balanced", "max_iter": 3},
                                     {"layers": [Dense(8, "tanh")], "max_iter": 3}])
def test_every_way_to_train(options):
    model = new(**options) if "layers" not in options else new(**options, hidden_layer_sizes=(100,))
    assert np.isfinite(model.fit(X, Y, sample_weight=np.ones(len(X))).loss_)
    assert model.predict(X[:3]).shape == (3, 2)


def test_searches_data_frames_and_sequences():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(Y, columns=["level", "count"])
    grid = {"networkclassifier__hidden_layer_sizes": [(4,), (8,)]}
    search = GridSearchCV(make_pipeline(StandardScaler(), new(max_iter=3)), grid,
                          cv=2, error_score="raise").fit(X, frame)
    assert search.predict(X).shape == (120, 2)
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "series": [*rng.normal(size=(120, 5, 2))]})
    both = new(max_iter=2, inputs={"table": ["a", "b"], "series": "series"}, layers={"series": [GRU(3)]}).fit(table, frame)
    assert both.predict(table).shape == (120, 2)
    said = [rng.normal(size=(n, 2)) for n in rng.integers(1, 6, size=120)]
    assert new(max_iter=2, layers=[GRU(3)], hidden_layer_sizes=(100,)).fit(said, Y).predict(said).shape == (120, 2)


def test_parts_are_epochs_and_a_warm_start_goes_on():
    classes = [["low", "high"], ["one", "two", "three"]]
    parts, whole, warm = new(shuffle=False), new(max_iter=4, shuffle=False), new(max_iter=2, warm_start=True)
    for _ in range(4):
        parts.partial_fit(X, Y, classes=classes)
    whole.fit(X, Y)
    loss = warm.fit(X, Y).loss_
    assert warm.fit(X, Y).loss_ < loss
    for one, other in zip(parts.network_.parameters.values(), whole.network_.parameters.values(), strict=True):
        np.testing.assert_array_equal(one, other)
    parts.partial_fit(X[:9], Y[:9])
    assert [own.tolist() for own in parts.classes_] == [sorted(own) for own in classes]
    numbers = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)  # the third class of a target is not seen yet
    assert len(new().partial_fit(X, numbers, classes=[[0, 1], [0, 1, 2]]).predict_proba(X[:1])[1][0]) == 3
    assert new().partial_fit(X, numbers, classes=[0, 1]).predict_proba(X[:1]).shape == (1, 2)  # several labels
    with pytest.raises(ValueError, match="target 1 of y lacks the classes"):
        warm.fit(X[:2], Y[:2])
    for given in (None, ["low", "high"], [["low", "high"], ["one"]]):
        with pytest.raises(ValueError, match=r"give a list with all labels of each|which are not known|one class"):
            new().partial_fit(X, Y, classes=given)
    with pytest.raises(ValueError, match="not the same as in the call before"):
        parts.partial_fit(X, Y, classes=[["low", "high"], ["one", "two"]])


def test_what_does_not_fit_is_refused(fitted):
    with pytest.raises(ValueError, match="target 1 has one class"):
        new().fit(X, np.stack([Y[:, 1], np.full(120, "one")], axis=1))
    with pytest.raises(ValueError, match="list of a dict for each of the 2 targets"):
        new(class_weight={"low": 2}).fit(X, Y)
    with pytest.raises(ValueError, match="target 0 has classes"):
        new(max_iter=1).fit(X, Y, X_val=X, y_val=np.stack([np.full(120, "medium"), Y[:, 1]], axis=1))
