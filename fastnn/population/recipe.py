"""Networks and fit options from hyperparameters."""

from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import ArrayLike

from ..checks import shown, whole_number
from ..kernels.optimizers import Optimizer, optimizers
from ..layers import BatchNorm, Dense, Dropout, Flatten
from ..network.network import Network
from ..samples.arrays import any_array
from ..samples.class_names import is_text
from .space import generator

SAME_NAMES = {"lr": "learning_rate", "hidden_layer_sizes": "hidden", "n_layers": "depth", "units": "width",
              "dropout_rate": "dropout", "n_epochs": "epochs", "bs": "batch_size"}

FIT = "epochs", "batch_size", "backprop_steps"  # hyperparameters of `fit`
ARCHITECTURE = ("hidden", "width", "depth", "activation", "dropout", "batch_norm", "l1", "l2", "initializer", "loss",
                "dtype", "seed")
MOST_CLASSES = 256  # more different whole numbers are taken for values


@dataclass(frozen=True)
class Problem:
    """Properties of a network that follow from the data: the shape of a sample, the outputs, and the last activation."""

    shape: tuple[int, ...]  # of a sample
    outputs: int
    activation: str


def problem_of(X, y, task):
    """Return the Problem of these data; task: "classification", "regression", or None to infer it from y."""
    X, y = any_array("X", X), any_array("y", y)
    if is_text(y):
        raise ValueError(f"y holds text, such as {shown(y.flat[0])}; a sweep takes the numbers of labels: names, y = "
                         "np.unique(y, return_inverse=True)")
    if X.ndim < 2 or 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; give one row a sample, (samples, features)")
    if y.shape[:1] != X.shape[:1] or 0 in y.shape:
        raise ValueError(f"y has shape {y.shape}; X has {len(X)} samples, so y must have {len(X)} rows")
    if task is not None and not (isinstance(task, str) and task in ("classification", "regression")):
        raise ValueError(f"task is {shown(task)}; it must be 'classification', 'regression' or None")
    labels = y.ndim == 1 and y.dtype.kind in "biu" and len(y) > 0
    if task == "regression" or (task is None and not labels):
        return Problem(X.shape[1:], 1 if y.ndim == 1 else y.shape[-1], "identity")
    if not labels:
        raise ValueError(f"y has shape {y.shape} and dtype {y.dtype}; for classification give integer labels (samples,), "
                         "such as np.unique(y, return_inverse=True)[1]")
    classes = int(y.max()) + 1
    if task is None and classes > MOST_CLASSES:
        raise ValueError(f"y holds whole numbers up to {classes - 1}; say what they are: task='regression' for values, "
                         "task='classification' for labels")
    return Problem(X.shape[1:], max(classes, 2), "softmax")


def default_network(problem, *, hidden=None, width=32, depth=1, activation="relu", dropout=0.0, batch_norm=False, l1=0.0,
                    l2=0.0, initializer=None, loss=None, dtype="float32", seed=0):
    """Return a network of dense layers, `depth` of `width` or those of `hidden`, with optional layers after each."""
    widths = [width] * whole_number("depth", depth, least=0) if hidden is None else hidden
    layers = [] if len(problem.shape) == 1 else [Flatten()]
    for out_features in widths if isinstance(widths, (list, tuple)) else [widths]:
        layers.append(Dense(out_features, activation, initializer, l1=l1, l2=l2))
        layers += [BatchNorm()] if batch_norm else []
        layers += [Dropout(dropout)] if dropout else []
    layers.append(Dense(problem.outputs, problem.activation, l1=l1, l2=l2))
    return Network(layers, inputs=problem.shape, loss=loss, dtype=dtype, seed=seed)


class Recipe:
    """The conversion of configurations to members; `fixed` are hyperparameters that the space does not contain."""

    def __init__(self, problem, build, optimizer, **fit):
        if build is not None and not callable(build):
            raise ValueError(f"build is {build!r}; it must be a function from hyperparameters to a Network")
        self.problem, self.build = problem, build
        self.fixed = {"optimizer": optimizer, **fit}

    def optimizer(self, configuration):
        """Return a new optimizer, and the names of the hyperparameters that it uses."""
        given = {**self.fixed, **configuration}["optimizer"]
        if isinstance(given, str):
            given = optimizers.resolve(given)()
        if not isinstance(given, Optimizer):
            raise ValueError(f"optimizer is {shown(given)}; in a sweep it must be an optimizer such as Adam(), or one of "
                             f"{', '.join(map(repr, optimizers))}")
        names = [*given.hyperparameter_names(), "clip_value", "clip_norm"]
        taken = {name: configuration[name] for name in names if name in configuration}
        return type(given)(**{name: getattr(given, name) for name in names} | taken), taken

    def network(self, configuration, taken):
        """Return the network, from the hyperparameters that neither the optimizer nor the fit uses."""
        own = {name: value for name, value in configuration.items()
               if name not in taken and name not in FIT and name != "optimizer"}
        if self.build is not None:
            network = self.build(**own)
            if not isinstance(network, Network):
                raise ValueError(f"build returned {network!r}; it must return a Network")
            return network
        if unknown := [name for name in own if name not in ARCHITECTURE]:
            raise ValueError(f"space names {unknown[0]!r}, which is no hyperparameter of a sweep"
                             f"{similar(unknown[0])}; there are "
                             f"{', '.join((*ARCHITECTURE, *FIT, 'optimizer'))} and those of the optimizer; for others give "
                             "build, a function from them to a Network")
        if own.get("hidden") is not None and {"width", "depth"} & set(own):
            raise ValueError("space has hidden, which lists the widths of the layers, and width or depth as well; give one")
        return default_network(self.problem, **own)

    def member(self, configuration):
        """Return (network, optimizer, epochs, batch_size, backprop_steps)."""
        optimizer, taken = self.optimizer(configuration)
        options = {**self.fixed, **configuration}
        return self.network(configuration, taken), optimizer, *(options[name] for name in FIT)


def similar(name):
    """Return a question with the hyperparameter that is probably meant, for an error; "" if none is similar."""
    known = SAME_NAMES.get(name) or next(iter(get_close_matches(name, (*ARCHITECTURE, *FIT, "learning_rate"), n=1)), None)
    return f" (did you mean {known!r}?)" if known else ""


def split_rows(samples, share, seed):
    """Return (training, validation) rows at random, both in ascending order."""
    held_out = round(share * samples)
    if not 0 < held_out < samples:
        raise ValueError(f"validation_split is {share!r}; of {samples} samples it leaves {samples - held_out} to train on "
                         f"and {held_out} to validate on: give a share such as 0.2")
    order = generator(seed).permutation(samples)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def k_folds(samples: int, folds: int = 5, seed: int | None = 0, *, labels: ArrayLike | None = None) -> list[tuple]:
    """Split the rows of the data into `folds` parts at random, each of which is held out once.

    Parameters
    ----------
    samples : int
        The number of rows.
    folds : int
    seed : int or None
        None keeps the rows in order.
    labels : array (samples,), optional
        Give every part the same number of rows of each label, up to one.

    Returns
    -------
    list of (training rows, validation rows)
        Arrays of int64, ascending, for `Population.fit(rows=..., validation_rows=...)`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, Population, k_folds
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> rows, validation_rows = zip(*k_folds(len(X), 5))
    >>> population = Population(Network([Dense(1)], inputs=3), seeds=[0] * 5)
    >>> histories = population.fit(X, X.sum(axis=1), epochs=20, rows=rows, validation_rows=validation_rows)
    >>> population.scores("val_loss").shape
    (5,)
    """
    samples, folds = whole_number("samples", samples), whole_number("folds", folds, least=2)
    if folds > samples:
        raise ValueError(f"folds is {folds}; there are {samples} samples, and each fold takes one at least")
    order = np.arange(samples) if seed is None else generator(seed).permutation(samples)
    parts = np.array_split(order, folds)
    if labels is not None:
        labels = any_array("labels", labels)
        if labels.shape != (samples,):
            raise ValueError(f"labels has shape {labels.shape}; there are {samples} samples: give one label a row, "
                             f"({samples},)")
        order = order[np.argsort(np.unique(labels, return_inverse=True)[1][order], kind="stable")]
        parts = [order[k::folds] for k in range(folds)]  # sorted by label, so that each part gets its share
    parts = [np.sort(part) for part in parts]
    return [(np.sort(np.concatenate(parts[:k] + parts[k + 1:])), parts[k]) for k in range(folds)]
