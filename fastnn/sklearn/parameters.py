"""The estimators' parameters: their checks, and the words that describe those that both estimators have."""

import math

from sklearn.metrics import get_scorer_names

from ..checks import float_dtype, list_of, shown, true_or_false, whole_number
from ..checks.single import above, number, or_none, or_word, share, unless
from ..fitting.callback import Callback

positive = number(above(0.0), math.inf, "a number above 0")
not_negative = number(0.0, math.inf, "a number of 0 or more")


def is_bool(value):
    return isinstance(value, bool)


def is_infinite(value):
    return isinstance(value, float) and value == math.inf


def sizes(where, value):
    for index, width in enumerate(each_layer(value)):
        whole_number(f"{where}[{index}]", width)


def each_layer(value):
    """A list with an entry for each hidden layer, of what may also be a single one."""
    try:
        return [value] if isinstance(value, str) else list(value)
    except TypeError:
        return [value]


def normalization(where, value):
    if not isinstance(value, str) or value not in ("batch", "layer"):
        raise ValueError(f"{where} is {shown(value)}; it must be 'batch', 'layer' or None")


def rates(where, value):
    for rate in each_layer(value):
        share(where, rate)


def schedule(where, value):
    if isinstance(value, str) and value not in ("constant", "invscaling", "adaptive"):
        raise ValueError(f"{where} is {shown(value)}; it must be 'constant', 'invscaling', 'adaptive' or a schedule")


def scoring(where, value):
    if callable(value) or (isinstance(value, str) and (value == "loss" or value in get_scorer_names())):
        return
    raise ValueError(f"{where} is {shown(value)}; it must be a scorer's name (sklearn.metrics.get_scorer_names() lists "
                     "them), a callable scorer(estimator, X, y), 'loss' or None")


# What a check returns is left: as scikit-learn has it, an estimator keeps its parameters as they were given.
CHECKS = {
    "hidden_layer_sizes": sizes, "alpha": not_negative, "batch_size": or_word("auto", whole_number),
    "learning_rate": schedule, "learning_rate_init": positive, "power_t": not_negative, "max_iter": whole_number,
    "shuffle": true_or_false, "tol": not_negative, "warm_start": true_or_false,
    "momentum": number(0.0, 1.0, "a number from 0 to 1"), "verbose": unless(is_bool, not_negative),
    "nesterovs_momentum": true_or_false, "early_stopping": true_or_false, "validation_fraction": share, "beta_1": share,
    "beta_2": share, "epsilon": positive, "n_iter_no_change": unless(is_infinite, whole_number), "max_fun": whole_number,
    "dropout": rates, "normalization": or_none(normalization), "scoring": or_none(scoring), "clip_norm": or_none(positive),
    "clip_value": or_none(positive), "dtype": or_none(float_dtype), "n_threads": or_none(whole_number),
    "callbacks": or_none(lambda where, value: list_of(where, value, Callback)),
}


def check_parameters(estimator):
    """Refuse a parameter that cannot be used, with an error that names it; names of records are checked where used."""
    for name, check in CHECKS.items():
        check(name, getattr(estimator, name))


DESCRIPTION = """
    hidden_layer_sizes : int or sequence of int, default (100,)
        The width of each hidden layer; () for none.
    activation : str or sequence of str, default "relu"
        Of the hidden layers, one for all or one each: any of `fastnn.activations`; "logistic" is another name of "sigmoid".
    solver : str or Optimizer, default "adam"
        "lbfgs" (through SciPy, on all samples at once), one of `fastnn.optimizers`, or an optimizer such as
        `fastnn.AdamW(learning_rate=1e-3)`, of which a copy is used.
    alpha : float, default 1e-4
        Strength of the penalty ½ α ‖W‖² / (weights of the samples in the batch) on the weights, part of the loss.
    batch_size : int or "auto", default "auto"
        Samples in a step; "auto" is 200, or all where there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or schedule, default "constant"
        How the learning rate moves, with every solver but "lbfgs" (in scikit-learn with "sgd" alone). "invscaling":
        learning_rate_init / (t + 1)**power_t after t samples. "adaptive": divided by 5 whenever training would stop for want
        of improvement, until it is 1e-6.
        A schedule, a function of the number of the step, from 1, is for optimizers that take one.
    learning_rate_init : float, default 1e-3
        The learning rate at first (not of a `solver` that is an optimizer: it has its own).
    power_t : float, default 0.5
        The power of "invscaling".
    max_iter : int, default 200
        The most epochs, or iterations of "lbfgs".
    shuffle : bool, default True
        Whether each epoch goes through the samples in a new order.
    random_state : int, RandomState or None
        Draws the first weights, the samples to hold out and their order.
    tol : float, default 1e-4
        Training stops once loss or score has improved by less for more than `n_iter_no_change` epochs on end; of "lbfgs",
        once no component of the gradient is larger.
    verbose : bool, default False
        Whether to print the loss after each epoch.
    warm_start : bool, default False
        Whether `fit` goes on from the weights of the fit before. As in scikit-learn, the least loss goes on as well: with
        other samples or labels, turn on `early_stopping`, or fit anew.
    momentum : float, default 0.9
        Of "sgd".
    nesterovs_momentum : bool, default True
        Of "sgd": whether momentum looks ahead.
    early_stopping : bool, default False
        Whether to watch the score on held-out samples instead of the loss, and to keep the weights that scored best in this
        fit. As in scikit-learn it has no effect with "lbfgs", which holds nothing out and ends as `tol` says.
    validation_fraction : float, default 0.1
        The share of the samples to hold out for `early_stopping`, unless `fit` is given some.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        Of "adam".
    n_iter_no_change : int or inf, default 10
        How many epochs without improvement are borne with.
    max_fun : int, default 15000
        The most evaluations of the loss by "lbfgs".
    dropout : float or sequence of float, default 0.0
        The share of each hidden layer's outputs to leave out in a training step.
    normalization : {"batch", "layer"} or None
        What to put between a hidden layer's sums and its activation.
    scoring : str, callable or None
        The score on held-out samples: a scorer's name, a callable scorer(estimator, X, y), "loss" for minus the loss, or
        None for `score`.
    clip_norm, clip_value : float or None
        Limits to the norm of the gradient, and to the size of each of its numbers.
    dtype : {"float32", "float64"} or None
        Of weights and computation; None is that of X (float64 but for float32 data).
    callbacks : list of Callback or None
        See `fastnn.Callback`; not with "lbfgs".
    n_threads : int or None
        At most so many threads; default all. The number does not change the result."""

ATTRIBUTES = """
    coefs_, intercepts_ : list of array
        Weights (in_features, out_features) and biases (out_features,) of the layers: live views.
    network_ : fastnn.Network
        The network itself, to save, look into or run from compiled code.
    loss_, best_loss_ : float
        The last loss and the least (None with early stopping), penalty and all.
    loss_curve_ : list of float
        The loss of each epoch, gathered while the weights moved through it.
    validation_loss_curve_, validation_scores_ : list of float or None
        Loss and score on held-out samples after each epoch, where there are any.
    best_validation_score_ : float or None
        That of the last fit with `early_stopping`.
    n_iter_, t_ : int
        Epochs of the last fit; samples gone through in all.
    n_layers_, n_outputs_, out_activation_
        Layers with the inputs, outputs, and the activation of these.
    n_features_in_, feature_names_in_
        Features, and their names where X had any."""
