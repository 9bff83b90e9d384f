"""L-BFGS over all samples at once (Liu and Nocedal 1989): SciPy chooses the steps, loss and gradient are compiled.

Needs SciPy: pip install "fastnn-numba[scipy]".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..checks import not_negative, whole_number
from ..kernels.elementwise.finite import all_finite, all_within
from ..program import GRADIENT_CHUNK, TrainingProgram, evaluation_program
from ..runtime.exclusive import run_exclusively
from ..runtime.time_slices import Pace
from ..samples.metrics import of_fit
from .callback_calls import announce, begin, call, end
from .divergence import DivergenceError, cause
from .epoch_end import EpochEnd
from .history import History
from .learning_from_data import learn_from_data
from .loop import compute_metrics, validate
from .progress import Progress

LEAST_GAIN = 2.2e-9  # smallest relative decrease of the loss in an iteration: SciPy's default


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS, which approximates the curvature from the last few steps; for small networks and data.

    Each iteration evaluates all samples, sometimes more than once. It works on a float64 copy of the network and sets the
    network's parameters after each iteration. It is an optimizer for `Network.fit` only: each iteration is an entry of the
    History and an epoch for callbacks; `epochs`, `batch_size` and `shuffle` have no effect. Another fit continues from the
    weights, but without the curvature. Networks with `Dropout` or `BatchNorm` are refused.

    Parameters
    ----------
    max_iterations : int, default 200
    tolerance : float, default 1e-4
        It stops if no element of the gradient is larger, or if an iteration decreases the loss by less than 2.2e-9 of it.
    memory : int, default 10
        The number of steps it keeps, as two vectors of the size of the parameters for each.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import LBFGS, Dense, Network
    >>> X = np.linspace(-2, 2, 50)[:, None]
    >>> net = Network([Dense(8, "tanh"), Dense(1)], inputs=1)
    >>> history = net.fit(X, np.sin(X), optimizer=LBFGS(max_iterations=100, tolerance=1e-6))
    >>> history["loss"][-1] < 1e-3
    True
    """

    max_iterations: int = 200
    tolerance: float = 1e-4
    memory: int = 10

    def __post_init__(self):
        for name, check in (("max_iterations", whole_number), ("tolerance", not_negative), ("memory", whole_number)):
            object.__setattr__(self, name, check(f"LBFGS({name}=...)", getattr(self, name)))


def check_layers(layers):
    """Refuse layers with which the loss over all samples, computed in batches, is not a function of the weights."""
    for index, layer in enumerate(layers):
        if layer.draws or layer.mixes_samples:
            why = "drops other elements each time" if layer.draws else "normalizes by batches"
            raise ValueError(f"LBFGS needs a loss that depends on the weights alone, but layer {index}, {layer!r}, {why}; "
                             "leave it out, or train with another optimizer, such as Adam()")


def minimizer():
    """Return SciPy's function, or raise an error that says how to install it."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ImportError('LBFGS needs SciPy; install it with: pip install "fastnn-numba[scipy]"') from error
    return minimize


class FullBatchLoss:
    """The loss over all samples and its gradient, as a function of the flat parameter vector.

    network: the network whose parameters it changes.
    """

    def __init__(self, network, data, threads):
        self.network, self.pace = network, Pace()
        self.program = TrainingProgram(network, data.normalize_weights(), GRADIENT_CHUNK, threads, normalize=False)
        self.accuracy = 0.0  # of the last evaluation

    def __call__(self, flat):
        """Return (loss, gradient) at these parameters, in float64; or the result of `not_finite`."""
        self.network.vectors.parameters.flat[:] = flat
        batch = self.accumulate()
        if batch is not None:
            return self.not_finite(batch)
        loss, self.accuracy = self.program.take_mean()
        return loss, self.program.gradients.astype(np.float64)

    def accumulate(self):
        """Accumulate loss and gradients over all batches, in slices, so that Ctrl-C takes effect soon.

        Returns None, or the number of a batch with numbers that are not finite.
        """
        done, program = 0, self.program
        while done < program.batches:
            batches = self.pace.next_slice(program.batches - done)
            stopped = self.pace.timed(program.accumulate, done, done + batches)
            if stopped is not None:
                return stopped
            done += batches
        return None if all_finite(program.gradients) else program.batches - 1

    def not_finite(self, batch):
        """Raise the error for numbers that are not finite."""
        layer, what = cause(self.network, self.program, batch)
        self.program.take_mean()
        raise DivergenceError(f"numbers are not finite at a step that L-BFGS tries: {what}. The weights are those "
                              "before it. Scale the inputs to about unit size, or train with Adam first", layer=layer)


def fit(network, *given, **options):
    """Train the network and return the History; see `minimize_loss` for the arguments."""
    return run_exclusively(network.fits, minimize_loss, network, *given, **options)


def minimize_loss(network, learner, data, validation, *, optimizer, callbacks, threads, progress, metrics=()):
    """Train `network` with the help of `learner`, its float64 copy; the data have the learner's dtype."""
    minimize, history, flat = minimizer(), History(), network.vectors.parameters.flat
    learn_from_data(network, data)
    learner.vectors.state.flat[:] = network.vectors.state.flat
    evaluation = None if validation is None else evaluation_program(network, validation, threads)
    told, begun, last_logs = -1, [], {}

    def loss_at(flat):
        """Return loss and gradient; before the first evaluation of an iteration, call the callbacks."""
        nonlocal told
        if told < len(history.epochs):
            told = len(history.epochs)
            call(callbacks, "on_epoch_begin", told, {})
        return loss(flat)

    def finish(intermediate_result):
        if not all_within(np.finfo(flat.dtype).max, intermediate_result.x):
            raise DivergenceError(f"weights that L-BFGS has found overflow {flat.dtype}; the network's are those before. "
                                  "Scale inputs and targets to about unit size")
        flat[:] = intermediate_result.x
        # SciPy ends an iteration with the evaluation of its result
        values = network.objective.head.report(float(intermediate_result.fun), loss.accuracy)
        values |= validate(network, evaluation) | compute_metrics(network, data, validation, metrics, threads)
        values = {metric.name: values[metric.name] for metric in reported}
        history.append(values)
        bar.show(values)
        bar.advance(1, lambda: values)
        last_logs.update(values)
        EpochEnd(len(history.epochs) - 1, values, list(callbacks)).tell(callbacks)
        if network.stop_training:
            raise StopIteration

    loss = FullBatchLoss(learner, data, threads)
    network.fits.last, network.stop_training = None, False  # not resumable, because SciPy does not export the curvature
    callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
    reported = of_fit(network, evaluation is not None, metrics)
    announce(callbacks, network, reported, data, validation)
    for callback in callbacks:
        callback.resumed = None
    try:
        begin(callbacks, begun)
        with Progress(progress, 1, optimizer.max_iterations, unit="iteration") as bar:
            minimize(loss_at, flat.astype(np.float64), jac=True, method="L-BFGS-B", callback=finish,
                     options={"maxiter": optimizer.max_iterations, "maxcor": min(optimizer.memory, optimizer.max_iterations),
                              "gtol": optimizer.tolerance, "ftol": LEAST_GAIN, "maxfun": 20 * optimizer.max_iterations + 20})
    finally:
        end(begun, last_logs)
    return history
