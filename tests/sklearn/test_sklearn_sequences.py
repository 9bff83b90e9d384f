"""Estimators of sequences of any length: every form of X, pipelines, cross-validation and searches."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import _safe_indexing, resample

from fastnn import GRU, Dense, Embedding, GlobalAveragePool, Sequences
from fastnn.sklearn import NetworkClassifier, NetworkRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
LENGTHS = rng.integers(3, 12, size=90)
X = [rng.normal(size=(n, 3)) for n in LENGTHS]
Y = np.array(["down", "flat", "up"])[[int(np.digitize(one[:, 0].mean(), [-0.15, 0.15])) for one in X]]
VALUES = np.array([one[:, 0].mean() for one in X])
TOGETHER = Sequences.of_lengths(np.concatenate(X), LENGTHS)
LAYERS = [Dense(16, "tanh"), GlobalAveragePool()]


def new(kind=NetworkClassifier, **options):
    return kind(**{"layers": LAYERS, "max_iter": 60, "batch_size": 16, "tol": 0.0, "learning_rate_init": 0.02,
                   "random_state": 0} | options)


@pytest.fixture(scope="module")
def fitted():
    return new().fit(X, Y)


def test_it_learns(fitted):
    assert fitted.score(X, Y) > 0.9
    assert fitted.network_.shapes[0] == (None, 3)
    assert fitted.n_features_in_ == 3
    assert fitted.predict_proba(X).shape == (90, 3)
    assert np.array_equal(fitted.predict(X[5:6]), fitted.predict(X)[5:6])
    values = new(NetworkRegressor).fit(X, VALUES)
    assert values.score(X, VALUES) > 0.9
    assert new(NetworkRegressor, solver="lbfgs").fit(X, VALUES).score(X, VALUES) > 0.9


def test_every_form_gives_the_same_bits(fitted):
    pandas = pytest.importorskip("pandas")
    expected, padded = fitted.predict_proba(X), TOGETHER.to_padded()
    column = pandas.Series(X, index=np.arange(90) * 7)
    lists = pandas.Series([one.tolist() for one in X])
    objects = np.empty(90, object)
    objects[:] = X
    for given in (tuple(X), TOGETHER, Sequences.from_padded(padded, LENGTHS), column, pandas.DataFrame({"signal": column}),
                  lists, objects, [one.tolist() for one in X], [pandas.DataFrame(one) for one in X]):
        assert np.array_equal(fitted.predict_proba(given), expected)
        again = new(max_iter=1).fit(given, Y)
        assert np.array_equal(again.predict_proba(X), new(max_iter=1).fit(X, Y).predict_proba(X))


def test_scikit_learn_takes_sequences_apart():
    numbers = np.array([5, 0, 5])
    assert all(map(np.array_equal, _safe_indexing(TOGETHER, numbers), [X[5], X[0], X[5]]))
    assert all(map(np.array_equal, _safe_indexing(TOGETHER, np.arange(90) < 2), X[:2]))
    assert all(map(np.array_equal, TOGETHER[numbers], [X[5], X[0], X[5]]))
    drawn, labels = resample(TOGETHER, Y, n_samples=10, random_state=0)
    assert len(drawn) == len(labels) == 10


@pytest.mark.parametrize("given", [X, TOGETHER], ids=["list", "Sequences"])
def test_cross_validation_and_searches(given):
    scores = cross_val_score(new(), given, Y, cv=KFold(3), error_score="raise")
    assert scores.mean() > 0.7
    train = np.setdiff1d(np.arange(90), np.arange(30))
    alone = new().fit([X[i] for i in train], Y[train])
    assert scores[0] == alone.score(X[:30], Y[:30])
    model = make_pipeline(FunctionTransformer(lambda X: [one * 2 for one in X]), new(max_iter=20))
    grid = {"networkclassifier__layers": [[GRU(4)], LAYERS]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(given, Y)
    assert search.best_params_["networkclassifier__layers"] in ([GRU(4)], LAYERS)
    assert search.predict(given).shape == (90,)
    assert cross_val_predict(new(NetworkRegressor, max_iter=2), given, VALUES, cv=3).shape == (90,)


def test_tokens():
    texts = [rng.integers(30, size=n) for n in LENGTHS]
    y = [int((text < 5).any()) for text in texts]
    model = new(layers=[Embedding(30, 8), GRU(8)], dtype="float32").fit(texts, y)
    assert model.network_.shapes[0] == (None,)
    assert model.network_.dtype == "float32"
    assert model.score(texts, y) > 0.9
    equal = new(layers=[Embedding(30, 8), GRU(8)], input_shape=(None,), max_iter=2)
    equal.fit(rng.integers(30, size=(40, 6)), y[:40])
    assert equal.predict(texts).shape == (90,)
    with pytest.raises(ValueError, match=r"X\[1\] holds token 30.*from 0 to 29"):
        model.predict([[1, 2], [30]])


def test_series_of_single_numbers():
    series = [one[:, 0] for one in X]
    model = new(NetworkRegressor).fit(series, VALUES)
    assert model.network_.shapes[0] == (None, 1)
    assert model.score(series, VALUES) > 0.9
    assert np.array_equal(model.predict([one[:, None] for one in series]), model.predict(series))


def test_held_out_samples_weights_and_parts():
    model = new(early_stopping=True, max_iter=20).fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_
    own = new(max_iter=5).fit(X[:60], Y[:60], X_val=X[60:], y_val=Y[60:])
    assert own.validation_scores_[-1] == own.score(X[60:], Y[60:])
    heavy = new(max_iter=3, shuffle=False, batch_size=90).fit(X, Y, sample_weight=np.full(90, 3.0))
    even = new(max_iter=3, shuffle=False, batch_size=90).fit(X, Y, sample_weight=1.0)
    np.testing.assert_allclose(heavy.predict_proba(X), even.predict_proba(X), rtol=0.05)
    part = clone(new())
    for _ in range(3):
        part.partial_fit(TOGETHER, Y, classes=["down", "flat", "up"])
    assert part.loss_curve_[-1] < part.loss_curve_[0]
    again = pickle.loads(pickle.dumps(part))
    assert np.array_equal(again.predict_proba(X), part.predict_proba(X))


def test_given_shapes_decide_for_sequences_of_one_length():
    same = rng.normal(size=(20, 5, 3))
    model = new(input_shape=(None, 3), max_iter=2).fit(same, Y[:20])
    assert model.network_.shapes[0] == (None, 3)
    assert model.predict(X).shape == (90,)
    assert new(layers=[GRU(4)], max_iter=2).fit(same, Y[:20]).network_.shapes[0] == (5, 3)
    float32 = new(max_iter=2).fit([one.astype(np.float32) for one in X], Y)
    assert float32.network_.dtype == "float32"


@pytest.mark.parametrize(("options", "given", "words"), [
    ({}, [X[0], X[1][:, :2], *X[2:]], r"X\[1\] has shape .*steps have 2 features"),
    ({}, [X[0], np.full((4, 3), np.nan), *X[2:]], "X.1. holds nan"),
    ({}, X[:-1], "inconsistent numbers of samples"),
    ({"layers": [GRU(3, return_sequences=True)]}, X, "outputs at each step.*LastStep"),
    ({"layers": [Dense(3)]}, X, "outputs at each step"),
    ({"layers": None}, X, r"layers=\[GRU\(64\)\]"),
    ({"input_shape": (None,)}, X, "begin with an Embedding"),
    ({"input_shape": (None, 4)}, X, "steps have 3 features, and this network takes 4"),
    ({}, [X[0], np.empty((0, 3)), *X[2:]], r"X\[1\] is empty"),
])
def test_what_cannot_be_is_refused(options, given, words):
    model = new(**options)
    with pytest.raises(ValueError, match=words):
        model.fit(given, Y)
    assert not hasattr(model, "network_")


def test_predictions_refuse_other_sequences(fitted):
    with pytest.raises(ValueError, match="steps have 2 features"):
        fitted.predict([one[:, :2] for one in X])
    with pytest.raises(ValueError, match="sequences of any length"):
        fitted.hidden_activations(X)
