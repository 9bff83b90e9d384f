"""scikit-learn estimators: `NetworkClassifier` and `NetworkRegressor` replace MLPClassifier and MLPRegressor.

For the same data, parameters and random_state they start from the same weights, hold out the same samples and use the others
in the same order, so results agree with scikit-learn's up to rounding.
"""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("fastnn.sklearn needs scikit-learn; install it with: pip install 'fastnn-numba[sklearn]'")

from ..kernels.processor.undisturbed import import_foreign

# An interrupted import of these cannot be repeated in the same process: SciPy and scikit-learn fail in many ways then.
import_foreign(("scipy.sparse", "scipy.optimize", "sklearn.base", "sklearn.metrics", "sklearn.model_selection",
                "sklearn.utils.metaestimators", "sklearn.utils.multiclass", "sklearn.utils.validation"))

from .classifier import NetworkClassifier  # noqa: E402
from .regressor import NetworkRegressor  # noqa: E402

__all__ = ["NetworkClassifier", "NetworkRegressor"]


def __dir__():
    return __all__
