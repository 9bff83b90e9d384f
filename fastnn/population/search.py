"""Hyperparameter sweeps: populations from a space of hyperparameters, with a table and a picture of the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..checks import not_negative, number_in_range, whole_number
from ..checks.other_arguments import takes_others
from ..checks.other_attributes import answers
from ..formats import html
from ..network.network import Network
from ..samples.metrics import KNOWN
from .halving import group_scores, halve
from .options import count_samples
from .population import Population
from .recipe import Recipe, k_folds, problem_of, split_rows
from .results import MOST_ROWS, as_table, checked_metric, costs, final, warn_of_losses, written
from .space import configurations

# names of hyperparameters in the table, if they are also names of results
GIVEN = {name: f"{name} given" for name in ("configuration", "parameters", "epochs", "diverged", *KNOWN)}
GIVEN["loss"] = "loss function"


@takes_others("sweep")
def sweep(space: Mapping, X: ArrayLike, y: ArrayLike, *, samples: int | None = None, build: Callable | None = None,
          task: str | None = None, epochs: int = 20, batch_size: int = 32, optimizer="adam",
          backprop_steps: int | None = None, validation_data: tuple | None = None, validation_split: float = 0.2,
          folds: int | None = None, halving: float | None = None, metric: str | None = None,
          sample_weight: ArrayLike | None = None, class_weight: Mapping | str | None = None, metrics: Sequence = (),
          callbacks: Sequence | Callable[[int], list] = (), seed: int = 0, threads: int | None = None,
          progress: bool | None = None, executor=None) -> Sweep:
    """Train networks with many hyperparameters on the same data, in one compiled parallel call.

    Parameters
    ----------
    space : dict
        The values of each hyperparameter: a list of choices; a range (low, high) or (low, high, "log"), of integers if both
        ends are integers; an object with a method `rvs(random_state=...)`, such as a distribution of scipy.stats; or one
        value. The names are width, depth or hidden (a list of widths, as in [(64,), (64, 32)]), activation, dropout,
        batch_norm, l1, l2, initializer, loss, dtype, seed; optimizer, and the hyperparameters of the optimizer such as
        learning_rate; epochs, batch_size and backprop_steps.
    X, y : array
        As for `Network.fit`, preprocessed: values of about unit size.
    samples : int, optional
        The number of random configurations. Without it, all combinations of the lists are tried.
    build : function, optional
        Returns a Network from the hyperparameters by name, without those of the optimizer and of the fit. By default a
        network of dense layers for X and y. Networks of several inputs or outputs need it; X and y are then given by name.
    task : {"classification", "regression"}, optional
        Default: integers in a 1-D y are labels.
    epochs, batch_size, backprop_steps, optimizer
        The values if the space does not contain them.
    validation_data : tuple (X, y) or (X, y, sample_weight), optional
        The data for the scores. Without it, a random fraction `validation_split` of the rows is held out; with `folds`, each
        configuration trains that many networks, each evaluated on another part of the rows. Rows are not copied.
    halving : float, optional
        Use successive halving with this factor, such as 3: see `Population.halve`.
    metric : str, optional
        The score: "val_loss", the default, or another metric that the fits report.
    metrics, callbacks, sample_weight, class_weight, threads, progress
        As for `Population.fit`.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Trains the networks in other processes or on other machines, with the same result to the bit: see
        `Population.fit`.
    seed : int
        Of the random configurations and of the parts of the data.

    Returns
    -------
    Sweep
        `table`, `plot()`, `best`, `best_configuration`, `population`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> space = {"width": [4, 32], "activation": ["relu", "tanh"], "learning_rate": (1e-4, 1e-1, "log")}
    >>> result = fastnn.sweep(space, X, y, samples=12, epochs=10)
    >>> len(result.table), sorted(result.best_configuration)
    (12, ['activation', 'learning_rate', 'width'])
    >>> result.best.evaluate(X, y)["accuracy"] > 0.8
    True
    """
    halving = None if halving is None else number_in_range("halving", halving, 1.5)
    drawn = configurations(space, samples, seed)
    recipe = Recipe(problem_of(X, y, task) if build is None else None, build, optimizer, epochs=epochs,
                    batch_size=batch_size, backprop_steps=backprop_steps)
    count = len(X) if build is None else count_samples(X, recipe.member(drawn[0])[0])
    folds = None if folds is None else whole_number("folds", folds, least=2)
    if validation_data is not None and folds is not None:
        raise ValueError("validation_data and folds are both given; give one of them")
    if validation_data is not None:
        parts = [(None, None)]
    elif folds is not None:
        parts = k_folds(count, folds, seed)
    else:
        parts = [split_rows(count, not_negative("validation_split", validation_split), seed)]
    networks, optimizers, each_epochs, batch_sizes, windows = zip(
        *(recipe.member(configuration) for configuration in drawn for _ in parts), strict=True)
    population = Population(networks)
    rows, validation_rows = zip(*(parts * len(drawn)), strict=True)
    options = {"batch_size": list(batch_sizes), "optimizer": list(optimizers), "backprop_steps": list(windows),
               "callbacks": callbacks, "threads": threads,
               "rows": list(rows), "validation_rows": list(validation_rows), "validation_data": validation_data,
               "sample_weight": sample_weight, "class_weight": class_weight, "metrics": metrics, "progress": progress,
               "executor": executor}
    each_epochs = [whole_number("epochs", value) for value in each_epochs]
    metric = checked_metric("val_loss" if metric is None else metric, networks[0], True, metrics, "a sweep")
    groups = np.repeat(np.arange(len(drawn)), len(parts))
    rungs = None
    if halving is None:
        population.fit(X, y, epochs=each_epochs, **options)
        warn_of_losses(population.networks, metric)
    else:
        rungs = halve(population, X, y, epochs=each_epochs, factor=halving, metric=metric, groups=groups, options=options)
    return Sweep(drawn, population, groups, metric, rungs)


@answers
class Sweep:
    """The results of a sweep.

    Attributes
    ----------
    configurations : list of dict
        The hyperparameters.
    population : Population
        The networks: one for each configuration; with folds, as many as there are folds, in the order of the configurations.
    scores : array (configurations,)
        The metric of each, with folds the mean; NaN for those that diverged.
    metric : str
    """

    def __init__(self, configurations, population, groups, metric, rungs=None):
        self.configurations, self.population, self.groups, self.metric = configurations, population, groups, metric
        self.rungs = rungs
        self.scores = group_scores(population.scores(metric), groups, range(len(configurations)))

    @property
    def ranking(self):
        """Return the numbers of the configurations, the best first; those in more rungs come before the others."""
        rungs = np.zeros(len(self.scores), int) if self.rungs is None else self.rungs
        return np.lexsort((costs(self.scores, self.population.reported.get(self.metric, self.metric)), -rungs))

    @property
    def best_configuration(self) -> dict:
        """The hyperparameters with the best score."""
        return self.configurations[self.ranking[0]]

    @property
    def best(self) -> Network:
        """The network of the best configuration; with folds, that of its first fold."""
        return self.population[int(np.flatnonzero(self.groups == self.ranking[0])[0])]

    @property
    def table(self):
        """A table with one row for each configuration, the best first: a pandas DataFrame, or a list of dicts."""
        return as_table([self._row(number) for number in self.ranking])

    def _row(self, number):
        population, members = self.population, np.flatnonzero(self.groups == number)
        row = {"configuration": int(number)}
        row |= {GIVEN.get(name, name): value for name, value in self.configurations[number].items()}
        row["parameters"] = int(population[int(members[0])].vectors.parameters.size)
        histories = [population.histories[k] for k in members]
        row["epochs"] = max(len(history.epochs) for history in histories)
        row["diverged"] = any(int(k) in population.errors for k in members)
        for name in self.population.reported or KNOWN:
            if any(name in history for history in histories):
                values = [final(population.histories[k], population.callbacks[k], name) for k in members]
                row[name] = float(np.mean(values))
                if len(members) > 1 and name == self.metric:
                    row[f"{name} std"] = float(np.std(values))
        return row

    def plot(self, columns: int = 3):
        """Draw the score of every configuration by each hyperparameter that varies; return the array of Axes.

        Needs Matplotlib: pip install "fastnn-numba[plot]".
        """
        from .. import plot

        record = self.population.reported.get(self.metric)
        mode = {"higher": "max", "lower": "min"}.get(record and record.better, "auto")
        return plot.sweep_panels(self.configurations, self.scores, self.metric, whole_number("columns", columns), mode)

    def __len__(self):
        return len(self.configurations)

    def _repr_html_(self):
        rows = [self._row(number) for number in self.ranking[:MOST_ROWS]]
        names = list(dict.fromkeys(name for row in rows for name in row))
        cells = [[written(row.get(name, "")) for name in names] for row in rows]
        hidden = f"; the best {MOST_ROWS} are shown" if len(self) > MOST_ROWS else ""
        return html.table(names, cells, f"{len(self)} configurations by {self.metric}, the best first{hidden}")

    def __repr__(self):
        best = self.ranking[0]
        return (f"<Sweep of {len(self)} configurations; best {self.metric} {self.scores[best]:.4g} with "
                f"{self.configurations[best]}>")
