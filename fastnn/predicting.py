"""What a network says of samples: outputs, labels, how well they fit."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checks import features
from .divergence import DivergenceError, how_to_be_finite
from .kernels.labels import above_half, likeliest
from .program import EvaluationProgram, PredictionProgram, SmallPrediction
from .threads import FLOPS_PER_PART, resolve_threads


class Predicting:
    """The part of `Network` that predicts and evaluates."""

    def forward(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Outputs (samples, outputs) in the network's dtype. Row i depends on X[i] alone, to the bit."""
        if threads is None and type(X) is np.ndarray and X.dtype is self._numpy_dtype and X.ndim == 2:
            samples, inputs = X.shape
            if 0 < samples <= self._small_rows and inputs == self.inputs and X.flags.c_contiguous:
                return self._small_prediction.run(X, samples)
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
    def _numpy_dtype(self):
        return np.dtype(self.dtype)

    @cached_property
    def _small_prediction(self):
        return SmallPrediction(self)

    @cached_property
    def _small_rows(self):
        """How many rows are few: so many that a second thread would not pay."""
        return max(1, min(SmallPrediction.ROWS, FLOPS_PER_PART // max(1, self._parameters.flat.size)))

    def predict(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Labels (samples,) int64 of a classifier, 0 or 1 for each of several sigmoid outputs; values of a regressor.

        A regressor with one output gives (samples,), with several (samples, outputs). Where a classifier's outputs are NaN
        it is a DivergenceError.
        """
        return self._labels_or_values(self.forward(X, threads=threads))

    def _labels_or_values(self, out):
        """What outputs (samples, outputs) predict."""
        find = self._labels_of
        if find is None:
            return out[:, 0] if out.shape[1] == 1 else out
        labels = np.empty(out.shape[0] if find is likeliest else out.shape, np.int64)
        unsound = find(out, labels)
        if unsound >= 0:
            raise DivergenceError(f"the outputs for X[{unsound}] are NaN, so there is no label; {how_to_be_finite(self)}")
        return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels

    @cached_property
    def _labels_of(self):
        """The compiled function that makes labels of outputs; None for a regressor."""
        if not self.is_classifier:
            return None
        return likeliest if self.outputs > 1 and self._loss.targets != "binary" else above_half

    def predict_proba(self, X: ArrayLike, *, threads: int | None = None) -> NDArray:
        """Probabilities (samples, classes); (samples, 1) for one sigmoid output."""
        if not self.is_classifier:
            raise ValueError("this network's outputs are values, not probabilities; use predict, or a last layer with "
                             "softmax or sigmoid")
        return self.forward(X, threads=threads)

    def evaluate(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                 threads: int | None = None) -> dict[str, float]:
        """{"loss": float}, and for a classifier "accuracy": the share of right answers, samples counting alike."""
        data = self._data(X, y, sample_weight)
        loss, accuracy = EvaluationProgram(self, data, resolve_threads(threads)).evaluate()
        return {"loss": loss, "accuracy": accuracy} if self.is_classifier else {"loss": loss}
