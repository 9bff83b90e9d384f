"""Ensembles: means, votes, quantiles and the spread of the predictions of many networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..checks import shown
from ..fitting.divergence import DivergenceError
from ..network.predicting import check_probabilities, label_numbers, predictions
from ..samples.arrays import any_array
from ..samples.series.sequences import Sequences


class Ensemble:
    """The predictions of `Population`: its `networks` have inputs and outputs of the same shape."""

    def forward(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return the outputs of every member, (members, samples, outputs); of several outputs, a dict by name.

        Outputs at each step are `Sequences` with steps (members, outputs).
        """
        return stacked([network.forward(X, threads=threads) for network in self.networks])

    def predict(self, X: ArrayLike, how: str = "mean", *, threads: int | None = None) -> NDArray:
        """Return the joint predictions of the members: labels or values, in the form of `Network.predict`.

        how: "mean" returns the label of the largest mean probability, or the mean value; "vote" the label that most members
        predict, the smallest one if there is a tie; "median" the median value. If outputs of a classifier are NaN, a
        DivergenceError is raised: `population[np.isfinite(population.scores())]` has only members that did not diverge.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network, Population
        >>> population = Population(Network([Dense(1)], inputs=2), seeds=range(3))
        >>> X = np.ones((5, 2))
        >>> bool(np.allclose(population.predict(X), population.forward(X).mean(axis=0)[:, 0]))
        True
        """
        head = self.networks[0].objective.head
        if head.kind == "several outputs" or self.networks[0].gives_steps:
            ways, kind = ("mean",), "networks of several outputs, or of outputs at each step,"
        else:
            ways = ("mean", "vote") if head.probabilities else ("mean", "median")
            kind = "classifiers" if head.probabilities else "regressors"
        if not isinstance(how, str) or how not in ways:
            raise ValueError(f"how is {shown(how)}; for {kind} it must be {' or '.join(map(repr, ways))}")
        try:
            return self._predicted(X, how, threads)
        except DivergenceError as error:
            members = [number for number, network in enumerate(self.networks)
                       if any(np.isnan(each).any() for each in arrays_of(network.forward(X, threads=threads)))]
            raise DivergenceError(f"outputs of the members {members} are NaN; leave out those that diverged, with "
                                  "population[np.isfinite(population.scores())]") from error

    def _predicted(self, X, how, threads):
        if how == "mean":
            return predictions(self.networks[0], self._mean(X, threads))
        if how == "median":
            return predictions(self.networks[0], np.median(self.forward(X, threads=threads), axis=0))
        labels = np.stack([label_numbers(network, X, threads) for network in self.networks])
        votes = np.stack([(labels == label).sum(axis=0) for label in range(self.networks[0].objective.head.classes)])
        return votes.argmax(axis=0)

    def predict_proba(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return the mean of the members' probabilities, (samples, outputs)."""
        check_probabilities(self.networks[0].objective.head)
        return self._mean(X, threads)

    def quantiles(self, X: ArrayLike, q: float | ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return quantiles of the members' outputs, (samples, outputs), or (len(q), samples, outputs) for several q in [0,
        1].

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network, Population
        >>> population = Population(Network([Dense(1)], inputs=2), seeds=range(5))
        >>> population.quantiles(np.ones((7, 2)), [0.1, 0.5, 0.9]).shape
        (3, 7, 1)
        """
        q = any_array("q", q)
        if q.dtype.kind not in "iuf" or q.ndim > 1 or q.size == 0 or not ((q >= 0) & (q <= 1)).all():
            raise ValueError(f"q is {shown(q.tolist())}; it must be a number from 0 to 1, or several")
        return of_each(self.forward(X, threads=threads), lambda outputs, members: np.quantile(outputs, q, axis=members))

    def spread(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Return the standard deviation of the members' outputs, (samples, outputs), a measure of their uncertainty."""
        return of_each(self.forward(X, threads=threads),
                       lambda outputs, members: outputs.std(axis=members, dtype=np.float64))

    def evaluate(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                 threads: int | None = None) -> list[dict[str, float]]:
        """Return `Network.evaluate` of every member."""
        return [network.evaluate(X, y, sample_weight=sample_weight, threads=threads) for network in self.networks]

    def _mean(self, X, threads):
        total = None
        for network in self.networks:  # one after the other, because a sum takes less memory than all outputs
            total = added(total, of_each(network.forward(X, threads=threads), lambda own, _: own.astype(np.float64)))
        return of_each(total, lambda own, _: own / len(self.networks))


def added(total, outputs):
    """Return the sum of two outputs, or of each of several by name; total: None for the first."""
    if total is None:
        return outputs
    if isinstance(outputs, dict):
        return {name: added(total[name], own) for name, own in outputs.items()}
    return total.with_steps(total.steps + outputs.steps) if isinstance(outputs, Sequences) else total + outputs


def of_each(outputs, function):
    """Return the function's result for outputs, for the steps of those that have steps, or for each of several by name.

    The function also gets the number of the axis of the members, if there is one.
    """
    if isinstance(outputs, dict):
        return {name: of_each(own, function) for name, own in outputs.items()}
    if not isinstance(outputs, Sequences):
        return function(outputs, 0)
    found = function(outputs.steps, 1)
    if found.ndim > outputs.steps.ndim - 1 and outputs.steps.ndim == 3:  # several quantiles come before the steps
        found = np.moveaxis(found, 0, 1)
    return outputs.with_steps(found)


def arrays_of(outputs):
    """Return the arrays of the outputs of a network."""
    each = outputs.values() if isinstance(outputs, dict) else [outputs]
    return [own.steps if isinstance(own, Sequences) else own for own in each]


def stacked(members):
    """Return the outputs of members, one after the other along a new axis; of several outputs, of each by name."""
    if isinstance(members[0], dict):
        return {name: stacked([own[name] for own in members]) for name in members[0]}
    if isinstance(members[0], Sequences):
        return members[0].with_steps(np.stack([own.steps for own in members], axis=1))
    return np.stack(members)
