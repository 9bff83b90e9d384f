"""scikit-learn's own checks of an estimator: all of them with the parameters' defaults, and with others that can pass."""

import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn.sklearn import NetworkClassifier, NetworkRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_check(estimator, check):
    check(estimator)


# Not among them: what cannot pass. Weights are repetitions only where all samples are one batch that is taken as it is (with
# no dropout, statistics of batches, part held out or step counted by samples) and in float64; warm_start goes on; some
# checks give targets below 0, which are no counts.
OTHERS = [
    *[kind(solver=solver) for kind in (NetworkClassifier, NetworkRegressor) for solver in ("sgd", "rmsprop", "adamw")],
    NetworkClassifier(normalization="layer", clip_norm=1.0, batch_size=1000, n_threads=1),
    NetworkRegressor(solver="lbfgs", activation="gelu"), NetworkRegressor(loss="huber", clip_value=0.5, shuffle=False),
    NetworkClassifier(loss="squared_error", alpha=0, tol=0, n_iter_no_change=float("inf"), max_iter=50),
]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:batch_size is")
@parametrize_with_checks(OTHERS)
def test_check_of_other_parameters(estimator, check):
    check(estimator)
