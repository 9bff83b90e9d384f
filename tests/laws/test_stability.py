"""Losses and gradients at any finite logit, from 0 to ± the largest float, compared with multiple-precision arithmetic.

Every loss after every activation, with every kind of targets; then infinite logits. A term of a loss that is too large for
the dtype is infinite, and a loss that is not finite is an error, never a number. FASTNN_TEST_SEED has no effect: the logits
are critical ones, all of them with `-m long`.
"""

import math
from itertools import product

import exact
import mpmath
import numpy as np
import pytest
from activation_rungs import compiled_backward, compiled_forward
from nets import classifier
from small_nets import OUTPUTS

from fastnn import Adam, Dense, DivergenceError, Network, activations, losses

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
# These use probabilities: where one rounds to 0 or 1, its logarithm is infinite.
THROUGH_PROBABILITIES = [("softmax", name) for name, loss in losses.items() if loss.targets == "binary"]
TARGETS = {
    "classes": [[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]],
    "binary": [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.25, 0.75]],
    "values": [[0.0, 0.0], [1.5, 0.0], [-2.0, 3.0]],
}
COUNTS = [[0.0, 0.0], [1.0, 0.0], [3.0, 2.5]]  # poisson's


def logits(dtype):
    largest = float(np.finfo(dtype).max)
    return [0.0, *(sign * size for size in (88.0, 104.0, 1e4, largest) for sign in (1, -1))]


def rows(dtype):
    """Return pairs of logits: one beside 0, two equal ones, and two of opposite sign."""
    return sorted({pair for z in logits(dtype) for pair in ((z, 0.0), (0.0, z), (z, z), (z, -z))})


def gives_back(last, loss, dtype):
    """Return a network whose logits are its inputs."""
    net = Network([Dense(2, last)], inputs=2, loss=loss, dtype=dtype)
    net.parameters["0.weight"][:] = np.eye(2)
    return net


class Exact:
    """Return the loss of one sample and its gradient, in multiple precision, with the effect of rounding on each."""

    def __init__(self, net, z, y):
        record, activation = net.objective.training_loss, net.layers[-1].activation_record
        with mpmath.workdps(exact.DIGITS):
            z, y = exact.numbers(z), exact.numbers(y)
            if net.objective.on_logits:  # in terms of the logits
                self.loss, self.dz = exact.loss(record, z, y)
                self.slack, self.slacks, on_the_way = 1 + abs(self.loss), [1] * len(z), []
            else:
                a = exact.activation(activation, z)
                self.loss, da = exact.loss(record, a, y)
                # gelu has an error relative to z where 1 + erf(z) cancels
                sizes = [max(abs(a_), 1, min(abs(z_), 20)) for z_, a_ in zip(z, a, strict=True)]
                self.slack = 1 + abs(self.loss) + sum(abs(s * d) for s, d in zip(sizes, da, strict=True))
                near = exact.loss(record, [a_ + ETA * s for a_, s in zip(a, sizes, strict=True)], y)[1]
                bends = [abs(n - d) / ETA for n, d in zip(near, da, strict=True)]  # how a's rounding shows in da
                prime = exact.exact(activation.prime)
                if activation.rowwise:
                    self.dz, slopes = prime(da, z, a), [1] * len(z)
                else:
                    slopes = [prime(z_, a_) for z_, a_ in zip(z, a, strict=True)]
                    self.dz = [d * slope for d, slope in zip(da, slopes, strict=True)]
                self.slacks = [1 + max(map(abs, da)) * min(1, abs(slope) + 1e-3) + bend * abs(slope)
                               for slope, bend in zip(slopes, bends, strict=True)]
                on_the_way = [*a, *da]
            # values computed in the dtype stay far from its limit
            largest = max(map(abs, [self.loss, *self.dz, *on_the_way]))
            self.fits = bool(4 * largest < float(np.finfo(net.dtype).max))


ETA = mpmath.mpf(10) ** -20
ROUNDINGS = 16


def targets_of(loss):
    return COUNTS if loss.name == "poisson" else TARGETS[loss.targets]


def assert_right(net, z, y):
    """Loss and gradient are correct; or the exact ones are too large for the dtype, and the loss is an error."""
    want, eps = Exact(net, z, y), ROUNDINGS * float(np.finfo(net.dtype).eps)
    where = f"{net.layers[-1].activation}, {net.loss}: z = {z}, y = {y}"
    value = net.evaluate([z], [y])["loss"]
    try:
        loss, gradients = net.loss_and_gradients([z], [y])
    except DivergenceError:
        assert not want.fits, where
        assert not math.isfinite(value), where
        return
    assert loss == value
    assert abs(loss - want.loss) <= eps * want.slack, f"{where}: {loss} for {float(want.loss)}"
    for got, exactly, slack in zip(gradients["0.bias"].tolist(), want.dz, want.slacks, strict=True):
        overflown = math.isinf(got) and not want.fits
        assert overflown or abs(got - exactly) <= eps * slack, f"{where}: dz = {got} for {float(exactly)}"


@every_dtype
@pytest.mark.parametrize(("last", "loss"), [pair for pair in OUTPUTS if pair not in THROUGH_PROBABILITIES])
def test_losses_and_gradients(last, loss, dtype):
    net = gives_back(last, loss, dtype)
    fused = net.objective.on_logits
    for z in rows(dtype):
        for y in targets_of(losses[loss])[:None if fused else 2]:
            assert_right(net, z, y)


@pytest.mark.long
@every_dtype
@pytest.mark.parametrize(("last", "loss"), [pair for pair in OUTPUTS if pair not in THROUGH_PROBABILITIES])
def test_losses_and_gradients_of_all_pairs_of_logits(last, loss, dtype):
    net = gives_back(last, loss, dtype)
    for z in product(logits(dtype), repeat=2):
        for y in targets_of(losses[loss]):
            assert_right(net, z, y)


# A target gives weight to several classes, or a factor to a loss, so that numbers on the way are larger than their sum.
SUMS_OF_LOSSES = {name for name in losses if name.startswith(("smoothed_", "focal_", "binary_focal_"))}


@every_dtype
@pytest.mark.parametrize("loss", [name for name, record in losses.items() if record.on_logits])
def test_losses_computed_on_the_logits_are_finite_wherever_they_can_be(loss, dtype):
    for last in losses[loss].on_logits:
        net = gives_back(last, loss, dtype)
        for z, y in product(rows(dtype), targets_of(losses[loss])):
            value = net.evaluate([z], [y])["loss"]
            if (last, loss) != ("sigmoid", "kl_divergence"):  # whose outputs may sum to more than 1
                assert value >= 0
            want = Exact(net, z, y)
            if want.fits or loss not in SUMS_OF_LOSSES:
                assert math.isfinite(value) == math.isfinite(exact.rounded(want.loss)), (last, z, y)


@every_dtype
@pytest.mark.parametrize(("last", "loss"), THROUGH_PROBABILITIES)
def test_a_loss_through_probabilities_is_right_or_an_error(last, loss, dtype):
    net = gives_back(last, loss, dtype)
    for z, y in product(rows(dtype), targets_of(losses[loss])):
        try:
            value, gradients = net.loss_and_gradients([z], [y])
        except DivergenceError:
            assert abs(z[0] - z[1]) > 15  # far enough apart for a probability to round to 1
            continue
        digits = 60 + int(min(abs(z[0] - z[1]), 1e4))  # so many that none rounds to 1 here
        with mpmath.workdps(digits):
            a = exact.exact(activations[last].value)(exact.numbers(z)) if abs(z[0] - z[1]) < 1e4 else None
        if a is not None:
            with mpmath.workdps(digits):
                y, own = exact.numbers(y), exact.exact(losses[loss].value)
                terms = [own(a, y)] if losses[loss].rowwise else [own(*each) for each in zip(a, y, strict=True)]
            assert value == pytest.approx(float(sum(terms)), rel=1e-4, abs=1e-5)
        assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@every_dtype
def test_a_fit_at_the_edge_stays_finite(dtype):
    """Huge inputs with a finite gradient."""
    largest = float(np.finfo(dtype).max)
    net = Network([Dense(2, "softmax")], inputs=2, dtype=dtype)
    net.parameters["0.weight"][:] = np.eye(2)
    history = net.fit([[1e4, -1e4], [-104.0, 88.0]], [1, 0], epochs=3, optimizer=Adam(0.1), progress=False)
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(view).all() for view in net.parameters.values())
    assert np.isfinite(net.forward([[largest, 0.0]])).all()


# Infinity and NaN

LIMITS = {  # of an activation at −∞ and +∞; where the formula is 0 · ∞ there, NaN will do as well
    "elu": (-1.0, math.inf), "gelu": (0.0, math.inf), "identity": (-math.inf, math.inf),
    "leaky_relu": (-math.inf, math.inf), "relu": (0.0, math.inf), "selu": (-1.7580993408473766, math.inf),
    "sigmoid": (0.0, 1.0), "silu": (0.0, math.inf), "softplus": (0.0, math.inf), "tanh": (-1.0, 1.0),
}


def test_every_activation_has_its_limits():
    assert set(LIMITS) == {name for name, record in activations.items() if not record.rowwise}


@every_dtype
@pytest.mark.parametrize("name", LIMITS)
def test_an_activation_at_infinity_is_its_limit_or_nan(name, dtype):
    a = compiled_forward(activations[name], np.array([[-math.inf, math.inf]], dtype))[0]
    for got, limit in zip(a.tolist(), LIMITS[name], strict=True):
        assert math.isnan(got) or got == pytest.approx(limit, rel=1e-6)
        assert not math.isnan(got) or name in ("gelu", "silu")


@every_dtype
@pytest.mark.parametrize("name", activations)
def test_an_activation_of_nan_is_nan(name, dtype):
    z = np.array([[math.nan, 1.0, 2.0]], dtype)
    assert math.isnan(compiled_forward(activations[name], z)[0, 0])


@every_dtype
@pytest.mark.parametrize("name", activations)
def test_derivatives_are_finite_at_any_finite_number(name, dtype):
    z = np.array([logits(dtype)], dtype)
    a = compiled_forward(activations[name], z)
    with np.errstate(over="ignore"):
        expected = [exact.rounded(each, dtype) for each in exact.activation(activations[name], z[0])]
    assert (np.isfinite(a[0]) == np.isfinite(expected)).all()  # selu of the largest float is beyond it
    assert np.isfinite(compiled_backward(activations[name], np.ones_like(z), z, a)).all()


X, LABELS = [[1.0, 2.0, 3.0, 4.0]] * 3, [0, 1, 2]


@every_dtype
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["0.weight", "0.bias", "1.weight", "1.bias"])
def test_parameters_that_are_not_finite(name, value, dtype):
    """Outputs show it; anything that needs a valid output is an error, and a fit changes nothing."""
    net = classifier(dtype=dtype)
    net.parameters[name].flat[0] = value
    before = net.vectors.parameters.flat.tobytes()
    saturates = name.startswith("0.") and not math.isnan(value)  # tanh of an infinite sum is ± 1
    if saturates:
        assert np.isfinite(net.forward(X)).all()
        assert math.isfinite(net.loss_and_gradients(X, LABELS)[0])
        return
    if name.startswith("1.") and not np.isnan(net.forward(X)).any():  # a score of −∞: this class is ruled out
        assert (net.forward(X)[:, 0] == 0).all()
        assert net.predict(X).min() > 0
    else:
        with pytest.raises(DivergenceError, match=r"X\[0\] are NaN, so there is no label.*parameters are finite"):
            net.predict(X)
        assert net.evaluate(X, LABELS)["accuracy"] == 0
    assert not math.isfinite(net.evaluate(X, LABELS)["loss"])
    assert not math.isfinite(net.loss_function(X, LABELS)())
    assert not math.isfinite(net.loss_function(X, LABELS, training=True)())
    with pytest.raises(DivergenceError, match="the loss of these samples is not finite"):
        net.loss_and_gradients(X, LABELS)
    with pytest.raises(DivergenceError, match="epoch 1, batch 1"):
        net.fit(X, LABELS, progress=False)
    assert net.vectors.parameters.flat.tobytes() == before
