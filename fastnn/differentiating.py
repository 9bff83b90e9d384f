"""The loss of samples as a function of a network's parameters, and its gradient."""

import math
from collections.abc import Callable

from numpy.typing import ArrayLike, NDArray

from .checked_data import check_data
from .checks import true_or_false
from .divergence import DivergenceError, how_to_be_finite
from .program import GRADIENT_CHUNK, EvaluationProgram, TrainingProgram
from .threads import resolve_threads


class Differentiating:
    """The part of `Network` that gives losses and gradients."""

    def loss_and_gradients(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                           training: bool = False, threads: int | None = None) -> tuple[float, dict[str, NDArray]]:
        """The loss over all samples, and its gradient by each parameter's name; nothing is updated.

        training: whether layers behave as in training: `Dropout` drops what the next step of `fit` would drop, `BatchNorm`
        normalises by the samples given, so then all of them go through in one batch. By default both behave as in
        prediction. A loss that is not finite is a DivergenceError.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn import Dense, Network
        >>> net = Network([Dense(1)], inputs=1, dtype="float64")
        >>> net.parameters["0.weight"][:] = 2
        >>> loss, gradients = net.loss_and_gradients(np.array([[3.0]]), np.array([5.0]))  # ½ (2·3 − 5)²
        >>> loss, float(gradients["0.weight"][0, 0])
        (0.5, 3.0)
        """
        program = self._gradient_program(X, y, sample_weight, true_or_false("training", training), threads)
        if program.accumulate(0, program.batches) is not None:
            raise DivergenceError(f"the loss of these samples is not finite; {how_to_be_finite(self)}")
        return program.take_mean()[0], self.vectors.parameters.split(program.gradients)

    def _gradient_program(self, X, y, sample_weight, training, threads):
        data = check_data(self, X, y, sample_weight).normalize_weights()
        whole = training and any(layer.mixes_samples for layer in self.layers)
        return TrainingProgram(self, data, len(data.X) if whole else GRADIENT_CHUNK, resolve_threads(threads),
                               normalize=False, as_in_training=training)

    def loss_function(self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None,
                      training: bool = False) -> Callable[[], float]:
        """A function of no arguments: the loss over these samples with the parameters as they then stand.

        training: as for `loss_and_gradients`. A loss that is not finite is NaN or infinite.
        """
        if true_or_false("training", training):
            program = self._gradient_program(X, y, sample_weight, training, threads=1)

            def loss():
                diverged = program.accumulate(0, program.batches)
                value = program.take_mean()[0]
                return value if diverged is None else math.nan

            return loss
        data = check_data(self, X, y, sample_weight)
        program = EvaluationProgram(self, data, threads=1)
        return lambda: program.evaluate()[0]
