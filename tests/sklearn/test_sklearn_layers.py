"""Estimators with layers of one's own and samples of a shape."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from fastnn import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D
from fastnn.sklearn import NetworkClassifier, NetworkRegressor

LAYERS = [Conv2D(8, 3, "relu", padding="same"), MaxPool2D(2), Flatten(), Dense(16, "relu")]


def new(**options):
    return NetworkClassifier(**{"layers": LAYERS, "input_shape": (8, 8, 1), "max_iter": 8, "batch_size": 32, "tol": 0.0,
                                "learning_rate_init": 0.003, "random_state": 0} | options)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600].astype(np.float32) / 16, y[:600]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestLayers:
    def test_flat_and_shaped_samples_give_the_same_bits(self, digits):
        X, y = digits
        flat = new().fit(X, y)
        assert flat.score(X, y) > 0.9
        for shape in (8, 8, 1), (8, 8):
            shaped = new().fit(X.reshape(-1, *shape), y, X_val=X[:50].reshape(-1, *shape), y_val=y[:50])
            assert np.array_equal(shaped.predict_proba(X.reshape(-1, *shape)), flat.predict_proba(X))
        again = pickle.loads(pickle.dumps(flat))
        assert np.array_equal(again.predict_proba(X.reshape(-1, 8, 8, 1)), flat.predict_proba(X))

    def test_the_shape_is_that_of_the_first_samples_unless_given(self, digits):
        X, y = digits
        images = X.reshape(-1, 8, 8, 1)
        model = new(input_shape=None).fit(images, y)
        assert np.array_equal(model.predict(images), new().fit(X, y).predict(X))
        assert model.network_.shapes[0] == (8, 8, 1)

    def test_what_the_network_has(self, digits):
        X, y = digits
        model = new().fit(X, y)
        assert [weight.shape for weight in model.coefs_] == [(3, 3, 1, 8), (128, 16), (16, 10)]
        assert [bias.shape for bias in model.intercepts_] == [(8,), (16,), (10,)]
        assert [h.shape for h in model.hidden_activations(X[:3])] == [(3, 8, 8, 8), (3, 4, 4, 8), (3, 128), (3, 16)]

    def test_the_output_layer_may_be_among_them(self, digits):
        X, y = digits
        model = new(layers=[*LAYERS, Dense(10, "softmax")]).fit(X, y)
        assert np.array_equal(model.predict_proba(X), new().fit(X, y).predict_proba(X))

    def test_alpha_holds_all_weights(self, digits):
        X, y = digits
        free, held = new(alpha=0.0).fit(X, y), new(alpha=30.0).fit(X, y)
        for weight, smaller in zip(free.coefs_, held.coefs_, strict=True):
            assert np.linalg.norm(smaller) < 0.9 * np.linalg.norm(weight)

    def test_searches_and_partial_fits(self, digits):
        X, y = digits
        model = make_pipeline(MinMaxScaler(), new(max_iter=2))
        grid = {"networkclassifier__layers": [LAYERS, [Flatten(), Dense(8, "relu")]]}
        assert GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y).best_params_ is not None
        part = clone(new())
        for _ in range(3):
            part.partial_fit(X, y, classes=np.arange(10))
        assert part.loss_curve_[-1] < part.loss_curve_[0]
        regressor = NetworkRegressor(layers=LAYERS, input_shape=(8, 8, 1), solver="lbfgs", max_iter=30, random_state=0)
        assert regressor.fit(X, X[:, :32].mean(axis=1)).score(X, X[:, :32].mean(axis=1)) > 0.5


@pytest.mark.parametrize(("options", "message"), [
    ({"hidden_layer_sizes": (10,)}, r"hidden_layer_sizes is \(10,\), but `layers` are given"),
    ({"dropout": 0.1}, "dropout is 0.1, but `layers` are given"),
    ({"layers": None}, "input_shape is .* give layers"),
    ({"layers": []}, "layers is empty"),
    ({"layers": Flatten()}, "layers"),
    ({"layers": ["relu"]}, "layers"),
    ({"layers": LAYERS[:2]}, "Flatten"),
    ({"layers": [*LAYERS, Dense(7, "softmax")]}, r"leave it out"),
    ({"input_shape": (8, 9, 1)}, r"X has shape \(50, 64\); here samples have the shape \(8, 9, 1\), or 72 features"),
    ({"input_shape": (64,)}, "several axes"),
    ({"input_shape": "8x8"}, r"such as \(8, 8, 1\)"),
    ({"layers": None, "input_shape": None, "hidden_layer_sizes": LAYERS}, r"layers=\[...\]"),
    ({"input_shape": None}, "Reshape"),
    ({"layers": [Flatten(), Dropout(0.5)], "solver": "lbfgs"}, "leave out Dropout"),
    ({"layers": [Flatten(), BatchNorm()], "solver": "lbfgs"}, "leave out BatchNorm"),
])
def test_refused(digits, options, message):
    X, y = digits
    with pytest.raises((ValueError, TypeError), match=message):
        new(**options).fit(X[:50], y[:50])


def test_samples_of_another_shape_are_refused(digits):
    X, y = digits
    model = new(max_iter=1).partial_fit(X, y, classes=np.arange(10))
    with pytest.raises(ValueError, match=r"X has shape \(600, 1, 8, 8\); here samples have the shape \(8, 8, 1\)"):
        model.predict(X.reshape(-1, 1, 8, 8))
