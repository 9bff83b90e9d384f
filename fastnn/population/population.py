"""Population: many networks trained on the same data in one compiled parallel call."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import several, shown, true_or_false, whole_number
from ..checks.caller_warning import warn_caller
from ..fitting.divergence import DivergenceError
from ..fitting.history import History
from ..fitting.lbfgs import LBFGS
from ..fitting.loop import Fit
from ..fitting.progress import Progress
from ..fitting.state import begin_or_resume
from ..formats import html
from ..network.network import Network
from ..program.truncated import window_steps
from ..runtime.exclusive import Claim
from ..runtime.threads import resolve_threads
from ..samples.metrics import choose, of_fit
from .data import SharedData
from .ensemble import Ensemble
from .executors import DIVERGED, checked_executor, fit_elsewhere
from .halving import halve
from .member_fit import MemberFit
from .members import check_members, numbers_of
from .options import MemberOptimizers, count_samples, each, each_callbacks, each_rows
from .results import MOST_ROWS, as_table, costs, final, ranking_metric, shown_loss, warn_of_losses
from .scheduling import begin_all, epochs_of, train_together


class Population(Ensemble):
    """Many networks, of any depths, widths, activations, losses and dtypes, that learn the same targets from the same data.

    `fit` trains all of them in one compiled call, each thread one network at a time. Each network gets the same weights, to
    the bit, as with `Network.fit`. For predictions as an ensemble see `predict`, `quantiles` and `spread`.

    Parameters
    ----------
    networks : list of Network, or Network
        Members, with inputs of the same shape and the same number of outputs; those of several inputs or outputs, of the
        same names. Or one network, for `seeds`.
    seeds : list of int, optional
        With one network: the members are new networks of its architecture, one with each of these seeds.

    Attributes
    ----------
    networks : list of Network
        Also `population[i]`; a slice, a list of numbers, or a boolean mask returns a Population of those members, such as
        `population[population.scores("val_accuracy") > 0.9]`.
    histories : list of History
        Of the last fit, complete or interrupted; empty before the first.
    errors : dict of int to DivergenceError
        The errors of the members, by number, that diverged in the last fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Adam, Dense, Network, Population
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> nets = [Network([Dense(width, "relu"), Dense(2, "softmax")], inputs=2, seed=seed)
    ...         for width in (4, 16, 64) for seed in range(4)]
    >>> population = Population(nets)
    >>> histories = population.fit(X[:200], y[:200], epochs=30, optimizer=Adam(0.01), validation_data=(X[200:], y[200:]))
    >>> len(histories), population.best().layers[0].out_features > 4
    (12, True)
    >>> bool((population.predict(X) == y).mean() > 0.9)
    True
    """

    def __init__(self, networks: Sequence[Network] | Network, seeds: Iterable[int] | None = None) -> None:
        if isinstance(networks, Network):
            if seeds is None:
                raise ValueError("one network is given; give a list of them, or seeds=range(8) for members like it")
            if isinstance(seeds, int):
                raise ValueError(f"seeds is {shown(seeds)}; it must be a list of seeds, such as range({max(seeds, 1)})")
            networks = [type(networks).from_config(networks.config(), seed=seed) for seed in several("seeds", seeds)]
        elif seeds is not None:
            raise ValueError(f"seeds is {shown(seeds)}, which goes with one network; those of a list have their own: leave "
                             "seeds out")
        self.networks = list(several("networks", networks))
        check_members(self.networks)
        self.histories, self.errors, self.callbacks = [], {}, [[] for _ in self.networks]
        self.own_optimizers = MemberOptimizers()

    reported = MappingProxyType({})  # the metrics of the last fit by name, as records with a direction

    def fit(self, X: ArrayLike, y: ArrayLike, *, epochs: int | Sequence[int] = 1, batch_size: int | Sequence[int] = 32,
            optimizer=None, validation_data: tuple | None = None, rows=None, validation_rows=None,
            sample_weight: ArrayLike | None = None, class_weight: Mapping | str | None = None, shuffle: bool = True,
            metrics: Sequence = (), callbacks: Sequence | Callable[[int], list] = (), threads: int | None = None,
            progress: bool | None = None, resume: bool = False,
            backprop_steps: int | Sequence[int | None] | None = None,
            executor=None) -> list[History]:
        """Train every member, starting from its current weights.

        The options are those of `Network.fit`; a list has one value for each member.

        Parameters
        ----------
        X, y : array
            As for `Network.fit`. They are shared by the members, and copied only to change the dtype.
        epochs, batch_size : int or list of int
        optimizer : optimizer, str, LBFGS, or a list; default "adam"
            Each member gets its own copy. Members with `LBFGS`, which SciPy runs, are trained one after another after the
            others; `epochs` has no effect on them.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
        rows, validation_rows : array of int or of bool, or a list of them, optional
            The rows of X for training and for evaluation after each epoch of the members, such as those of `k_folds`.
            Nothing is copied: the weights are those of `fit(X[rows], y[rows])`.
        sample_weight : array (samples,), optional
        class_weight : "balanced" or dict of class to weight, optional
        shuffle : bool
        metrics : list of str, function or Metric
            With additional metrics, each member returns to Python after each epoch.
        callbacks : list of Callback, or function
            Each member gets its own copies, which are in `population.callbacks` afterwards. Or a function of the number of
            the member that returns its callbacks. `EarlyStopping` takes no extra time. With other callbacks for epochs, the
            member returns to Python after each epoch; with callbacks for batches, Python's thread trains the member.
        threads : int, optional
            The largest number of threads; default all. The number does not change the result.
        progress : bool, optional
        resume : bool
            Whether each member resumes its last fit, until `epochs` epochs are done in total.
        backprop_steps : int or list of int or None, optional
            The length of the windows by which members learn long series, as in `Network.fit`.
        executor : concurrent.futures.Executor or dask.distributed.Client, optional
            Trains parts of the members, in other processes or on other machines, with the same result to the bit.
            `threads` are those of a part then, default 1. The callbacks of a member are copies, in
            `population.callbacks`.

        Returns
        -------
        list of History
            One for each member. A member that diverges stops with the weights from before that step and is named in a
            warning and in `errors`; the others continue.

        Raises
        ------
        ValueError
            If the data or options are not valid; nothing has changed then.
        """
        threads_given, count, threads = threads, len(self), resolve_threads(threads)
        epochs = [whole_number("epochs", value, least=0) for value in each("epochs", epochs, count)]
        batch_sizes = [whole_number("batch_size", value) for value in each("batch_size", batch_size, count)]
        shuffle, resume = true_or_false("shuffle", shuffle), true_or_false("resume", resume)
        progress = None if progress is None else true_or_false("progress", progress)
        given, windows = each("optimizer", optimizer, count), each("backprop_steps", backprop_steps, count)
        callbacks = each_callbacks(callbacks, count)
        chosen = [choose(metrics, network.objective.head) for network in self.networks]
        samples = count_samples(X, self.networks[0])
        rows, validation_rows = (each_rows(name, value, count, samples)
                                 for name, value in (("rows", rows), ("validation_rows", validation_rows)))
        if validation_data is not None and any(part is not None for part in validation_rows):
            raise ValueError("validation_data and validation_rows are both given; give one of them")

        executor = checked_executor("executor", executor)
        memory = [vector.flat for network in self.networks for vector in (network.vectors.parameters, network.vectors.state)]
        fits, later, data = {}, {}, SharedData(X, y, sample_weight, class_weight, validation_data, memory)
        if executor is not None:
            for number, network in enumerate(self.networks):
                data.training(network.astype("float64") if isinstance(given[number], LBFGS) else network, rows[number])
                data.validation(network, validation_rows[number])
            members = {"epochs": epochs, "batch_size": batch_sizes, "backprop_steps": windows, "rows": rows,
                       "validation_rows": validation_rows}
            shared = {"validation_data": validation_data, "sample_weight": sample_weight, "class_weight": class_weight,
                      "shuffle": shuffle, "metrics": metrics, "threads": 1 if threads_given is None else threads,
                      "resume": resume}
            return self._fit_by(executor, X, y, given, callbacks, members, shared, progress)
        for number, network in enumerate(self.networks):
            own_rows = rows[number], validation_rows[number]
            if isinstance(given[number], LBFGS):
                data.training(network.astype("float64"), own_rows[0])
                if resume:
                    raise ValueError(f"member {number} has LBFGS, and such a fit cannot be resumed; leave resume out")
                if windows[number] is not None:
                    raise ValueError(f"member {number} has LBFGS, which takes the gradient of all samples at once; leave "
                                     "backprop_steps out for it")
                later[number] = partial(data.fit_copies, network, *own_rows, optimizer=given[number],
                                        metrics=list(metrics), callbacks=callbacks[number], threads=threads, progress=False)
                continue
            learned, validation = data.training(network, own_rows[0]), data.validation(network, own_rows[1])
            try:
                state = begin_or_resume(
                    network, self.own_optimizers.of(number, given[number]), resume, samples=learned.samples,
                    batch_size=batch_sizes[number], shuffle=shuffle,
                    backprop_steps=window_steps(network, windows[number]))
            except ValueError as error:
                raise ValueError(f"member {number}: {error}") from None
            fit = Fit(network, learned, validation, state, epochs=epochs[number], callbacks=callbacks[number],
                      metrics=chosen[number], threads=1, progress=False)
            fits[number] = MemberFit(fit, every_epoch=bool(chosen[number]))
        total, done = sum(epochs[number] for number in fits), epochs_of(fits.values())
        with ExitStack() as ends, Progress(progress, 1, max(total, 1), done, unit="epoch") as bar:
            for fit in fits.values():  # whatever happens from here on, each fit is closed
                ends.callback(fit.close)
            begin_all(fits, {number: Claim(sys._getframe()) for number in fits})
            reported = {metric.name: metric for network, own in zip(self.networks, chosen, strict=True)
                        for metric in of_fit(network, False, own)}
            self.reported = reported | {f"val_{name}": metric.on_validation_data() for name, metric in reported.items()}
            self._train(fits, later, callbacks, threads, bar)
        return self.histories

    def _fit_by(self, executor, X, y, given, callbacks, members, shared, progress):
        """Train by an executor; see `fastnn.population.executors`."""
        optimizers = []
        for number, network in enumerate(self.networks):
            own = self.own_optimizers.of(number, given[number])
            if not isinstance(own, LBFGS) and not (shared["resume"] and network.fits.last is not None):
                own = network.fits.optimizer("adam" if own is None else own)
                network.fits.optimizer_state(own)
            optimizers.append(own)
        with Progress(progress, 1, max(sum(members["epochs"]), 1), 0, unit="epoch") as bar:
            found = fit_elsewhere(executor, self, X, y, optimizers, callbacks, members, shared, bar)
        self.histories, errors, self.callbacks, self.reported = found
        self.errors = dict(sorted(errors.items()))
        self._warn_of_errors()
        return self.histories

    def _train(self, fits, later, callbacks, threads, bar):
        """Run fits that have begun, then call those of `later`; record the results of each, however the fits end."""
        histories, errors = {}, {}
        try:
            train_together([*fits.values()], threads, bar)
            for number, fit_alone in later.items():
                try:
                    histories[number] = fit_alone()
                except DivergenceError as error:
                    errors[number] = error
        finally:
            for member in fits.values():  # the epochs of compiled code are recorded in the histories now
                member.close()
            histories |= {number: member.fit.state.history for number, member in fits.items()}
            errors |= {number: member.error for number, member in fits.items() if member.error is not None}
            self.histories = [histories.get(number, History()) for number in range(len(self))]
            self.errors, self.callbacks = dict(sorted(errors.items())), callbacks
        self._warn_of_errors()

    def _warn_of_errors(self):
        if self.errors:
            numbers = ", ".join(map(str, self.errors))
            warn_caller(f"{len(self.errors)} of {len(self)} {DIVERGED}: {numbers}. Of the first: "
                        f"{next(iter(self.errors.values()))}", RuntimeWarning)

    def halve(self, X: ArrayLike, y: ArrayLike, *, epochs: int | Sequence[int], factor: float = 3.0,
              metric: str | None = None, **options) -> NDArray:
        """Train by successive halving: all members for a few epochs, then the best of them, by `scores`, for more.

        After each rung one in `factor` members continues, for `factor` times as many epochs in total, until one is left or
        `epochs` are done. No epoch is trained twice.

        Parameters
        ----------
        X, y, options
            As for `fit`, without resume.
        epochs : int or list of int
            For members in the last rung.
        factor : float, default 3
        metric : str, optional
            As for `scores`.

        Returns
        -------
        array (members,) of int
            The number of rungs of each member.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network, Population
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> population = Population(Network([Dense(8, "tanh"), Dense(1)], inputs=3), seeds=range(9))
        >>> population.halve(X, X.sum(axis=1), epochs=9).tolist().count(3)
        1
        >>> sorted(len(history.epochs) for history in population.histories)
        [1, 1, 1, 1, 1, 1, 3, 3, 9]
        """
        count = len(self)
        if "resume" in options:
            raise ValueError("halve begins anew; leave resume out")
        epochs = [whole_number("epochs", value) for value in each("epochs", epochs, count)]
        samples = count_samples(X, self.networks[0])
        for name in {"batch_size", "optimizer", "backprop_steps"} & set(options):
            options[name] = each(name, options[name], count)
        for name in {"rows", "validation_rows"} & set(options):
            options[name] = each_rows(name, options[name], count, samples)
        return halve(self, X, y, epochs=epochs, factor=factor, metric=metric, groups=range(count), options=options)

    def adopt_results(self, part, numbers):
        """Take the results of members of another population, for the members with these numbers."""
        self.histories, self.reported = self.histories or [History() for _ in self.networks], part.reported
        for new, old in enumerate(numbers):
            self.histories[old], self.callbacks[old] = part.histories[new], part.callbacks[new]
            self.errors.pop(int(old), None)
            if new in part.errors:
                self.errors[int(old)] = part.errors[new]

    def scores(self, metric: str | None = None) -> NDArray:
        """Return a metric of each member after the fit, (members,); NaN for those that diverged.

        metric: default "val_loss" if it was recorded, else "loss".
        """
        metric = ranking_metric(self.histories, metric)
        values = [final(*both, metric) for both in zip(self.histories, self.callbacks, strict=True)]
        values = np.array(values, np.float64)
        values[list(self.errors)] = np.nan
        return values

    def ranking(self, metric: str | None = None) -> NDArray:
        """Return the numbers of the members, the best first by `scores`; those without a score last."""
        metric = ranking_metric(self.histories, metric)
        warn_of_losses(self.networks, metric)
        return np.argsort(costs(self.scores(metric), self.reported.get(metric, metric)), kind="stable")

    def best(self, metric: str | None = None) -> Network:
        """Return the member with the best score: the smallest loss, or the largest accuracy; see `scores`."""
        if np.isnan(self.scores(metric)).all():
            raise ValueError("no member has a score: all diverged, or were trained for no epochs")
        return self.networks[self.ranking(metric)[0]]

    def table(self):
        """Return a table with one row for each member: a pandas DataFrame if pandas is installed, else a list of dicts."""
        rows = []
        for number, network in enumerate(self.networks):
            row = {"member": number, "layers": " ".join(map(repr, network.layers)), "loss function": shown_loss(network),
                   "seed": network.seed, "parameters": int(network.vectors.parameters.size)}
            if self.histories:
                history = self.histories[number]
                row |= {"epochs": len(history.epochs), "diverged": number in self.errors}
                row |= {name: final(history, self.callbacks[number], name) for name in history if name != "learning_rate"}
            rows.append(row)
        return as_table(rows)

    def __len__(self):
        return len(self.networks)

    def __iter__(self):
        return iter(self.networks)

    def __getitem__(self, index):
        if isinstance(index, (int, np.integer)) and not isinstance(index, (bool, np.timedelta64)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"there is no member {shown(index)}; there are {len(self)}, numbered from 0")
            return self.networks[index]
        numbers = numbers_of(index, len(self))
        part = copy.copy(self)
        part.networks = [self.networks[number] for number in numbers]
        check_members(part.networks)
        part.callbacks = [self.callbacks[number] for number in numbers]
        part.histories = [self.histories[number] for number in numbers] if self.histories else []
        part.errors = {new: self.errors[old] for new, old in enumerate(numbers) if old in self.errors}
        part.own_optimizers = self.own_optimizers.part(numbers)
        return part

    def __getstate__(self):
        """Support pickle: as for a network, optimizer states are not included."""
        return {name: value for name, value in vars(self).items() if name != "own_optimizers"}

    def __setstate__(self, state):
        vars(self).update(state, own_optimizers=MemberOptimizers())

    def _repr_html_(self):
        names = list(dict.fromkeys(name for history in self.histories or () for name in history))
        rows = [[number, len(history.epochs), *(f"{history[name][-1]:.4g}" if history.get(name) else "–" for name in names)]
                for number, history in enumerate((self.histories or ())[:MOST_ROWS])]
        fitted = "" if rows else "; not fitted yet"
        hidden = f"; the first {MOST_ROWS} are shown" if len(self) > MOST_ROWS and rows else ""
        return html.table(("member", "epochs", *names), rows, repr(self)[1:-1] + fitted + hidden)

    def __repr__(self):
        size = sum(network.vectors.parameters.size for network in self.networks)
        return f"<Population of {len(self)} networks, {size:,} parameters in all>"
