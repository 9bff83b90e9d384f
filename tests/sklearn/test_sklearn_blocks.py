"""Estimators and tables take blocks among their layers."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone

from fastnn import Dense, Dropout, Parallel, Residual
from fastnn.layers.joins import Concatenate
from fastnn.sklearn import NetworkClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X, y = rng.normal(size=(60, 5)), rng.integers(3, size=60)


def test_an_estimator_of_blocks():
    layers = [Dense(6, "relu"), Residual(Dense(6, "relu"), Dense(6)), Parallel(Concatenate(), Dense(3, "tanh"), [])]
    one = NetworkClassifier(layers=layers, max_iter=3, random_state=0, warm_start=True).fit(X, y)
    assert [type(layer).__name__ for layer in one.network_.layers] == [
        "Dense", "Dense", "Dense", "Add", "Dense", "Concatenate", "Dense"]
    again = clone(one).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).predict(X), one.predict(X))
    one.fit(X, y)
    assert one.network_.layers == again.network_.layers


def test_what_is_in_a_block_counts():
    with pytest.raises(ValueError, match="a loss that depends on the weights alone"):
        NetworkClassifier(layers=[Residual(Dropout(0.5))], solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match=r"layers\[0\] is 3; it must be a Layer"):
        NetworkClassifier(layers=[3]).fit(X, y)
