"""scikit-learn estimators for tables: `TableClassifier` and `TableRegressor` train as `fastnn.tables.train` does.

A data frame goes in as it is: columns of numbers and text are told apart, encoded, and missing values have an indicator.
"""

from dataclasses import replace
from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("fastnn.tables.TableClassifier and TableRegressor need scikit-learn; install it with: "
                      "pip install 'fastnn-numba[cli]'")

from ..kernels.processor.undisturbed import import_foreign

# an interrupted import of these cannot be repeated in the same process
import_foreign(("sklearn.base", "sklearn.utils.multiclass", "sklearn.utils.validation"))

import numpy as np  # noqa: E402
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: E402
from sklearn.metrics import d2_pinball_score, d2_tweedie_score, r2_score  # noqa: E402
from sklearn.utils import check_array, check_random_state, column_or_1d  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data  # noqa: E402

from ..checks import one_of, shown  # noqa: E402
from ..checks.caller_warning import collected  # noqa: E402
from ..checks.other_arguments import takes_others  # noqa: E402
from .columns.frames import as_pandas, pandas  # noqa: E402
from .recipe import Recipe  # noqa: E402
from .training import train  # noqa: E402

LEAST = 10  # rows
TARGET, WEIGHT = "target", "weight"
REGRESSOR = "self", "__class__", "task", "quantiles", "log_target"  # names in their __init__ that are not for both
CLASSIFIER = "self", "__class__", "task", "order", "balanced", "threshold"

PARAMETERS = """
    layers : list of layers, optional
        The hidden layers of each member; default: two of 128 rectified linear units.
    members, bins, linear, seconds, epochs, batch_size, learning_rate, weight_decay, validation, group, time
        See `fastnn.tables.Recipe`.
    text, drop, keep_columns, keep_words, codes, numbers, words, embed, one_hot : list of str
        Columns to take as text, to ignore, or to use although they number the rows, those in which words such as NA are
        categories, those of numbers that are names too, or surely not, those of free text, and those of categories with
        vectors or with features of 0 and 1: see `fastnn.tables.Recipe` and `fastnn.tables.Preprocessing.fit`.
    missing_values : list of str or float
        Missing values besides NaN, None and empty cells.
    max_categories, limit
        See `fastnn.tables.Preprocessing.fit`.
    random_state : int, RandomState or None
        For the initial weights, the dealing of the rows and the shuffling.
    n_threads : int, optional
        The largest number of threads; it does not change the result.

    Attributes
    ----------
    model_ : TableModel
        Network and preprocessing; `model_.save` writes one file.
    notes_ : list of str
        Decisions that you should check, such as ignored columns.
    n_features_in_, feature_names_in_
        As in scikit-learn."""


class TableEstimator(BaseEstimator):
    """The common part of both estimators."""

    def __init__(self, *, layers=None, members=None, bins=16, linear="auto", seconds=None, epochs=None, batch_size=None,
                 learning_rate=None, weight_decay=0.1, validation=0.1, group=None, time=None, text=(), drop=(),
                 keep_columns=(), keep_words=(), codes=(), numbers=(), words=(), embed=(), one_hot=(),
                 missing_values=(), max_categories="auto", limit="auto", random_state=0, n_threads=None):
        self.layers, self.members, self.bins, self.linear, self.seconds = layers, members, bins, linear, seconds
        self.epochs, self.batch_size = epochs, batch_size
        self.learning_rate, self.weight_decay, self.validation = learning_rate, weight_decay, validation
        self.group, self.time = group, time
        self.text, self.drop, self.keep_columns, self.keep_words = text, drop, keep_columns, keep_words
        self.codes, self.numbers, self.words, self.embed, self.one_hot = codes, numbers, words, embed, one_hot
        self.missing_values, self.max_categories, self.limit = missing_values, max_categories, limit
        self.random_state, self.n_threads = random_state, n_threads

    def _recipe(self):
        """Return the options of training."""
        options = {name: value for name, value in self.get_params(deep=False).items()
                   if name not in ("random_state", "n_threads")}
        if options["layers"] is None:
            del options["layers"]
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31)
        return Recipe(**options, seed=int(seed), threads=self.n_threads, test=0.0)

    def _table(self, X, reset):
        """Return X as a data frame with the columns of the fit, after scikit-learn's checks."""
        if hasattr(X, "columns"):
            validate_data(self, X, skip_check_array=True, reset=reset)
            return as_pandas("X", X)
        X = validate_data(self, X, dtype=None, ensure_all_finite="allow-nan", reset=reset)
        return pandas().DataFrame({f"x{column}": X[:, column] for column in range(X.shape[1])})

    def _train(self, X, y, recipe, sample_weight=None):
        """Train on X and y: (samples,), or (samples, targets)."""
        table = self._table(X, reset=True)
        check_consistent_length(table, y)
        if len(table) < LEAST:
            raise ValueError(f"n_samples={len(table)}; give at least {LEAST} rows, so that each member can hold some out")
        names = []
        for column in y.T if y.ndim == 2 else [y]:
            names.append(new_name(TARGET, table))
            table = table.assign(**{names[-1]: column})
        if sample_weight is not None:
            weight = new_name(WEIGHT, table)
            weights = column_or_1d(sample_weight, dtype=np.float64)
            check_consistent_length(table, weights)
            table = table.assign(**{weight: weights})
            recipe = replace(recipe, weight=weight)
        result, messages = collected(train, table, names if y.ndim == 2 else names[0], recipe)
        self.model_, self.notes_ = result.model, [*result.notes, *messages]
        return self

    def predict(self, X):
        """Return the predictions (samples,) for a table with the columns of the fit."""
        check_is_fitted(self)
        return self._decode(self.model_.predict(self._table(X, reset=False), threads=self.n_threads))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def new_name(name, table):
    """Return a name for a new column of a table."""
    while name in table.columns:
        name += "_"
    return name


class TableRegressor(RegressorMixin, TableEstimator):
    __doc__ = f"""A regressor for tables of numbers and text, the average of eight networks.

    Parameters
    ----------
    task : {{"regression", "counts"}}
        "counts" for targets of at least 0, by the Poisson deviance.
    quantiles : list of float
        Predict these quantiles in the place of the mean, such as (0.1, 0.5, 0.9).
    log_target : {{"no", "yes", "auto"}}
        Whether to learn the logarithms of a positive target; "auto" tries both if it is skewed.{PARAMETERS}

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from fastnn.tables import TableRegressor
    >>> generator = np.random.default_rng(0)
    >>> X = pd.DataFrame({{"carat": generator.uniform(0.2, 2, 300), "cut": generator.choice(["fair", "ideal"], 300)}})
    >>> y = X["carat"] * np.where(X["cut"] == "ideal", 3.0, 2.0)
    >>> model = TableRegressor(epochs=40).fit(X, y)
    >>> model.score(X, y) > 0.98
    True
    """

    @takes_others("table")
    def __init__(self, *, task="regression", quantiles=(), log_target="no", layers=None, members=None, bins=16,
                 linear="auto", seconds=None, epochs=None, batch_size=None, learning_rate=None, weight_decay=0.1,
                 validation=0.1, group=None, time=None, text=(), drop=(), keep_columns=(), keep_words=(), codes=(),
                 numbers=(), words=(), embed=(), one_hot=(), missing_values=(), max_categories="auto",
                 limit="auto", random_state=0, n_threads=None):
        given = {name: value for name, value in locals().items() if name not in REGRESSOR}
        super().__init__(**given)
        self.task, self.quantiles, self.log_target = task, quantiles, log_target

    def fit(self, X, y, sample_weight=None):
        """Train on a table.

        Parameters
        ----------
        X : DataFrame or array (samples, features)
        y : array (samples,) or (samples, targets)
        sample_weight : array (samples,), optional
            Weights of at least 0; the metrics by which epochs are chosen are weighted too.

        Returns
        -------
        self
        """
        one_of("task", self.task, ("regression", "counts"))
        if y is None:
            raise ValueError("TableRegressor requires y to be passed, but the target y is None")
        try:
            y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        except ValueError as error:
            if "could not convert" in str(error):
                raise ValueError(f"y holds text ({error}); TableClassifier learns classes") from None
            raise
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return self._train(X, y, self._recipe(), sample_weight)

    def _decode(self, predicted):
        """Return predictions: (samples,), or (samples, targets), or (samples, quantiles)."""
        if not isinstance(predicted, dict):
            return predicted
        return np.stack([*predicted.values()], axis=-1)

    def predict_interval(self, X, coverage=0.9):
        """Return intervals (samples, 2) that hold the targets of new rows with a probability of at least `coverage`.

        Of several targets (samples, targets, 2).
        """
        check_is_fitted(self)
        found = self.model_.predict_interval(self._table(X, reset=False), coverage, threads=self.n_threads)
        return np.stack([*found.values()], axis=1) if isinstance(found, dict) else found

    def score(self, X, y, sample_weight=None):
        """Return R² of the predictions.

        Of counts and quantiles it is D², the fraction of the Poisson deviance, or of the pinball loss, mean over the
        quantiles, that is explained.
        """
        predicted = self.predict(X)
        if self.quantiles:
            return float(np.mean([d2_pinball_score(y, own, sample_weight=sample_weight, alpha=q)
                                  for q, own in zip(sorted(self.quantiles), predicted.T, strict=True)]))
        if self.task == "counts":
            return d2_tweedie_score(y, predicted, sample_weight=sample_weight, power=1)
        return r2_score(y, predicted, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.task == "counts"
        return tags


class TableClassifier(ClassifierMixin, TableEstimator):
    __doc__ = f"""A classifier for tables of numbers and text, the average of eight networks.

    Parameters
    ----------
    task : {{"classification", "ordered"}}
        "ordered" for classes with an order, by a cumulative model; the median class is predicted.
    order : list
        The classes from the lowest to the highest, if they do not sort themselves.
    balanced, threshold
        See `fastnn.tables.Recipe`. The second of two classes is `classes_[1]`.{PARAMETERS}
    classes_ : array of the labels, in the order of `predict_proba`'s columns

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastnn.tables import TableClassifier
    >>> X, y = load_iris(as_frame=True, return_X_y=True)
    >>> model = TableClassifier(epochs=40).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    @takes_others("table")
    def __init__(self, *, task="classification", order=(), balanced=False, threshold=None, layers=None, members=None,
                 bins=16, linear="auto", seconds=None, epochs=None, batch_size=None, learning_rate=None, weight_decay=0.1,
                 validation=0.1, group=None, time=None, text=(), drop=(), keep_columns=(), keep_words=(), codes=(),
                 numbers=(), words=(), embed=(), one_hot=(), missing_values=(), max_categories="auto",
                 limit="auto", random_state=0, n_threads=None):
        given = {name: value for name, value in locals().items() if name not in CLASSIFIER}
        super().__init__(**given)
        self.task, self.order, self.balanced, self.threshold = task, order, balanced, threshold

    def fit(self, X, y, sample_weight=None):
        """Train on a table.

        Parameters
        ----------
        X : DataFrame or array (samples, features)
        y : array (samples,) of labels
        sample_weight : array (samples,), optional
            Weights of at least 0; the metrics by which epochs are chosen are weighted too.

        Returns
        -------
        self
        """
        one_of("task", self.task, ("classification", "ordered"))
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        weighed = np.ones(len(y), bool)
        if sample_weight is not None:
            check_consistent_length(y, weights := column_or_1d(sample_weight, dtype=np.float64))
            weighed = ~(weights == 0)  # the classes of rows that are left out are not known; NaN is refused later
        classes, labels = np.unique(y[weighed], return_inverse=True) if weighed.any() else np.unique(y, return_inverse=True)
        if len(classes) == 1:
            where = "" if weighed.all() else " where weights are not zero"
            raise ValueError(f"y holds one class{where}, {classes[0]!r}; there is nothing to learn")
        recipe = replace(self._recipe(), order=())
        if len(self.order):
            places = {label: k for k, label in enumerate(self.order)}
            if self.task != "ordered" or {*classes.tolist()} != {*places} or len(places) < len(self.order):
                raise ValueError(f"order is {shown(self.order)}; it must hold each class of y once, "
                                 f"{shown(classes.tolist())}, and goes with task='ordered'")
            labels = np.array([places[label] for label in classes.tolist()])[labels]
            classes = classes[np.argsort([places[label] for label in classes.tolist()])]
        if weighed.any() and not weighed.all():
            numbers = np.zeros(len(y), labels.dtype)  # of the rows that are left out, any
            numbers[weighed] = labels
            labels = numbers
        self._train(X, labels, recipe, sample_weight)
        self.classes_ = classes
        return self

    def _decode(self, predicted):
        return self.classes_[predicted.astype(np.intp)]

    def predict_proba(self, X):
        """Return probabilities (samples, classes), in the order of `classes_`."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._table(X, reset=False), threads=self.n_threads)
