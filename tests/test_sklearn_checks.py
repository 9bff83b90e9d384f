"""scikit-learn's own checks of an estimator, all of them, with the parameters' defaults."""

import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn.sklearn import NetworkClassifier, NetworkRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_check(estimator, check):
    check(estimator)
