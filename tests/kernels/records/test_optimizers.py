"""Laws of every optimizer, in loops, in NumPy and compiled. Registered optimizers are included automatically."""

import math
import re
from dataclasses import fields

import numpy as np
import pytest
from guarded import Guarded

from fastnn.checks.hyperparameters import rate_or_schedule
from fastnn.kernels.optimizers import COEFFICIENTS, Optimizer, compiled, optimizers
from fastnn.kernels.optimizers.adagrad import Adagrad
from fastnn.kernels.optimizers.adam import Adam, AdamHat
from fastnn.kernels.optimizers.adamw import AdamW
from fastnn.kernels.optimizers.lion import Lion
from fastnn.kernels.optimizers.rmsprop import RMSprop
from fastnn.kernels.optimizers.sgd import SGD


@compiled
class WithoutMemory(Optimizer):
    learning_rate: float = rate_or_schedule(0.1)

    name = "without_memory"
    formula = "θ ← θ − α g"

    @staticmethod
    def coefficients(step, learning_rate):
        return (learning_rate,)

    @staticmethod
    def update(parameters, gradients, c):
        for i in range(len(parameters)):
            parameters[i] -= c[0] * gradients[i]

    def vectorized(self, parameters, gradients, step):
        return (parameters - self.learning_rate * gradients,)


STEPS = 5
# each with its defaults, and again if a hyperparameter that is off by default changes the formula
CASES = [cls() for cls in optimizers.values()] + [
    SGD(learning_rate=0.1, momentum=0.9),
    SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    AdamW(learning_rate=0.1, weight_decay=0.3),
    Lion(learning_rate=0.1, weight_decay=0.3),
    AdamHat(learning_rate=0.1),
    WithoutMemory(),  # no registered one has no slots
]

every_optimizer = pytest.mark.parametrize("cls", list(optimizers.values()), ids=lambda cls: cls.name)
every_case = pytest.mark.parametrize("optimizer", CASES, ids=repr)
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_size = pytest.mark.parametrize("size", [1, 3, 17, 65, 200])


def start(size, dtype="float64"):
    """Return (parameters, the gradients of each step)."""
    random = np.random.default_rng(size)
    return random.normal(size=size).astype(dtype), random.normal(size=(STEPS, size)).astype(dtype)


# One step in each implementation. `state` is a list of the slots.


def naive_step(optimizer, parameters, gradients, state, step):
    c = optimizer.coefficients(step, *optimizer.hyperparameters().tolist())
    optimizer.update(parameters, gradients, *state, c)


def compiled_step(optimizer, parameters, gradients, state, step, start=0, stop=None):
    """On a part of arrays; `state` has a row for each slot, longer than the parameters."""
    dtype = parameters.dtype.name
    c, stop = np.full(COEFFICIENTS, np.nan, dtype), len(parameters) if stop is None else stop
    optimizer.coefficients_kernel(dtype, c, optimizer.hyperparameters(), step)
    stretch = parameters[start:], gradients[start:], state.reshape(-1)[start:]
    optimizer.kernel(dtype, *stretch, state.shape[1], c, stop - start)


def trained(optimizer, parameters, gradients, stretches=((0, None),)):
    """Return (parameters, state) after the compiled steps."""
    size = len(parameters)
    parameters = Guarded(parameters)
    state = Guarded(np.zeros((len(optimizer.slots), size + 5), parameters.array.dtype))
    state.array[:, size:] = np.nan  # between the slots, to stay so
    for step in range(1, STEPS + 1):
        for stretch in stretches:
            compiled_step(optimizer, parameters.array, gradients[step - 1], state.array, step, *stretch)
    assert parameters.intact()
    assert state.intact()
    assert np.isnan(state.array[:, size:]).all()
    return parameters.array, state.array[:, :size]


@every_case
@every_size
@every_dtype
def test_compiled_equals_vectorized(optimizer, size, dtype):
    parameters, gradients = start(size, dtype)
    got = trained(optimizer, parameters, gradients)
    want, *state = (parameters.astype(np.float64), *(np.zeros(size) for _ in optimizer.slots))
    for step in range(1, STEPS + 1):
        want, *state = optimizer.vectorized(want, gradients[step - 1].astype(np.float64), *state, step)
    tolerance = 1e-12 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(got[0], want, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(got[1], np.reshape(state, got[1].shape), rtol=tolerance, atol=tolerance)


@every_case
def test_naive_equals_compiled(optimizer):
    parameters, gradients = start(17)
    naive, state = parameters.tolist(), [[0.0] * 17 for _ in optimizer.slots]
    for step in range(1, STEPS + 1):
        naive_step(optimizer, naive, gradients[step - 1].tolist(), state, step)
    got = trained(optimizer, parameters, gradients)
    np.testing.assert_allclose(naive, got[0], rtol=1e-12)
    np.testing.assert_allclose(np.reshape(state, got[1].shape), got[1], rtol=1e-12)


@every_case
@every_dtype
@pytest.mark.parametrize("cut", [1, 3, 17, 64, 199])
def test_two_stretches_equal_one(optimizer, dtype, cut):
    parameters, gradients = start(200, dtype)
    at_once = trained(optimizer, parameters, gradients)
    in_two = trained(optimizer, parameters, gradients, stretches=((0, cut), (cut, None)))
    np.testing.assert_array_equal(at_once[0], in_two[0])
    np.testing.assert_array_equal(at_once[1], in_two[1])


@every_case
def test_first_step_is_downhill(optimizer):
    start, state = np.array([2.0, -3.0]), np.zeros((len(optimizer.slots), 2))
    parameters = start.copy()
    compiled_step(optimizer, parameters, start, state, 1)  # the gradient of θ²/2 is θ
    assert (np.abs(parameters) < np.abs(start)).all()


@every_optimizer
def test_defaults_are_those_of_the_documentation(cls):
    text = "".join(each.__doc__ for each in cls.__mro__ if issubclass(each, Optimizer))
    documented = {float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", text)}
    defaults = [getattr(cls(), name) for name in cls.hyperparameter_names()]
    assert {float(default) for default in defaults if not isinstance(default, bool)} <= documented


@every_optimizer
@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, "fast", None])
def test_bad_hyperparameter_is_named(cls, bad):
    for field in fields(cls):
        if bad is None and "limit" in field.metadata:
            continue  # None is no limit
        with pytest.raises(ValueError, match=rf"{cls.__name__}\({field.name}"):
            cls(**{field.name: bad})
        with pytest.raises(ValueError, match=rf"{cls.__name__}\({field.name}"):
            setattr(cls(), field.name, bad)


@every_optimizer
def test_hyperparameters_and_coefficients(cls):
    optimizer = cls()
    given = optimizer.hyperparameters()
    assert given.dtype == np.float64
    assert given.tolist() == [float(getattr(optimizer, name)) for name in cls.hyperparameter_names()]
    assert {field.name for field in fields(cls)} - set(cls.hyperparameter_names()) == {"clip_value", "clip_norm"}
    coefficients = cls.coefficients(7, *given.tolist())
    assert len(coefficients) <= COEFFICIENTS
    c = np.zeros(COEFFICIENTS)
    cls.coefficients_kernel("float64", c, given, 7)
    np.testing.assert_allclose(c[: len(coefficients)], coefficients, rtol=1e-14)


@every_optimizer
def test_a_limit_is_given_by_name(cls):
    assert (cls().clip_value, cls().clip_norm) == (None, None)
    assert cls(clip_norm=2).clip_norm == 2.0
    count = len(cls.hyperparameter_names())
    with pytest.raises(TypeError, match=r"without a name, .* give others by name: clip_value, clip_norm"):
        cls(*[0.5] * count, 1.0)
    assert "clip" not in repr(cls())
    assert repr(cls(clip_value=3)).endswith(", clip_value=3.0)")


# Each compared with its textbook.


def test_sgd_without_momentum_is_gradient_descent():
    parameters, gradients = start(17)
    got, _ = trained(SGD(learning_rate=0.1), parameters, gradients)
    np.testing.assert_allclose(got, parameters - 0.1 * gradients.sum(axis=0), rtol=1e-13)


def test_momentum_sums_past_gradients():
    parameters, gradients = start(17)
    got, _ = trained(SGD(learning_rate=0.1, momentum=0.5), parameters, gradients)
    # the gradient of step k is taken 1 + 1/2 + 1/4 + ... times, once a step from k on
    times = np.array([sum(0.5**i for i in range(STEPS - k)) for k in range(STEPS)])
    np.testing.assert_allclose(got, parameters - 0.1 * times @ gradients, rtol=1e-13)


def test_nesterov_takes_the_gradient_ahead():
    """Sutskever et al. 2013 step from θ with the gradient at θ + μv; fastnn's parameters are that point."""
    rate, momentum, slopes = 0.05, 0.8, np.array([1.0, 4.0, 9.0])  # of the bowl Σ slopes θ² / 2
    optimizer, ours, state = SGD(rate, momentum, nesterov=True), np.ones(3), np.zeros((1, 3))
    theta, velocity = np.ones(3), np.zeros(3)
    for step in range(1, 20):
        compiled_step(optimizer, ours, slopes * ours, state, step)
        velocity = momentum * velocity - rate * slopes * (theta + momentum * velocity)
        theta = theta + velocity
        np.testing.assert_allclose(ours, theta + momentum * velocity, rtol=1e-12)


def test_nesterov_needs_momentum():
    with pytest.raises(ValueError, match="needs momentum"):
        SGD(nesterov=True)


def test_first_step_of_adam_is_the_learning_rate():
    parameters, gradients = start(17)
    got, state = parameters.copy(), np.zeros((2, 17))
    compiled_step(Adam(learning_rate=0.01), got, gradients[0], state, 1)
    np.testing.assert_allclose(got, parameters - 0.01 * np.sign(gradients[0]), rtol=1e-6)


def test_first_step_of_rmsprop_is_unaveraged():
    """One step of lecture 6e, by hand: the mean square starts at 0 without a correction."""
    parameters, state = np.array([1.0]), np.zeros((1, 1))
    compiled_step(RMSprop(learning_rate=0.1, rho=0.75, epsilon=0.5), parameters, np.array([3.0]), state, 1)
    assert state[0, 0] == 0.25 * 3.0**2
    assert parameters[0] == pytest.approx(1 - 0.1 * 3 / (1.5 + 0.5), rel=1e-15)


def test_adagrad_divides_by_the_root_of_all_squares():
    parameters, gradients = start(17)
    got, state = trained(Adagrad(learning_rate=0.1, epsilon=1e-3), parameters, gradients)
    sums = np.cumsum(gradients**2, axis=0)
    np.testing.assert_allclose(got, parameters - (0.1 * gradients / (np.sqrt(sums) + 1e-3)).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(state[0], sums[-1], rtol=1e-13)


def test_a_step_of_lion_has_one_size():
    """Chen et al. 2023, algorithm 2: the sign of a mixture, whatever the size of the gradient; 0 where there is none."""
    parameters, gradients = start(17)
    gradients[:, 3] = 0
    before, state = parameters.copy(), np.zeros((1, 17))
    for step in range(1, STEPS + 1):
        mean = state[0].copy()
        compiled_step(Lion(learning_rate=0.1), parameters, 1e-3 * gradients[step - 1], state, step)
        np.testing.assert_allclose(before - parameters, 0.1 * np.sign(0.9 * mean + 1e-4 * gradients[step - 1]), atol=1e-15)
        np.testing.assert_allclose(state[0], 0.99 * mean + 1e-5 * gradients[step - 1], rtol=1e-12)
        before = parameters.copy()


def test_adamw_without_decay_is_adam():
    parameters, gradients = start(65)
    for ours, adams in zip(
        trained(AdamW(weight_decay=0), parameters, gradients), trained(Adam(), parameters, gradients), strict=True
    ):
        np.testing.assert_array_equal(ours, adams)


@pytest.mark.parametrize("cls", [AdamW, Lion])
def test_decay_is_decoupled_from_the_gradient(cls):
    """A parameter without a gradient decays too, by at most learning rate times weight decay in a step."""
    parameters, gradients = start(17)
    got, state = trained(cls(learning_rate=0.1, weight_decay=0.3), parameters, np.zeros_like(gradients))
    np.testing.assert_allclose(got, parameters * (1 - 0.1 * 0.3) ** STEPS, rtol=1e-14)
    assert (state == 0).all()
