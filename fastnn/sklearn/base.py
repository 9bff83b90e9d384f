"""The common part of both estimators: training a network from X and y, and its outputs."""

from abc import ABC, abstractmethod
from contextlib import suppress
from functools import partial

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ..kernels.elementwise.finite import all_finite
from ..network.layer_outputs import layer_outputs
from ..runtime.exclusive import run_exclusively
from ..samples.arrays import check_finite, real_array, refuse_masked
from ..samples.weights import sample_weights
from . import architecture, inputs, sequences
from .data import dense, for_all, plain, rows_of_shape
from .fitting import lbfgs, stochastic
from .fitting.before import Before
from .fitting.heldout import Samples, without_names
from .fitting.solvers import is_stochastic, make_optimizer
from .live import LiveArrays
from .parameters import check_parameters, each_layer

SPARSE, FLOATS = ["csr", "csc"], [np.float64, np.float32]  # sparse formats and dtypes that X may keep
DENSE_ROWS = 4096  # rows of sparse data that are converted to dense at a time in a prediction


def stochastic_only(estimator):
    """Return whether the solver works in steps, so that it can continue with other samples."""
    if not is_stochastic(estimator.solver):
        raise AttributeError("solver='lbfgs' works on all samples at once and has no partial_fit; use another solver")
    return True


class NetworkEstimator(BaseEstimator, ABC):
    """Base class of the estimators. A subclass defines the targets and the meaning of the outputs."""

    _numeric_targets = False  # whether y must be numbers
    layers = input_shape = inputs = None  # those of an estimator that was pickled before there were any

    def _set_parameters(self, parameters):
        """Set the parameters of __init__: its locals()."""
        for name, value in parameters.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    # Defined by a subclass.

    @abstractmethod
    def _encode(self, y, *, anew):
        """Return y in the form that the network learns from; `anew` determines the outputs from y."""

    @abstractmethod
    def _is_plain_column(self, y, samples):
        """Return whether y is an array of `samples` targets whose type needs no checks."""

    @abstractmethod
    def _decode_targets(self, y):
        """Invert `_encode`."""

    @abstractmethod
    def _outputs_wanted(self, y):
        """Return (number of outputs, their activation, the network's loss) for such encoded targets."""

    @abstractmethod
    def _score(self, y, outputs, weights=None):
        """Return the score of the network's outputs for encoded targets: accuracy or R²."""

    def _check_warm_start(self, y):
        """Refuse encoded targets with which a fit cannot continue."""

    def _begin_parts(self, y, classes):
        """Handle the information about all parts in the first `partial_fit`."""

    def _weights(self, y, weights):
        """Return the weights of samples with these encoded targets, including the estimator's parameters."""
        return weights

    def _plain_targets(self, y):
        """Refuse masked targets, and dates if values are learned: a class may be a date."""
        if self._numeric_targets:
            return plain("y", y)
        refuse_masked("y", y)
        return y

    # Training.

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Train a network on the samples.

        Parameters
        ----------
        X : array, DataFrame or sparse matrix (samples, features)
            Sparse data are made dense. With `layers`, also an array `(samples, *input_shape)`, or sequences of any length:
            a list of arrays (steps, features), a `fastnn.Sequences`, a column of a data frame that holds lists. With
            `inputs`, a DataFrame with their columns.
        y : array (samples,) or (samples, outputs)
        sample_weight : array (samples,), optional
            The loss is the mean over the samples of a step with these weights.
        X_val, y_val, sample_weight_val : optional
            Validation samples: their loss and score are recorded after every epoch, and `early_stopping` uses the score.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If parameters or data are not valid, and if training diverges.

        Notes
        -----
        After an error, including those of callbacks, the estimator is as it was before the call. Ctrl-C ends training with a
        warning instead, and the weights learned so far are kept, as in scikit-learn; with `solver="lbfgs"` it is an error
        like others.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(stochastic_only)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on these samples, starting from the current weights; parameters as in `fit`."""
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X, y, sample_weight, validation=(None, None, None), incremental=False, classes=None):
        return run_exclusively(self, self._fit_or_restore, X, y, sample_weight, validation, incremental, classes)

    def _fit_or_restore(self, X, y, sample_weight, validation, incremental, classes):
        before = Before(self)
        try:
            if incremental:
                self._begin_parts(y, classes)
            samples, held_out = self._prepare(X, y, sample_weight, validation, incremental)
            if self.network_ is before.attributes.get("network_"):
                before.keep_weights(self._optimizer, single_step=incremental and stochastic.is_single_step(self, samples))
            self._train(samples, held_out, incremental)
            return self
        except BaseException:
            before.restore()
            raise

    def _train(self, samples, held_out, incremental):
        score = None if held_out is None else partial(self._held_out_score, held_out)
        if is_stochastic(self.solver):
            self._no_improvement_count = stochastic.train(
                self, self._optimizer, samples, held_out, incremental=incremental, score=score,
                without_improvement=self._no_improvement_count)
        else:
            lbfgs.train(self, samples, held_out, score)
        if not np.isfinite(self.network_.vectors.parameters.flat).all():
            raise ValueError("training ended with weights that are not finite; scale X to about unit size, or lower "
                             "learning_rate_init")

    def _held_out_score(self, held_out, loss):
        """Return the estimator's `scoring` on held-out samples with the given loss; NaN if the outputs are not finite."""
        if self.scoring == "loss":
            return -loss
        if self.scoring is None:
            outputs = self._outputs(held_out.X)
            finite = all(np.isfinite(own).all() for own in (outputs.values() if isinstance(outputs, dict) else [outputs]))
            return self._score(held_out.y, outputs, held_out.weights) if finite else float("nan")
        weights = {} if held_out.weights is None else {"sample_weight": held_out.weights}
        scorer = self.scoring if callable(self.scoring) else get_scorer(self.scoring)
        return float(scorer(without_names(self), held_out.X, self._decode_targets(held_out.y), **weights))

    def _prepare(self, X, y, sample_weight, validation, incremental):
        """Check everything and prepare the network; return (samples to train on, held-out samples or None)."""
        check_parameters(self)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it is one epoch; set it to False")
        anew = not hasattr(self, "network_") or not (self.warm_start or incremental)
        samples = self._checked_samples(X, y, sample_weight, anew=anew, encode_anew=anew and not incremental)
        if not anew and not incremental:
            self._check_warm_start(samples.y)
        held_out = self._checked_held_out(*validation)
        generator = check_random_state(self.random_state)
        self._choose_network(samples, anew, generator)
        if is_stochastic(self.solver):
            if self._optimizer is None or not incremental:
                self._optimizer = make_optimizer(self)
            if self.early_stopping and held_out is None:
                stratify = self._one_label_of_two(samples.y)
                samples, held_out = samples.split(self.validation_fraction, generator, stratify)
        else:
            self._check_for_lbfgs()
        self.network_.alpha[0], self.network_.generator = self.alpha, generator
        self._begin_records(anew, held_out)
        return samples, held_out

    def _check_for_lbfgs(self):
        if self.callbacks:
            raise ValueError("callbacks are called after epochs, of which solver='lbfgs' has none; use another solver")
        if self.normalization == "batch" or any(each_layer(self.dropout)):
            raise ValueError("solver='lbfgs' needs a loss that depends on the weights alone; leave out dropout and "
                             "normalization='batch', or use another solver")
        given = [layer for own in self.layers.values() for layer in own] if self.inputs else self.layers
        for layer in given or ():
            if layer.draws or layer.mixes_samples:
                raise ValueError(f"solver='lbfgs' needs a loss that depends on the weights alone; leave out {layer!r}, or "
                                 "use another solver")

    def _checked_samples(self, X, y, sample_weight, *, anew, encode_anew):
        if getattr(y, "ndim", 0) > 2:
            raise ValueError(f"y has shape {y.shape}; an estimator takes (samples,) or (samples, outputs), as scikit-learn "
                             "does: targets at each pixel or step are learned by fastnn.Network")
        if self.inputs is not None:
            X, y = inputs.validated(self, X, self._plain_targets(y), reset=anew, y_numeric=self._numeric_targets)
        elif self._takes_sequences(X, anew):
            dtype = None if self.dtype is None and anew else np.dtype(self.network_.dtype if not anew else self.dtype)
            X, y = sequences.validated(self, X, self._plain_targets(y), shape=self._sample_shape, reset=anew, dtype=dtype,
                                       y_numeric=self._numeric_targets)
        elif anew or not (self._is_as_before(X) and all_finite(X) and self._is_plain_column(y, len(X))):
            X, y = validate_data(self, self._rows(X, anew), self._plain_targets(y), accept_sparse=SPARSE, multi_output=True,
                                 reset=anew, dtype=self._dtype(anew), y_numeric=self._numeric_targets)
            if self._numeric_targets:  # scikit-learn accepts some arrays of objects
                check_finite("y", real_array("y", y, np.float64))
            X = dense(X)
        weights = sample_weights(for_all(sample_weight, len(X)), len(X), self._dtype_of(X))
        encoded = self._encode(y, anew=encode_anew)
        return Samples(X, encoded, self._weights(encoded, weights))

    def _checked_held_out(self, X, y, sample_weight):
        if X is None and y is None:
            return None
        if X is None or y is None:
            raise ValueError("X_val and y_val go together; one of them is missing")
        if self.inputs is not None:
            X, y = inputs.validated(self, X, self._plain_targets(y), y_numeric=self._numeric_targets)
        elif self._takes_sequences(X):
            X, y = sequences.validated(self, X, self._plain_targets(y), shape=self._sample_shape, reset=False, dtype=None,
                                       y_numeric=self._numeric_targets)
        else:
            X, y = validate_data(self, self._rows(X), self._plain_targets(y), accept_sparse=SPARSE, multi_output=True,
                                 reset=False, dtype=FLOATS, y_numeric=self._numeric_targets)
            X = dense(X)
        weights = sample_weights(for_all(sample_weight, len(X)), len(X), self._dtype_of(X), "sample_weight_val")
        return Samples(X, self._encode(y, anew=False), weights)

    def _takes_sequences(self, X, anew=False):
        """Return whether samples are sequences of any length; `anew` decides it from X and input_shape."""
        if self.layers is None:
            if sequences.are_sequences(X):
                raise ValueError(sequences.ONE_SHAPE.format("X"))
            return False
        if anew:
            given = self.input_shape
            if given is not None and given[0] is None:
                self._sample_shape = tuple(given)
            elif given is None and sequences.are_sequences(X):
                self._sample_shape = sequences.shape_of(X, self.layers)
            else:
                return False
        return self._sample_shape[:1] == (None,)

    def _dtype_of(self, X):
        """Return the dtype of a network that learns from checked samples; tokens count as whole numbers of other X do."""
        if X.dtype.kind == "f":
            return X.dtype
        return np.dtype("float64" if self.dtype is None else self.dtype)

    def _rows(self, X, anew=False):
        """Return samples as scikit-learn checks them, (samples, features), if they have another shape."""
        plain("X", X)
        if self.layers is None:
            return X
        if anew:
            self._sample_shape = architecture.sample_shape(self.input_shape, X)
        return rows_of_shape(X, self._sample_shape)

    def _dtype(self, anew):
        if not anew:
            return np.dtype(self.network_.dtype)
        return FLOATS if self.dtype is None else np.dtype(self.dtype)

    def _choose_network(self, samples, anew, generator):
        """Make a new network, or check that the old one is what the parameters describe."""
        outputs, out_activation, loss = self._outputs_wanted(samples.y)
        layers, ends = architecture.describe(self, outputs, out_activation)
        hidden, layers = layers, inputs.description(self, layers) if self.inputs else layers
        if anew:
            options = {"loss": loss, "dtype": self._dtype_of(samples.X).name, "generator": generator}
            targets = outputs if isinstance(outputs, list) else None
            if self.inputs is not None:
                self.network_, first = inputs.build(self, hidden, targets, **options)
                inputs.check_steps(self.network_, samples.X)
                ends = [first + end for end in ends]
            elif targets:
                shape = samples.X.shape[1:] if self.layers is None else self._sample_shape
                self.network_, _ = inputs.build_targets(shape, layers, targets, **options)
            elif self.layers is None:
                self.network_ = architecture.build(layers, samples.X.shape[1], activation=self.activation, **options)
            else:
                self.network_ = architecture.build_given(layers, self._sample_shape, **options)
                architecture.check_outputs(self.network_)
            several = self.inputs is not None or targets is not None
            if not several and len(self.network_.layers) != len(layers):  # blocks are several layers
                ends = list(range(len(self.network_.wiring.steps) - 1))
            self._hidden_ends, self._optimizer = ends, None
            self._given_layers, self._given_outputs = tuple(layers), (outputs, loss)
            self.n_layers_, self.n_outputs_ = len(self.coefs_) + 1, len(targets) if targets else outputs
            self.out_activation_ = self._describe(out_activation)
        elif (tuple(layers) != getattr(self, "_given_layers", self.network_.layers)
              or (outputs, loss) != getattr(self, "_given_outputs", (outputs, self.network_.loss))):
            raise ValueError(f"the parameters and y now describe a network of layers {layers} and loss {loss!r}, but "
                             f"that of the fit before is {self.network_!r}; to begin anew, call fit with warm_start=False")

    def _describe(self, out_activation):
        return out_activation

    def _one_label_of_two(self, y):
        """Return whether held-out samples are stratified by class; as in scikit-learn, for two classes only."""
        return False

    def _begin_records(self, anew, held_out):
        if anew:
            self.t_, self._no_improvement_count, self.loss_curve_, self.best_loss_ = 0, 0, [], np.inf
            self.validation_loss_curve_ = self.validation_scores_ = self.best_validation_score_ = None
        if held_out is not None and self.validation_scores_ is None:
            self.validation_loss_curve_, self.validation_scores_ = [], []
        if is_stochastic(self.solver) and self.early_stopping:
            # for this fit alone: the held-out samples or labels of an earlier fit may be others
            self.best_loss_, self.best_validation_score_, self._no_improvement_count = None, -np.inf, 0
        elif self.best_loss_ is None:
            self.best_loss_ = np.inf
        self.n_iter_ = 0

    # Prediction.

    def _is_as_before(self, X):
        """Return whether X is an array of the same type and number of features as in the last fit, without names.

        Then scikit-learn's checks, which take longer than a step or the prediction of a row, would only check finiteness.
        """
        network = vars(self).get("network_")
        return (network is not None and self.inputs is None and not network.is_ragged and type(X) is np.ndarray
                and X.ndim == 2 and len(X) > 0 and X.shape[1] == network.inputs and X.dtype == network.dtype
                and "feature_names_in_" not in vars(self))

    def _checked_outputs(self, X):
        if self._is_as_before(X):
            with suppress(ValueError):  # not finite; scikit-learn's checks give a better message
                return self._outputs(X)
        check_is_fitted(self)
        dtype = np.dtype(self.network_.dtype)
        if self.inputs is not None:
            return self._outputs(inputs.validated(self, X))
        if self._takes_sequences(X):
            return self._outputs(sequences.validated(self, X, shape=self._sample_shape, reset=False, dtype=dtype))
        return self._outputs(validate_data(self, self._rows(X), accept_sparse=SPARSE, reset=False, dtype=dtype))

    def _outputs(self, X):
        """Return the network's outputs (samples, outputs) for checked X."""
        if not scipy.sparse.issparse(X):
            return self.network_.forward(self.network_.shaped(X), threads=self.n_threads)
        rows = range(0, X.shape[0], DENSE_ROWS)
        X = X.tocsr()
        parts = [self._outputs(dense(X[i:i + DENSE_ROWS])) for i in rows]
        if isinstance(parts[0], dict):  # of several targets
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return np.concatenate(parts)

    def hidden_activations(self, X):
        """Return the outputs of the hidden layers, a list of arrays `(samples, *shape)`, in the network's dtype."""
        check_is_fitted(self)
        if self.inputs is not None:
            X = inputs.validated(self, X)
            outputs = layer_outputs(self.network_, self.network_.shaped(X), self.n_threads)
            return [outputs[end] for end in self._hidden_ends]
        if self._takes_sequences(X):
            raise ValueError("hidden_activations are arrays of samples of one shape, and this estimator takes sequences of "
                             "any length; network_.forward of a part of the layers gives them")
        X = validate_data(self, self._rows(X), accept_sparse=SPARSE, reset=False, dtype=np.dtype(self.network_.dtype))
        outputs = layer_outputs(self.network_, self.network_.shaped(dense(X)), self.n_threads)
        return [outputs[end] for end in self._hidden_ends]

    @property
    def coefs_(self):
        """The weights of the layers (in_features, out_features), first to last: live views that can be assigned to."""
        return self._live("coefs_", "weights")

    @coefs_.setter
    def coefs_(self, arrays):
        self._live("coefs_", "weights")[:] = arrays

    @property
    def intercepts_(self):
        """The biases of the layers (out_features,), first to last: live views that can be assigned to."""
        return self._live("intercepts_", "biases")

    @intercepts_.setter
    def intercepts_(self, arrays):
        self._live("intercepts_", "biases")[:] = arrays

    def _live(self, name, of_network):
        if not hasattr(self, "network_"):
            raise AttributeError(f"this {type(self).__name__} has no {name} yet: fit it first")
        return LiveArrays(name, getattr(self.network_, of_network))

    # Methods of scikit-learn's protocol.

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self):
        state = dict(super().__getstate__())
        if state.get("_optimizer") is not None:  # with its state, so that partial_fit continues
            memory = self.network_.fits.optimizer_state(self._optimizer)
            state["_optimizer_memory"] = memory.step.copy(), memory.slots.copy()
        return state

    def __setstate__(self, state):
        state = dict(state)
        kept = state.pop("_optimizer_memory", None)
        super().__setstate__(state)
        if kept is not None:
            memory = self.network_.fits.optimizer_state(self._optimizer)
            memory.step[:], memory.slots[:] = kept
