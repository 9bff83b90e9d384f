"""Arguments of Keras, PyTorch and scikit-learn: those that mean the same are taken, others get an error that names ours.

`SAME` has the arguments that mean the same beyond doubt, for each kind of callable. `ADVICE` has what to do in place of the
others. The page on names shows both tables.
"""

import functools
import inspect
import sys

from .single import shown

SAME = {
    "fit": {
        **dict.fromkeys(("accumulate_grad_batches", "gradient_accumulation_steps", "accumulation_steps"), "accumulate"),
        "x": "X", "batch": "batch_size", "bs": "batch_size", "minibatch_size": "batch_size", "n_epochs": "epochs",
        "nb_epoch": "epochs", "num_epochs": "epochs", "max_epochs": "epochs", "sample_weights": "sample_weight",
        "class_weights": "class_weight", "val_data": "validation_data", "val_split": "validation_split",
        "validation_fraction": "validation_split", "n_threads": "threads", "num_threads": "threads", "n_jobs": "threads",
    },
    "evaluate": {"x": "X", "sample_weights": "sample_weight", "n_threads": "threads", "n_jobs": "threads"},
    "Network": {
        "input_shape": "inputs", "input_dim": "inputs", "input_size": "inputs", "in_features": "inputs",
        "n_features": "inputs", "n_inputs": "inputs", "random_state": "seed", "random_seed": "seed",
        "loss_function": "loss", "criterion": "loss",
    },
    "layer": {
        "units": ("out_features",), "n_units": ("out_features",), "num_units": ("out_features",),
        "neurons": ("out_features",), "hidden_size": ("out_features",), "output_dim": ("out_features", "features"),
        "filters": ("out_channels",), "kernel": ("kernel_size",), "pool_size": ("kernel_size",), "strides": ("stride",),
        "dilation_rate": ("dilation",), "depth_multiplier": ("multiplier",), "p": ("rate",), "stddev": ("deviation",),
        "std": ("deviation",), "eps": ("epsilon",), "act": ("activation",), "activation_function": ("activation",),
        "kernel_initializer": ("initializer",), "embedding_dim": ("features",), "num_embeddings": ("tokens",),
        "vocab_size": ("tokens",), "input_dim": ("tokens",), "num_heads": ("heads",), "num_groups": ("groups",),
        "merge_mode": ("merge",), "target_shape": ("shape",), "scale_factor": ("size",),
    },
    "optimizer": {
        "lr": "learning_rate", "beta_1": "beta1", "beta_2": "beta2", "b1": "beta1", "b2": "beta2", "eps": "epsilon",
        "clipvalue": "clip_value", "global_clipnorm": "clip_norm", "wd": "weight_decay",
    },
    "table": {
        **dict.fromkeys(("lr", "learning_rate_init"), "learning_rate"),
        **dict.fromkeys(("max_iter", "n_epochs", "num_epochs", "max_epochs"), "epochs"),
        "random_state": "seed", "seed": "random_state",
        **dict.fromkeys(("n_jobs", "num_threads"), ("n_threads", "threads")),
        **dict.fromkeys(("validation_fraction", "validation_split"), "validation"), "test_size": "test",
    },
    "callback": {
        "restore_best_weights": "restore_best", "filepath": "path", "filename": "path", "min_lr": "min_learning_rate",
    },
}

LOSS_IN_NETWORK = "the loss is an argument of the network: Network(..., loss='huber')"
SMOOTHING = "it is in the name of the loss: Network(..., loss='smoothed_cross_entropy_0.1')"
RATE_IN_OPTIMIZER = "the learning rate is one of the optimizer: fit(..., optimizer=Adam(learning_rate=0.01))"
ACCUMULATION = "it is an argument of fit: net.fit(X, y, batch_size=32, accumulate=4)"
OF_FIT = "it is an argument of fit"
STOPPING = "give callbacks=[EarlyStopping(patience=5)]"
SHAPE_IN_NETWORK = "the shape of a sample is an argument of the network: Network([...], inputs=4)"
ADVICE = {
    "fit": {
        "learning_rate": RATE_IN_OPTIMIZER, "lr": RATE_IN_OPTIMIZER, "learning_rate_init": RATE_IN_OPTIMIZER,
        "label_smoothing": SMOOTHING,
        "loss": LOSS_IN_NETWORK, "criterion": LOSS_IN_NETWORK, "loss_fn": LOSS_IN_NETWORK,
        "max_iter": "give epochs, the number of passes over the data",
        "eval_set": "give validation_data=(X, y)", "validation_set": "give validation_data=(X, y)",
        "X_val": "give validation_data=(X, y)", "y_val": "give validation_data=(X, y)",
        "early_stopping": STOPPING, "patience": STOPPING, "early_stopping_rounds": STOPPING, "n_iter_no_change": STOPPING,
        "random_state": "the seed is an argument of the network: Network(..., seed=0)",
        "seed": "the seed is an argument of the network: Network(..., seed=0)",
        "steps_per_epoch": "an epoch is a pass over all samples; for steps of your own use train_on_batch",
        "initial_epoch": "fit(..., resume=True) continues a fit",
        "validation_batch_size": "the result does not depend on it: leave it out",
        "validation_steps": "all validation samples count: leave it out",
        "verbose": "give callbacks=[EpochLog()] for a line an epoch, or progress=True for a bar",
        "device": "fastnn computes on the CPU: leave it out", "workers": "give threads, if you want fewer than all",
        "use_multiprocessing": "leave it out: threads share a step",
        "validation_freq": "the validation samples count after each epoch: leave it out",
        "optimizer_params": RATE_IN_OPTIMIZER,
        **dict.fromkeys(("stateful", "bptt", "truncated_bptt_steps"),
                        "give backprop_steps, the length of the windows by which long sequences are trained"),
    },
    "evaluate": {"callbacks": "evaluate has none: leave it out", "steps": "all samples count: leave it out",
                 "return_dict": "it returns a dict always: leave it out"},
    "Network": {
        "optimizer": f"{OF_FIT}: net.fit(X, y, optimizer='adam')", "metrics": f"{OF_FIT}: net.fit(X, y, metrics=['auc'])",
        "epochs": f"{OF_FIT}: net.fit(X, y, epochs=10)", "batch_size": f"{OF_FIT}: net.fit(X, y, batch_size=32)",
        "learning_rate": RATE_IN_OPTIMIZER, "lr": RATE_IN_OPTIMIZER,
        "callbacks": f"{OF_FIT}: net.fit(X, y, callbacks=[...])",
        "hidden_layer_sizes": "give the layers: Network([Dense(64, 'relu'), Dense(1)], inputs=4)",
        "activation": "each layer has its own: Dense(64, 'relu')",
        "output_shape": "the last layer has the number of outputs: Dense(3, 'softmax')",
        "n_outputs": "the last layer has the number of outputs: Dense(3, 'softmax')",
        "device": "fastnn computes on the CPU: leave it out",
        "label_smoothing": SMOOTHING,
        "name": "networks have no name: leave it out",
        "loss_weights": "the loss of an output may have a factor: loss={'price': ('mse', 0.1), …}",
        "from_logits": "end the network with the activation, Dense(3, 'softmax'): the loss is computed from the logits then",
    },
    "layer": {
        **dict.fromkeys(("input_shape", "input_dim", "in_channels", "input_size", "batch_input_shape"), SHAPE_IN_NETWORK),
        "in_features": f"a layer works out its inputs, and {SHAPE_IN_NETWORK}",
        **dict.fromkeys(("kernel_regularizer", "regularizer", "weight_decay", "activity_regularizer"),
                        "a penalty on the weight is l1 or l2: Dense(64, 'relu', l2=1e-4)"),
        "bias_initializer": "biases begin at zero; set net.parameters['0.bias'][:] for others",
        "use_bias": "every layer has its bias: leave it out", "bias": "every layer has its bias: leave it out",
        "name": "a layer is named where it is called on a node: Dense(8)(x, name='encoder')",
        "dtype": "it is an argument of the network: Network(..., dtype='float64')",
        "device": "fastnn computes on the CPU: leave it out",
        "trainable": "give fit(..., frozen=['0.*'])", "requires_grad": "give fit(..., frozen=['0.*'])",
        "num_layers": "give several layers, one after the other",
        "batch_first": "samples come first always: leave it out",
        "input_length": "sequences may have any length: leave it out", "embed_dim": "it is that of the input: leave it out",
        **dict.fromkeys(("axis", "num_features", "normalized_shape"), "it is the last axis, and a layer works out its size: "
                        "leave it out"),
        **dict.fromkeys(("affine", "center", "scale", "track_running_stats"), "leave it out: scale, shift and running "
                        "statistics are always there"),
        **dict.fromkeys(("start_dim", "end_dim"), "it makes one axis of all but the samples: leave it out"),
        "bidirectional": "use Bidirectional(GRU(64))", "dropout": "put a Dropout layer after it",
        "data_format": "channels come last always: leave it out", "padding_mode": "put a Pad2D layer before it",
        **dict.fromkeys(("mask_zero", "padding_idx", "mask"), "sequences of any length, inputs=(None,) or (None, features), "
                        "have no padding: give a list of arrays, or Sequences.from_padded(X, mask=mask)"),
        "return_sequences": "give it to the layer: Bidirectional(GRU(64, return_sequences=True))",
        "return_state": "the last state is the output; LSTM(64, return_cells=True) gives the cells as well",
        "stateful": "net.stream() keeps the state from step to step, and fit(..., backprop_steps=50) from window to window",
        "activation": "put an Activation('relu') behind it; of recurrent layers, SimpleRNN has a nonlinearity",
        "recurrent_activation": "gates have the logistic function: leave it out",
        "inplace": "leave it out", "go_backwards": "reverse=True reads from the end; the order of the outputs stays",
    },
    "optimizer": {
        "clipnorm": "Keras limits each variable by itself; clip_norm limits the norm of the whole gradient",
        "betas": "give beta1 and beta2", "amsgrad": "there is no AMSGrad: leave it out",
        **dict.fromkeys(("gradient_accumulation_steps", "accumulation_steps"), ACCUMULATION),
        "params": "an optimizer is given to fit, which knows the parameters: leave it out",
        "maximize": "the loss is minimized: register a loss with the other sign", "foreach": "leave it out",
        "fused": "leave it out: the update is fused always", "ema_momentum": "give callbacks=[WeightAverage(0.99)]",
        "use_ema": "give callbacks=[WeightAverage(0.99)]",
        "weight_decay": "use AdamW, which has weight_decay, or l2 in the layers",
        "decay": "give a schedule: Adam(learning_rate=ExponentialDecay(0.01, every=100))",
        "alpha": "PyTorch's alpha of RMSprop is rho", "dampening": "leave it out",
    },
    "callback": {
        "verbose": "a callback prints nothing: leave it out", "save_weights_only": "files have weights and architecture",
        "baseline": "it has none: leave it out", "start_from_epoch": "it has none: leave it out",
        "threshold": "give min_delta, a difference; PyTorch's threshold is a share unless threshold_mode='abs'",
        "trigger_times": "give patience", "save_top_k": "give save_best_only=True",
    },
    "table": {
        "hidden_layer_sizes": "give the hidden layers: layers=[Dense(64, 'relu'), Dense(64, 'relu')]",
        "hidden": "give the hidden layers: layers=[Dense(64, 'relu'), Dense(64, 'relu')]",
        **dict.fromkeys(("early_stopping", "patience", "n_iter_no_change"),
                        "each network keeps its best epoch: leave it out; validation is the share to choose it by"),
        **dict.fromkeys(("optimizer", "solver"), "a table is trained by AdamW: leave it out"),
        "loss": "the target decides it: leave it out",
    },
    "train": {
        **dict.fromkeys(("epochs", "batch_size", "learning_rate", "lr", "layers", "members", "seed", "random_state", "test",
                         "test_size", "validation", "bins"), "it belongs to the recipe: train(table, target, "
                                                             "Recipe(epochs=20))"),
        **dict.fromkeys(("task", "problem_type"), "the kind of the target decides it; of whole numbers, Recipe(task=...)"),
        **dict.fromkeys(("drop", "ignore", "exclude"), "leave columns out before: train(table.drop(columns=[...]), target)"),
        **dict.fromkeys(("features", "columns"), "choose columns before: train(table[[..., target]], target)"),
    },
    "sweep": {
        **dict.fromkeys(("n_trials", "n_iter", "max_trials", "trials"), "give samples, the number of configurations"),
        **dict.fromkeys(("cv", "n_splits", "k"), "give folds"), "scoring": "give metric, the name of one to choose by",
        "n_jobs": "give threads, if you want fewer than all", "random_state": "give seed",
        "param_grid": "it is the first argument, space", "learning_rate": "put it in the space, as a choice of one: "
                                                                          "{'learning_rate': [0.01]}",
    },
    "estimator": {
        **dict.fromkeys(("epochs", "n_epochs", "max_epochs"), "give max_iter, as in scikit-learn"),
        "optimizer": "give solver, as in scikit-learn: solver='adam' or solver=Adam(0.01)",
        **dict.fromkeys(("seed", "random_seed"), "give random_state, as in scikit-learn"),
        "lr": "give learning_rate_init, as in scikit-learn", "hidden": "give hidden_layer_sizes",
        "patience": "give n_iter_no_change and early_stopping=True", "threads": "give n_threads",
        "progress": "give verbose", "validation_split": "give validation_fraction and early_stopping=True",
        "backprop_steps": "windows need a target at each step, and an estimator has one for each sequence: use "
                          "Network.fit(..., backprop_steps=50)",
    },
}


def takes_others(kind):
    """Return a decorator: the function also takes the arguments of other libraries that mean the same as its own."""

    def decorate(function):
        parameters = inspect.signature(function).parameters.values()
        known = frozenset(each.name for each in parameters)
        kinds = [each.kind for each in parameters]
        most = sys.maxsize if inspect.Parameter.VAR_POSITIONAL in kinds else kinds.count(
            inspect.Parameter.POSITIONAL_OR_KEYWORD)

        @functools.wraps(function)
        def call(*given, **options):
            if len(given) > most and (kind == "layer" or most < len(known)):
                refuse_positions(kind, function, given, most)
            if not options.keys() <= known:
                options = ours(kind, function, known, options)
            return function(*given, **options)

        return call

    return decorate


def name_of(function):
    return function.__qualname__.removesuffix(".__init__")


def refuse_positions(kind, function, given, most):
    """Raise a TypeError for more arguments without names than a layer or a function takes."""
    names = list(inspect.signature(function).parameters)[1:]
    taken = ", ".join(names[:most - 1]) or "none"
    named = f"; give others by name: {', '.join(names[most - 1:])}" if names[most - 1:] else ""
    if kind == "layer":
        named = f", {', '.join(map(shown, given[1:]))}{named}. A layer works out the number of its inputs"
    raise TypeError(f"{name_of(function)}() takes {taken} without a name, and here there are {len(given) - 1} arguments"
                    f"{named}")


def ours(kind, function, known, options):
    """Return the options under our names, or raise a TypeError that names ours."""
    found = {name: value for name, value in options.items() if name in known}
    where = name_of(function)
    for name, value in options.items():
        if name in known:
            continue
        same = SAME.get(kind, {}).get(name, ())
        own = next((each for each in ((same,) if isinstance(same, str) else same) if each in known), None)
        if own is not None:
            if own in found:
                raise TypeError(f"{where}() got {name} and {own}, which mean the same; give {own}")
            found[own] = value
        elif not is_without_effect(kind, name, value, found, known):
            advice = ADVICE.get(kind, {}).get(name) or f"its arguments are {', '.join(of_caller(function))}"
            raise TypeError(f"{where}() has no argument {name!r}; {advice}")
    return found


ADDED_BY_KERAS = ("activation", "tanh"), ("recurrent_activation", "sigmoid")  # to cells, which have these always


def is_without_effect(kind, name, value, found, known):
    """Return whether an option asks for what happens anyway; `verbose` of a fit becomes `progress`."""
    if kind == "fit" and name == "verbose" and value in (0, 1, "auto") and "progress" not in found:
        if value != "auto":
            found["progress"] = bool(value)
        return True
    if name == "verbose" and kind in ("evaluate", "callback"):
        return kind == "evaluate" or not value
    if kind == "evaluate" and name == "batch_size":  # the result does not depend on it
        return True
    always = "use_bias", "bias", "batch_first", "affine", "center", "scale"
    return (kind == "layer" and name in always and value is True) or \
        ("recurrent_dropout" in known and (name, value) in ADDED_BY_KERAS) or \
        (name in ("amsgrad", "inplace") and value is False)


def of_caller(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]
