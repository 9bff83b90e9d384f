"""scikit-learn estimators: `NetworkClassifier` and `NetworkRegressor` stand in for MLPClassifier and MLPRegressor.

For the same data, parameters and random_state they start from the same weights, hold out the same samples and go through the
others in the same order, so results agree with scikit-learn's but for rounding.
"""

try:
    import sklearn as _sklearn
except ImportError as error:
    raise ImportError("fastnn.sklearn needs scikit-learn; install it with: pip install 'fastnn-numba[sklearn]'") from error

from .classifier import NetworkClassifier
from .regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]
