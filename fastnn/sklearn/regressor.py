"""NetworkRegressor, a replacement for scikit-learn's MLPRegressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from ..checks.other_arguments import takes_others
from ..kernels.elementwise.finite import all_finite
from .base import NetworkEstimator
from .fitting.scores import r2
from .losses import regression_loss
from .parameters import ATTRIBUTES, DESCRIPTION


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    __doc__ = f"""A neural network that predicts values, with the interface of scikit-learn's MLPRegressor.

    The loss is the sum over the outputs. (scikit-learn reports the mean over them, while its gradient is that of the sum. So
    with several outputs `loss_` is larger than there by about their number; choose `tol` accordingly.)

    Parameters
    ----------
    loss : str, default "squared_error"
        One of `fastnn.losses` for values, including your own. "poisson" is for counts, y of 0 or more: the network learns
        the logarithm of their mean, and `predict` returns the mean.{DESCRIPTION}

    Attributes
    ----------{ATTRIBUTES}

    Examples
    --------
    >>> from fastnn.sklearn import NetworkRegressor
    >>> from sklearn.datasets import make_regression
    >>> X, y = make_regression(n_samples=200, n_features=5, random_state=0)
    >>> model = NetworkRegressor(solver="lbfgs", hidden_layer_sizes=20, max_iter=500, tol=1e-2, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.99
    True
    """

    _numeric_targets = True

    @takes_others("estimator")
    def __init__(self, loss="squared_error", hidden_layer_sizes=(100,), activation="relu", *, solver="adam", alpha=0.0001,
                 batch_size="auto", learning_rate="constant", learning_rate_init=0.001, power_t=0.5, max_iter=200,
                 shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False, momentum=0.9,
                 nesterovs_momentum=True, early_stopping=False, validation_fraction=0.1, beta_1=0.9, beta_2=0.999,
                 epsilon=1e-8, n_iter_no_change=10, max_fun=15000, dropout=0.0, normalization=None, scoring=None,
                 clip_norm=None, clip_value=None, dtype=None, callbacks=None, n_threads=None, layers=None, input_shape=None,
                 inputs=None):
        self._set_parameters(locals())

    def _encode(self, y, *, anew):
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if regression_loss(self.loss) == "poisson" and y.min() < 0:
            raise ValueError(f"y holds {y.min()}; loss='poisson' is for counts, of 0 or more")
        return y[:, None] if y.ndim == 1 else y

    def _decode_targets(self, y):
        return y[:, 0] if y.shape[1] == 1 else y

    def _outputs_wanted(self, y):
        return y.shape[1], "identity", regression_loss(self.loss)

    def _describe(self, out_activation):
        return "exp" if self.loss == "poisson" else out_activation

    def _values(self, outputs):
        """Return the values for the network's outputs, (samples,) for one output."""
        values = self._means(outputs)
        return values[:, 0] if values.shape[1] == 1 else values

    def _means(self, outputs):
        """Return the values (samples, outputs): for "poisson" the outputs are logarithms."""
        return np.exp(outputs) if self.out_activation_ == "exp" else outputs

    def _is_plain_column(self, y, samples):
        return type(y) is np.ndarray and y.shape == (samples,) and y.dtype == np.float64 and all_finite(y)

    def _score(self, y, outputs, weights=None):
        return r2(y, self._means(outputs), weights)

    def predict(self, X):
        """Return values (samples,), or (samples, outputs) for several outputs, in the network's dtype."""
        return self._values(self._checked_outputs(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.target_tags.positive_only = True, self.loss == "poisson"
        return tags
