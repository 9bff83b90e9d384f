"""scikit-learn estimators: `NetworkClassifier` and `NetworkRegressor` replace MLPClassifier and MLPRegressor.

For the same data, parameters and random_state they start from the same weights, hold out the same samples and use the others
in the same order, so results agree with scikit-learn's up to rounding.
"""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("fastnn.sklearn needs scikit-learn; install it with: pip install 'fastnn-numba[sklearn]'")

from .classifier import NetworkClassifier
from .regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
