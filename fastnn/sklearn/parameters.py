"""The parameters of the estimators: their checks, and the documentation of those that both estimators have."""

import math

from sklearn.metrics import get_scorer_names

from ..checks import float_dtype, list_of, shown, true_or_false, whole_number
from ..checks.single import above, number, or_none, or_word, share, unless
from ..fitting.callback import Callback
from ..layers import Block, Layer, input_shape
from ..layers.blocks import list_of_layers

positive = number(above(0.0), math.inf, "a number above 0")
not_negative = number(0.0, math.inf, "a number of 0 or more")


def is_bool(value):
    return isinstance(value, bool)


def is_infinite(value):
    return isinstance(value, float) and value == math.inf


def sizes(where, value):
    for index, width in enumerate(each_layer(value)):
        if isinstance(width, (Layer, Block)):
            raise ValueError(f"{where}[{index}] is the layer {width!r}, and {where} takes the numbers of units of dense "
                             "layers; give a list of layers as layers=[...]")
        whole_number(f"{where}[{index}]", width)


def each_layer(value):
    """Return a list with an entry for each hidden layer, or with a single entry for all."""
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


def some_layers(where, value):
    if not list_of_layers(where, value):
        raise ValueError(f"{where} is empty; give at least one layer, or None for the layers of hidden_layer_sizes")


def input_shape_of(where, value):
    input_shape(value, where)


def sample_shape(where, value):
    shape = input_shape(value, where) if isinstance(value, (tuple, list)) else ()
    if len(shape) < 2 and None not in shape:
        raise ValueError(f"{where} is {shown(value)}; give the shape of a sample with several axes, such as (8, 8, 1), or "
                         "None")


def columns_by_input(where, value):
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{where} is {shown(value)}; it must be a dict of the columns of each input, such as "
                         "{'image': 'picture', 'table': ['age', 'size']}; the shape of a sample is input_shape")
    for name, columns in value.items():
        own = isinstance(columns, str) or (isinstance(columns, (list, tuple)) and len(columns) > 0)
        if not isinstance(name, str) or not own:
            raise ValueError(f"{where}[{name!r}] is {shown(columns)}; give the name of a column whose cells are arrays, or "
                             "a list of columns of numbers")


def by_input(where, value, inputs, check):
    """Check what has an entry for some of the inputs."""
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {shown(value)}; with `inputs` it must be a dict by their names, such as "
                         f"{{{next(iter(inputs))!r}: …}}")
    for name, own in value.items():
        if name not in inputs:
            raise ValueError(f"{where} has {name!r}, which is none of the inputs: {', '.join(map(repr, inputs))}")
        check(f"{where}[{name!r}]", own)


def scoring(where, value):
    if callable(value) or (isinstance(value, str) and (value == "loss" or value in get_scorer_names())):
        return
    raise ValueError(f"{where} is {shown(value)}; it must be a scorer's name (sklearn.metrics.get_scorer_names() lists "
                     "them), a callable scorer(estimator, X, y), 'loss' or None")


# The results of the checks are ignored: scikit-learn requires an estimator to keep its parameters as they were passed.
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
    "inputs": or_none(columns_by_input),
}

BY_LAYERS = {"hidden_layer_sizes": (100,), "activation": "relu", "dropout": 0.0, "normalization": None}  # and their defaults


def check_parameters(estimator):
    """Raise an error that names the first invalid parameter; names of records are checked on use."""
    for name, check in CHECKS.items():
        check(name, getattr(estimator, name))
    layers, shape = estimator.layers, estimator.input_shape
    if estimator.inputs is not None:
        if layers is not None:
            by_input("layers", layers, estimator.inputs, some_layers)
        if shape is not None:
            by_input("input_shape", shape, estimator.inputs, input_shape_of)
        return
    or_none(some_layers)("layers", layers)
    or_none(sample_shape)("input_shape", shape)
    if layers is None:
        if estimator.input_shape is not None:
            raise ValueError(f"input_shape is {estimator.input_shape}, and only `layers` take samples of a shape; give "
                             "layers, such as [Conv2D(16, 3, \"relu\"), Flatten()]")
        return
    for name, default in BY_LAYERS.items():
        value = getattr(estimator, name)
        if value is not default and (type(value) is not type(default) or value != default):
            raise ValueError(f"{name} is {shown(value)}, but `layers` are given, which it does not change; leave it out")


DESCRIPTION = """
    hidden_layer_sizes : int or sequence of int, default (100,)
        The width of each hidden layer; () for none.
    activation : str or sequence of str, default "relu"
        For the hidden layers, one for all or one for each: any of `fastnn.activations`, or "logistic" for sigmoid.
    solver : str or Optimizer, default "adam"
        "lbfgs" (through SciPy, on all samples at once), one of `fastnn.optimizers`, or an optimizer such as
        `fastnn.AdamW(learning_rate=1e-3)`, which is copied.
    alpha : float, default 1e-4
        Strength of the penalty ½ α ‖W‖² / (weights of the samples in the batch) on the weights, part of the loss.
    batch_size : int or "auto", default "auto"
        Samples in a step; "auto" is 200, or all samples if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or schedule, default "constant"
        How the learning rate changes, with every solver but "lbfgs" (in scikit-learn only with "sgd"). "invscaling":
        learning_rate_init / (t + 1)**power_t after t samples. "adaptive": divided by 5 each time that training would stop
        for lack of improvement, down to 1e-6.
        A schedule is a function of the number of the step, from 1, for solvers that accept one.
    learning_rate_init : float, default 1e-3
        The initial learning rate (ignored if `solver` is an optimizer, which has its own).
    power_t : float, default 0.5
        The power of "invscaling".
    max_iter : int, default 200
        The largest number of epochs, or of iterations of "lbfgs".
    shuffle : bool, default True
        Whether each epoch uses a new order of the samples.
    random_state : int, RandomState or None
        For the initial weights, the held-out samples and the order.
    tol : float, default 1e-4
        Training stops after more than `n_iter_no_change` consecutive epochs in which loss or score improved by less; with
        "lbfgs", when no component of the gradient is larger.
    verbose : bool, default False
        Whether to print the loss after each epoch.
    warm_start : bool, default False
        Whether `fit` continues from the weights of the last fit. As in scikit-learn, the smallest loss so far is kept too:
        with other samples or labels, use `early_stopping`, or start a new fit.
    momentum : float, default 0.9
        For "sgd".
    nesterovs_momentum : bool, default True
        For "sgd": whether to use Nesterov's momentum.
    early_stopping : bool, default False
        Whether to monitor the score on held-out samples instead of the loss, and to keep the weights with the best score of
        this fit. As in scikit-learn it has no effect with "lbfgs", which holds out no samples.
    validation_fraction : float, default 0.1
        The fraction of the samples to hold out for `early_stopping`, unless validation samples are passed to `fit`.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        For "adam".
    n_iter_no_change : int or inf, default 10
        The largest number of consecutive epochs without improvement.
    max_fun : int, default 15000
        The largest number of evaluations of the loss by "lbfgs".
    dropout : float or sequence of float, default 0.0
        The fraction of each hidden layer's outputs to drop in a training step.
    normalization : {"batch", "layer"} or None
        The normalization between the linear part of a hidden layer and its activation.
    scoring : str, callable or None
        The score on held-out samples: a scorer's name, a callable scorer(estimator, X, y), "loss" for minus the loss, or
        None for `score`.
    clip_norm, clip_value : float or None
        Limits on the norm of the gradient, and on the absolute value of each element.
    dtype : {"float32", "float64"} or None
        Of weights and computation; None is that of X (float64 unless X is float32).
    callbacks : list of Callback or None
        See `fastnn.Callback`; not with "lbfgs".
    n_threads : int or None
        The largest number of threads; default all. The number does not change the result.
    layers : list of Layer or None
        The hidden layers, such as `[Conv2D(16, 3, "relu"), MaxPool2D(2), Flatten(), Dense(64, "relu")]`, in place of
        `hidden_layer_sizes`, `activation`, `dropout` and `normalization`. They draw their initial weights as in
        `fastnn.Network`. A `Dense` for the outputs is added, unless the last layer is one with as many outputs as y needs
        and their activation.
    input_shape : tuple of int or None
        The shape of a sample, such as (height, width, channels), for `layers` that need it. X then has the shape
        `(samples, *input_shape)`, or (samples, features) with the same elements in C order, as in a pipeline. For sequences
        of any length (None, features), or (None,) for tokens; X is then a list of arrays, or a `fastnn.Sequences`.
    inputs : dict or None
        Several inputs from the columns of a data frame: {"image": "picture", "table": ["age", "size"]}. A list of columns
        is a table of numbers; a single name is a column whose cells are arrays of one shape, sequences, or numbers. `layers`
        and `input_shape` are then dicts by these names, with an entry for the inputs that need it: the layers that an input
        goes through by itself. Their results, side by side, go through `hidden_layer_sizes`."""

ATTRIBUTES = """
    coefs_, intercepts_ : list of array
        Weights, of a dense layer (in_features, out_features), and biases (out_features,) of the layers: live views.
    network_ : fastnn.Network
        The trained network, for example to save it or to call it from compiled code.
    loss_, best_loss_ : float
        The last loss and the smallest (None with early stopping), including the penalty.
    loss_curve_ : list of float
        The loss of each epoch, averaged while the weights change.
    validation_loss_curve_, validation_scores_ : list of float or None
        Loss and score on held-out samples after each epoch, if there are any.
    best_validation_score_ : float or None
        The best score of the last fit with `early_stopping`.
    n_iter_, t_ : int
        Epochs of the last fit; total number of samples used in training.
    n_layers_, n_outputs_, out_activation_
        Number of layers including the input, number of outputs, and their activation.
    n_features_in_, feature_names_in_
        Number of features, and their names if X had any."""
