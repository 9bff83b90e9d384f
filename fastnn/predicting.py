"""What a network says of samples: outputs, labels, how well they fit."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checked_data import check_data
from .checks import features
from .divergence import DivergenceError, how_to_be_finite
from .metrics import choose, work_out
from .program import EvaluationProgram, PredictionProgram, small_prediction
from .threads import resolve_threads


class Predicting:
    """The part of `Network` that predicts and evaluates."""

    def forward(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Outputs (samples, outputs) in the network's dtype. Row i depends on X[i] alone, to the bit."""
        if threads is None and (out := self._forward_few(X)) is not None:
            return out
        X = features(X, self.inputs, self.dtype, least=0, finite=False)
        if len(X) == 0:
            return np.empty((0, self.outputs), self.dtype)
        plan = PredictionProgram.plan(self, len(X), resolve_threads(threads))
        idle = self._idle_predictions.setdefault(plan, [])  # taking from and adding to a list is safe between threads
        program = idle.pop() if idle else PredictionProgram(self, *plan)
        try:
            return program.run(X)
        finally:
            if not idle:
                idle.append(program)

    @cached_property
    def _forward_few(self):
        return small_prediction(self, predict=False)

    @cached_property
    def _predict_few(self):
        return small_prediction(self, predict=True)

    def predict(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Labels (samples,) int64 of a classifier, 0 or 1 for each of several sigmoid outputs; values of a regressor.

        A regressor with one output gives (samples,), with several (samples, outputs). Where a classifier's outputs are NaN
        it is a DivergenceError.
        """
        if threads is None and (predicted := self._predict_few(X)) is not None:
            return predicted
        return self._labels_or_values(self.forward(X, threads=threads))

    def _labels_or_values(self, out):
        """What outputs (samples, outputs) predict."""
        predicted, unsound = self.objective.head.predictions(out)
        if unsound >= 0:
            raise DivergenceError(f"the outputs for X[{unsound}] are NaN, so there is no label; {how_to_be_finite(self)}")
        return predicted

    def predict_proba(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Probabilities (samples, classes); (samples, 1) for one sigmoid output."""
        if not self.objective.head.probabilities:
            raise ValueError("this network's outputs are values, not probabilities; use predict, or a last layer with "
                             "softmax or sigmoid")
        return self.forward(X, threads=threads)

    def evaluate(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, metrics: Sequence = (),
                 threads: int | None = None) -> dict[str, float]:
        """{"loss": float}, and for a classifier "accuracy": the share of right answers, samples counting alike.

        metrics: what to report beside these, as for `fit`.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network
        >>> net, X = Network([Dense(1, "sigmoid")], inputs=1), np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> net.parameters["0.weight"][:] = 1
        >>> net.evaluate(X, [0, 1, 1, 1], metrics=["recall", "auc"])["auc"]
        1.0
        """
        metrics, threads = choose(metrics, self.objective.head), resolve_threads(threads)
        data = check_data(self, X, y, sample_weight)
        loss, accuracy = EvaluationProgram(self, data, threads).evaluate()
        return self.objective.head.report(loss, accuracy) | work_out(self, data, metrics, threads)
