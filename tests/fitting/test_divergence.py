"""Divergence: it is detected in the step where it happens, described, and everything stays as it was before that step.

Each fault is one number in one batch in the middle of otherwise sound training, on one thread and on several.
"""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from fastnn import (
    LBFGS,
    SGD,
    Adam,
    BatchNorm,
    Callback,
    Dense,
    DivergenceError,
    Dropout,
    LayerNorm,
    Network,
    TerminateOnNaN,
    optimizers,
)
from fastnn.checks.hyperparameters import rate_or_schedule
from fastnn.fitting import lbfgs
from fastnn.fitting.safe_steps import SafeSteps
from fastnn.kernels.optimizers import Optimizer, compiled
from fastnn.kernels.training.watch import SOUND

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(96, 9)), rng.normal(size=(96, 2))
X[:, 0] = 0  # a feature that only the bad sample has; its weights begin at 0, and training leaves them there
BATCH, BAD, SAMPLE = 16, 3, 53  # samples of a batch; the batch that the fault is in, and its sample
MORE_THAN_HUGE = 1e6  # what the largest number times a gradient of about 1 is too much of

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_number_of_threads = pytest.mark.parametrize("threads", [1, 2, 3, 8])
every_optimizer = pytest.mark.parametrize("optimizer", optimizers.values(), ids=list(optimizers))


def network(dtype="float32"):
    layers = [Dense(17, "tanh"), BatchNorm(), Dropout(0.2), Dense(13, "tanh"), LayerNorm(), Dense(2)]
    net = Network(layers, inputs=9, dtype=dtype, seed=3)
    net.parameters["0.weight"][0] = 0
    return net


def bad_sample(x, y=0.0):
    """Return the data with other numbers in the bad sample."""
    X_, Y_ = X.copy(), Y.copy()
    X_[SAMPLE, 0], Y_[SAMPLE, 0] = x, Y_[SAMPLE, 0] + y
    return X_, Y_


def largest(dtype):
    return float(np.finfo(dtype).max)


def everything(net):
    """Return everything that a step may change, to compare it to the bit."""
    state = net.fits.optimizer_state(net.optimizer)
    arrays = *net.vectors.arrays, state.slots, state.step, net.fits.last.epoch.totals
    return [array.tobytes() for array in arrays]


class Keep(Callback):
    """Return the state after the batch before the bad one."""

    def __init__(self, bad):
        self.bad = bad

    def on_train_batch_begin(self, batch, logs):
        if batch == self.bad:
            self.kept = everything(self.network)


def diverged(make, optimizer, data, threads=1, bad=BAD):
    """Return the error of a fit of the network of `make` with bad batch `bad`, after checking the state before it."""
    net, keep = make(), Keep(bad)
    options = {"batch_size": BATCH, "shuffle": False, "threads": threads}
    with pytest.raises(DivergenceError) as raised:
        net.fit(*data, optimizer=optimizer(), callbacks=[keep], **options)
    assert everything(net) == keep.kept
    assert (raised.value.epoch, raised.value.batch) == (0, bad)
    assert f"epoch 1, batch {bad + 1}:" in str(raised.value)
    assert all(np.isfinite(view).all() for view in {**net.parameters, **net.state}.values())
    unwatched = make()  # so many batches a call as there may be
    with pytest.raises(DivergenceError) as again:
        unwatched.fit(*data, optimizer=optimizer(), **options)
    assert str(again.value) == str(raised.value)
    assert everything(unwatched) == keep.kept
    return raised.value


# Faults


@every_dtype
@every_number_of_threads
@every_optimizer
def test_a_loss_that_overflows(optimizer, threads, dtype, many_parts):
    error = diverged(lambda: network(dtype), optimizer, bad_sample(0, largest(dtype) / 10), threads)
    assert error.layer == 5
    assert "the loss is not finite, though outputs are: those of layer 5 (Dense(2, 'identity')) reach" in str(error)


@every_dtype
@every_number_of_threads
@every_optimizer
def test_a_gradient_that_overflows_while_the_loss_is_finite(optimizer, threads, dtype, many_parts):
    error = diverged(lambda: network(dtype), optimizer, bad_sample(largest(dtype) / 10, MORE_THAN_HUGE), threads)
    assert error.layer == 0
    assert "the gradient of 0.weight, layer 0 (Dense(17, 'tanh')), holds" in str(error)


@every_dtype
@pytest.mark.parametrize("clip", [{"clip_value": 1.0}, {"clip_norm": 1.0}, {"clip_value": 2.0, "clip_norm": 1.0}])
def test_clipping_hides_no_gradient_that_overflows(clip, dtype):
    diverged(lambda: network(dtype), lambda: Adam(**clip), bad_sample(largest(dtype) / 10, MORE_THAN_HUGE))


@every_dtype
@every_number_of_threads
@pytest.mark.parametrize("optimizer", [optimizers[name] for name in optimizers if "square" in optimizers[name].slots])
def test_a_square_that_overflows_while_the_gradient_is_finite(optimizer, threads, dtype, many_parts):
    """Without the check, its parameter would silently never change again."""
    error = diverged(lambda: network(dtype), optimizer, bad_sample(largest(dtype) ** 0.75, 1000.0), threads)
    assert error.layer == 0
    assert "the update of 0.weight, layer 0 (Dense(17, 'tanh')), overflows" in str(error)


@every_dtype
@every_number_of_threads
def test_weights_that_overflow_in_the_update(threads, dtype, many_parts):
    """With a rate near the largest number, and weights that do not change until the bad sample."""
    def make():
        net = Network([Dense(2)], inputs=9, dtype=dtype)
        net.parameters["0.weight"][:] = 0
        return net

    data = 0 * X, 0 * Y
    data[1][SAMPLE, 1] = 1e6
    error = diverged(make, lambda: SGD(largest(dtype) / 10), data, threads)
    assert error.layer == 0
    assert "the update of 0.bias, layer 0 (Dense(2, 'identity')), overflows" in str(error)


@every_dtype
@every_number_of_threads
def test_statistics_of_a_batch_that_overflow(threads, dtype, many_parts):
    def make():
        return Network([BatchNorm(), Dense(5, "tanh"), Dense(2)], inputs=9, dtype=dtype)

    error = diverged(make, Adam, bad_sample(largest(dtype) ** 0.52), threads)
    assert error.layer == 0
    assert "mean or variance of the batch overflow in layer 0 (BatchNorm(momentum=0.9, epsilon=1e-05))" in str(error)


@every_dtype
@pytest.mark.parametrize("share", [0.45, 0.55])
def test_running_statistics_follow_up_to_half_of_the_largest_number(share, dtype):
    net = Network([BatchNorm(), Dense(1)], inputs=1, dtype=dtype)
    # the variance of (x, 0) is x² / 2; twice half of the largest number is the largest distance from the next one
    x, followed = [[math.sqrt(2 * share) * math.sqrt(largest(dtype))], [0.0]], []
    with nullcontext() if share < 0.5 else pytest.raises(DivergenceError, match="mean or variance of the batch overflow"):
        net.fit(x, [1.0, 0.0], batch_size=2, epochs=1)
        followed.append(net.state["0.running_variance"][0])
    assert [bool(variance > 0.04 * largest(dtype)) for variance in followed] == [True] * (share < 0.5)


@every_dtype
def test_outputs_that_are_not_finite(dtype):
    def make():
        net = Network([Dense(3), Dense(4), Dense(2)], inputs=9, dtype=dtype)
        net.parameters["0.weight"][0], net.parameters["1.weight"][:] = 1e-3, 0.5 * largest(dtype) ** 0.2
        net.parameters["2.weight"][:] = 1 / largest(dtype) ** 0.2
        return net

    error = diverged(make, lambda: SGD(10 / largest(dtype)), bad_sample(largest(dtype) / 10))
    assert error.layer == 1
    assert "the output of layer 1 (Dense(4, 'identity')) holds" in str(error)


def test_weights_that_are_not_finite_to_begin_with():
    net = network()
    net.parameters["5.bias"][1] = np.inf
    with pytest.raises(DivergenceError, match=r"batch 1: 5.bias, layer 5 \(Dense\(2, 'identity'\)\), holds inf") as raised:
        net.fit(X, Y)
    assert raised.value.layer == 5


def test_what_has_diverged_goes_on_when_the_cause_is_gone():
    data = bad_sample(largest("float32") / 10, MORE_THAN_HUGE)
    net, whole = network(), network()
    with pytest.raises(DivergenceError):
        net.fit(*data, epochs=2, batch_size=BATCH, shuffle=False)
    history = net.fit(X, Y, epochs=2, batch_size=BATCH, shuffle=False, resume=True)
    assert history["loss"] == whole.fit(X, Y, epochs=2, batch_size=BATCH, shuffle=False)["loss"]
    assert everything(net) == everything(whole)


def test_it_may_end_quietly():
    net = network()
    with pytest.warns(RuntimeWarning, match=r"the gradient of 0\.weight"):
        net.fit(*bad_sample(1e37, MORE_THAN_HUGE), callbacks=[TerminateOnNaN()])


# L-BFGS


def test_gradients_that_overflow_under_lbfgs():
    net = Network([Dense(2)], inputs=9, dtype="float64")
    net.parameters["0.weight"][0] = 0
    before = net.parameters["0.weight"].copy()
    with pytest.raises(DivergenceError, match=r"L-BFGS tries: the gradient of 0\.weight") as raised:
        net.fit(*bad_sample(largest("float64") / 10, MORE_THAN_HUGE), optimizer=LBFGS())
    assert raised.value.layer == 0
    np.testing.assert_array_equal(net.parameters["0.weight"], before)


def test_weights_from_lbfgs_that_overflow_float32(monkeypatch):
    def minimize(objective, x, callback, **options):
        callback(intermediate_result=SimpleNamespace(x=x + 1e300, fun=1.0))

    monkeypatch.setattr(lbfgs, "minimizer", lambda: minimize)
    net = Network([Dense(17, "tanh"), LayerNorm(), Dense(2)], inputs=9)
    before = [view.copy() for view in net.parameters.values()]
    with pytest.raises(DivergenceError, match="overflow float32"):
        net.fit(X, Y, optimizer=LBFGS())
    for view, expected in zip(net.parameters.values(), before, strict=True):
        np.testing.assert_array_equal(view, expected)


# No divergence


@pytest.fixture
def tried_out(monkeypatch):
    """Return the batches whose steps were checked."""
    batches, whole = [], SafeSteps.take_checked_steps
    monkeypatch.setattr(SafeSteps, "take_checked_steps", lambda *given: batches.append(given[1:]) or whole(*given))
    return batches


@every_optimizer
def test_ordinary_steps_are_not_tried_out(optimizer, tried_out):
    network().fit(X, Y, epochs=3, optimizer=optimizer())
    assert tried_out == []


@every_dtype
@every_number_of_threads
def test_a_gradient_that_is_large_and_finite_is_a_step_like_any_other(threads, dtype, many_parts, tried_out):
    """Targets twice as large give steps twice as large, from 0 on, and so for every power of two."""
    def weights(scale):
        net = Network([Dense(2)], inputs=9, dtype=dtype)
        net.parameters["0.weight"][:] = 0
        net.fit(X, Y * scale, batch_size=BATCH, optimizer=SGD(0.1, momentum=0.9), threads=threads)
        return net.parameters["0.weight"].copy()

    small, scale = weights(1.0), 2.0 ** round(np.log2(SOUND[dtype]) + 4)
    assert tried_out == []
    np.testing.assert_array_equal(small * np.dtype(dtype).type(scale), weights(scale))
    assert tried_out


class Doubling(Optimizer):
    """An optimizer from outside the package, which doubles a weight whenever the gradient is not zero."""

    learning_rate: float = rate_or_schedule(1.0)
    name, formula, slots = "doubling", "θ ← 2 θ", ()

    @staticmethod
    def coefficients(step, learning_rate):
        return (learning_rate,)

    @staticmethod
    def update(parameters, gradients, c):
        for i in range(len(parameters)):
            parameters[i] += parameters[i]


def test_an_optimizer_from_outside():
    doubling = compiled(Doubling)
    net = Network([Dense(2, "tanh")], inputs=9)
    net.parameters["0.weight"][:] = 1.0
    with pytest.raises(DivergenceError, match=r"the update of 0\.weight"):
        net.fit(X, Y, epochs=100, batch_size=BATCH, optimizer=doubling(learning_rate=1.0))
    np.testing.assert_array_equal(net.parameters["0.weight"], np.float32(2.0**127))
    assert (net.fits.last.epoch.number * 6 + net.fits.last.epoch.totals[3] / BATCH) == 127


# Ordinary steps need no check


@every_dtype
@every_optimizer
def test_tame_updates_of_sound_gradients_never_overflow(optimizer, dtype):
    """At the limits of bounded hyperparameters, from the largest weights, with the largest gradients."""
    least, most = optimizer.bounded()
    real, sound, names = np.dtype(dtype).type, SOUND[dtype], optimizer.hyperparameter_names()
    for corner in np.ndindex(*(2,) * len(names)):
        given = {name: (least, most)[end][k] for k, (name, end) in enumerate(zip(names, corner, strict=True))}
        if given["learning_rate"] == 0:
            continue
        given = {name: bool(value) if name == "nesterov" else value for name, value in given.items()}
        if given.get("nesterov") and not given["momentum"]:
            continue
        step = optimizer(**given)
        parameters = np.array([1, -1, 1, -1, 0], dtype) * np.finfo(dtype).max
        slots = [np.array([1, 1, 1, 1, 1] if name == "square" else [-1, 1, 1, -1, 1], dtype) * real(sound)
                 for name in step.slots]
        c = np.zeros(8, dtype)
        for number in range(1, 200):
            numbers = step.coefficients(number, *step.hyperparameters())
            c[:len(numbers)] = numbers
            gradients = np.array([-1, 1, 0, 0, 1], dtype) * real(sound * (number % 3 > 0))
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                optimizer.update(parameters, gradients, *slots, c)
            assert all(np.isfinite(array).all() for array in (parameters, *slots)), (given, number)
