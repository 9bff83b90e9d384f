"""scikit-learn's checks of an estimator: all of them with default parameters, and with others for which they can pass."""

import pytest

pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn.sklearn import NetworkClassifier, NetworkRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_check(estimator, check):
    check(estimator)


# Excluded are checks that cannot pass. Weights equal repetitions only if all samples are one batch (without dropout, batch
# statistics, held-out samples or steps counted in samples) and in float64; warm_start continues; some checks have targets
# below 0, which are not counts.
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
