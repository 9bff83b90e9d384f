"""Estimators with several inputs from the columns of a data frame: pipelines, searches, pickles, and what does not fit."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastnn import GRU, Conv2D, Dense, Dropout, Embedding
from fastnn.sklearn import NetworkClassifier, NetworkRegressor

pandas = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
N = 90
PICTURES = rng.normal(size=(N, 5, 5, 1)) + (bright := rng.integers(2, size=N))[:, None, None, None]
WORDS = [rng.integers(1, 9, size=n) for n in rng.integers(1, 7, size=N)]
AGES, SIZES = rng.normal(40, 10, size=N), rng.normal(size=N)
FRAME = pandas.DataFrame({"name": [f"row {k}" for k in range(N)], "picture": [*PICTURES], "age": AGES, "words": WORDS,
                          "size": SIZES}, index=np.arange(N) * 3)
Y = np.array(["dark", "small", "large"])[np.where(bright == 1, 1 + (SIZES > 0), 0)]
VALUES = bright + SIZES
INPUTS = {"image": "picture", "table": ["age", "size"]}
LAYERS = {"image": [Conv2D(4, 3, "relu")]}


def new(kind=NetworkClassifier, **options):
    return kind(**{"inputs": INPUTS, "layers": LAYERS, "hidden_layer_sizes": (16,), "max_iter": 60, "batch_size": 16,
                   "tol": 0.0, "learning_rate_init": 0.01, "random_state": 0} | options)


def scaled(estimator):
    scale = ColumnTransformer([("scale", StandardScaler(), ["age", "size"])], remainder="passthrough",
                              verbose_feature_names_out=False)
    return make_pipeline(scale.set_output(transform="pandas"), estimator)


@pytest.fixture(scope="module")
def fitted():
    return new().fit(FRAME.assign(age=AGES / 40 - 1), Y)


def test_it_learns_from_both_inputs(fitted):
    frame = FRAME.assign(age=AGES / 40 - 1)
    assert fitted.score(frame, Y) > 0.9
    assert fitted.network_.input_shapes == {"image": (5, 5, 1), "table": (2,)}
    assert fitted.n_features_in_ == 5
    assert [*fitted.feature_names_in_] == [*frame.columns]
    assert fitted.predict_proba(frame).shape == (N, 3)
    assert [each.shape for each in fitted.hidden_activations(frame)] == [(N, 16)]
    np.testing.assert_array_equal(fitted.predict(frame[5:6]), fitted.predict(frame)[5:6])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(frame), fitted.predict(frame))
    np.testing.assert_array_equal(clone(fitted).fit(frame, Y).predict_proba(frame), fitted.predict_proba(frame))
    assert new(early_stopping=True, max_iter=3).fit(frame, Y, sample_weight=np.ones(N)).validation_scores_
    expected = fitted.network_.forward({"image": PICTURES, "table": np.column_stack([AGES / 40 - 1, SIZES])})
    np.testing.assert_array_equal(fitted.predict_proba(frame), expected)


def test_the_penalty_is_part_of_the_loss():
    plain, penalized = (new(max_iter=1, alpha=alpha).fit(FRAME, Y) for alpha in (0.0, 1.0))
    assert penalized.loss_ > plain.loss_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_pipelines_and_several_targets(solver):
    two = np.column_stack([VALUES, SIZES])
    model = scaled(new(NetworkRegressor, solver=solver, max_iter=80)).fit(FRAME, two)
    assert model.predict(FRAME).shape == (N, 2)
    assert model.score(FRAME, two) > 0.8


def test_searches():
    search = GridSearchCV(scaled(new(max_iter=4)), {"networkclassifier__hidden_layer_sizes": [(4,), (8,)]}, cv=2,
                          error_score="raise").fit(FRAME, Y)
    assert search.predict(FRAME).shape == (N,)
    assert np.isfinite(cross_val_score(scaled(new(max_iter=2)), FRAME, Y, cv=2, error_score="raise")).all()


def test_sequences_and_an_only_input():
    inputs = {"said": "words", "table": ["size"]}
    model = new(inputs=inputs, layers={"said": [Embedding(9, 4), GRU(5)]}, max_iter=2).fit(FRAME, Y)
    assert model.network_.input_shapes == {"said": (None,), "table": (1,)}
    assert model.predict(FRAME).shape == (N,)
    alone = new(inputs={"image": "picture"}, max_iter=2).fit(FRAME, Y)
    assert alone.predict_proba(FRAME).shape == (N, 3)


@pytest.mark.parametrize(("options", "frame", "message"), [
    ({"inputs": 4}, FRAME, "inputs is 4; it must be a dict .* input_shape"),
    ({"inputs": {"image": 3}}, FRAME, r"inputs\['image'\] is 3; give the name of a column"),
    ({"layers": {"sound": [Dense(3)]}}, FRAME, "layers has 'sound', which is none of the inputs"),
    ({"layers": [Dense(3)]}, FRAME, "with `inputs` it must be a dict"),
    ({"inputs": {"table": ["age", "weight"]}, "layers": None}, FRAME, "X has no column 'weight'"),
    ({"inputs": {"said": "name"}, "layers": None}, FRAME, "Vocabulary"),
    ({"inputs": {"table": ["name"]}, "layers": None}, FRAME, "column 'name' holds 'row 0', which is no number"),
    ({"inputs": {"said": "words"}, "layers": {"said": [Dense(3)]}}, FRAME, r"layers\['said'\] gives sequences"),
    ({}, PICTURES.reshape(N, -1), "X must be a data frame"),
    ({}, FRAME.assign(size=np.nan), r"X\['table'\]"),
    ({"solver": "lbfgs", "layers": {"table": [Dropout(0.5)]}}, FRAME, "leave out Dropout"),
])
def test_what_does_not_fit_is_refused(options, frame, message):
    with pytest.raises(ValueError, match=message):
        new(**options).fit(frame, Y)


def test_other_columns_are_refused(fitted):
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(FRAME[["picture", "age", "size"]])
