"""Other names of activations, losses, optimizers, initializers and metrics: those of Keras, PyTorch and scikit-learn.

A name is compared without regard to case, spaces, hyphens and underscores: "ReLU", "leaky-relu", "MeanSquaredError". A name
that differs in more than the name (the default slope of a leaky ReLU, the constant factor of a loss) is in `NOTES`, which
the page on names shows.
"""

import difflib
import re

OTHER_NAMES = {
    "activation": {
        "linear": "identity", "swish": "silu", "logistic": "sigmoid",
    },
    "loss": {
        "mse": "squared_error", "mean_squared_error": "squared_error", "mse_loss": "squared_error",
        "l2_loss": "squared_error",
        "mae": "absolute_error", "mean_absolute_error": "absolute_error", "l1_loss": "absolute_error",
        "huber_loss": "huber", "smooth_l1": "huber", "smooth_l1_loss": "huber",
        "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
        "cross_entropy_loss": "cross_entropy",
        "bce": "binary_cross_entropy", "bce_loss": "binary_cross_entropy",
        "hinge_loss": "hinge", "poisson_nll_loss": "poisson", "ctc_loss": "ctc",
        "kl_div": "kl_divergence", "kl_div_loss": "kl_divergence", "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "gaussian_nll": "gaussian", "gaussian_nll_loss": "gaussian",
        "focal": "focal_2", "focal_loss": "focal_2", "binary_focal_crossentropy": "binary_focal_2",
    },
    "optimizer": {
        "gradient_descent": "sgd",
    },
    "initializer": {
        "xavier_uniform": "glorot_uniform", "xavier_normal": "glorot_normal",
        "kaiming_uniform": "he_uniform", "kaiming_normal": "he_normal",
    },
    "metric": {
        "acc": "accuracy", "mean_squared_error": "mse", "mean_absolute_error": "mae", "root_mean_squared_error": "rmse",
        "r2_score": "r2", "f1_score": "f1", "precision_score": "precision", "recall_score": "recall", "roc_auc": "auc",
        "roc_auc_score": "auc", "accuracy_score": "accuracy", "balanced_accuracy_score": "balanced_accuracy",
        "jaccard": "iou",
    },
}

NOTES = {
    "squared_error": "½ (a − y)², summed over the outputs, as in the notes; Keras and PyTorch leave out the ½ and average "
                     "over the outputs. The metric `mse` is what they call MSE.",
    "absolute_error": "|a − y|, summed over the outputs; Keras and PyTorch average over them. The metric `mae` does.",
    "leaky_relu": "slope 0.01 below zero, as in PyTorch; Keras has 0.3.",
    "focal_2": "γ = 2; other values in the name, as in focal_1.5. The factors α of the classes are `class_weight` of `fit`; "
               "Keras' CategoricalFocalCrossentropy has α = 0.25 for all, which only scales the loss.",
    "gaussian": "the outputs are the means, then the logarithms of the variances: Dense(2) for one target. Without the "
                "constant ½ log 2π, as in PyTorch.",
    "hinge": "labels are −1 and 1, as in Keras and scikit-learn.",
    "nadam": "with a constant β₁; Keras and PyTorch raise it over some hundred steps.",
    "cross_entropy": "after softmax or sigmoid, not on logits: end the network with Dense(classes, 'softmax'). Labels may "
                     "be whole numbers or one-hot.",
}


OWN_ACTIVATION = "register one of your own: fastnn.register_activation"
ELSEWHERE = {
    "activation": {
        **dict.fromkeys(("exp", "exponential"), "for positive outputs use 'softplus'"),
        "log_softmax": "use 'softmax', whose loss is computed from the logits", "softmin": "use 'softmax'",
        **dict.fromkeys(("hard_sigmoid", "hard_swish", "relu6", "mish", "softsign", "hardtanh"), OWN_ACTIVATION),
        "prelu": "'leaky_relu' has a fixed slope; a learned one is a layer of your own, fastnn.CustomLayer",
    },
    "loss": {
        **dict.fromkeys(("rmse", "root_mean_squared_error", "r2", "mape"), "use 'mse', or 'mae', and metrics=['rmse'] to "
                                                                           "report it"),
        **dict.fromkeys(("nll", "nll_loss", "log_loss", "logloss"), "use 'cross_entropy' after softmax, "
                                                                    "'binary_cross_entropy' after sigmoid"),
        **dict.fromkeys(("bce_with_logits", "bce_with_logits_loss"), "use 'binary_cross_entropy' after sigmoid, which is "
                                                                     "computed from the logits"),
        **dict.fromkeys(("accuracy", "f1", "auc", "roc_auc"), "it has no gradient: use the default loss, and metrics=[...] "
                                                              "to report it"),
    },
}


def plain(name):
    """Return a name without what does not distinguish names."""
    return re.sub(r"[\W_]+", "", name).lower()


def known_name(kind, given, known):
    """Return the name among `known` that `given` means; None if there is none."""
    if given in known:
        return given
    wanted, others = plain(given), OTHER_NAMES.get(kind, {})
    found = next((name for name in known if plain(name) == wanted), None)
    return found or next((ours for name, ours in others.items() if plain(name) == wanted and ours in known), None)


def did_you_mean(kind, given, known):
    """Return advice on the name, or a question with the most similar one, for an error; "" if none is similar."""
    wanted = plain(re.sub(r"\(.*", "", given))
    advice = next((found for name, found in ELSEWHERE.get(kind, {}).items() if plain(name) == wanted), None)
    if advice is not None:
        return f" ({advice})"
    names = {plain(name): name for name in (*OTHER_NAMES.get(kind, {}), *known)}
    close = difflib.get_close_matches(plain(given), names, n=1, cutoff=0.75)
    return f" (did you mean {names[close[0]]!r}?)" if close else ""
