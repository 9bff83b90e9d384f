"""Schedules: each compared with its formula, and the laws for all of them in training."""

import math
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields

import numpy as np
import pytest
from nets import LABELS, X, assert_rungs_train_alike, classifier, same

from fastnn import SGD, Adam, Callback, CosineDecay, ExponentialDecay, OneCycle, StepDecay, WarmUp, optimizers
from fastnn.compiled import calls
from fastnn.fitting.schedules import Schedule, rates_ahead
from fastnn.runtime.time_slices import Pace

SCHEDULES = [
    StepDecay(0.1, every=3), StepDecay(0.1, every=1, factor=1.0), ExponentialDecay(0.1, every=7, factor=0.9),
    CosineDecay(0.1, steps=20), CosineDecay(0.1, steps=20, final=0.01), OneCycle(0.1, steps=30),
    OneCycle(0.1, steps=30, rise=0.0), OneCycle(0.1, steps=1), OneCycle(0.1, steps=40, rise=0.5, start=0.0, final=0.001),
    WarmUp(0.1, steps=1), WarmUp(0.1, steps=5), WarmUp(CosineDecay(0.1, steps=20), steps=5),
    WarmUp(WarmUp(StepDecay(0.1, every=2), steps=2), steps=3),
]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
every_optimizer = pytest.mark.parametrize("kind", list(optimizers.values()), ids=lambda kind: kind.name)

BATCHES = 6  # of 4 of the 23 samples, in an epoch


def fitted(optimizer, epochs=(4,), **options):
    net = classifier(dtype="float64")
    for count in epochs:
        net.fit(X, LABELS, epochs=count, batch_size=4, optimizer=optimizer, **options)
    return net


# Each compared with its formula, t steps after the first


def rate(schedule, t):
    return schedule(t + 1)


def test_step_decay():
    assert [rate(StepDecay(0.8, every=3, factor=0.5), t) for t in (0, 2, 3, 5, 6)] == [0.8, 0.8, 0.4, 0.4, 0.2]


def test_exponential_decay():
    for t in range(20):
        assert rate(ExponentialDecay(0.8, every=5, factor=0.3), t) == pytest.approx(0.8 * 0.3 ** (t / 5), rel=1e-15)


def test_cosine_decay():
    schedule = CosineDecay(0.8, steps=10, final=0.2)
    for t in range(10):
        assert rate(schedule, t) == pytest.approx(0.2 + 0.6 * (1 + math.cos(math.pi * t / 10)) / 2, rel=1e-15)
    assert [rate(schedule, t) for t in (0, 10, 11, 10**9)] == [0.8, 0.2, 0.2, 0.2]


def test_warm_up():
    after = CosineDecay(0.8, steps=10)
    schedule = WarmUp(after, steps=4)
    np.testing.assert_allclose([rate(schedule, t) for t in range(4)], [0.2, 0.4, 0.6, 0.8], rtol=1e-15)
    assert [rate(schedule, 4 + t) for t in range(20)] == [rate(after, t) for t in range(20)]


def test_one_cycle():
    schedule = OneCycle(0.5, steps=100, rise=0.3)
    rates = schedule(np.arange(1, 201))
    assert (rates[0], rates[30]) == (0.02, 0.5)
    assert (np.diff(rates[:31]) > 0).all()
    assert (np.diff(rates[30:101]) < 0).all()
    assert (rates[100:] == 0).all()
    assert rates[15] == pytest.approx(0.26, rel=1e-15)  # half way, half of the rise
    assert rates[65] == pytest.approx(0.25, rel=1e-15)


# All schedules


@every_schedule
def test_a_step_alone_is_the_step_in_an_array(schedule):
    rates = schedule(np.arange(1, 129))
    assert rates.dtype == np.float64
    assert ((rates >= 0) & np.isfinite(rates)).all()
    np.testing.assert_allclose(rates, [schedule(step) for step in range(1, 129)], rtol=1e-14, atol=1e-17)


@every_schedule
def test_rates_do_not_depend_on_the_slice_they_are_worked_out_in(schedule):
    optimizer = SGD(schedule)
    whole = rates_ahead(optimizer, 1, 300)
    assert whole.flags.c_contiguous
    for first in (1, 2, 63, 64, 65, 66, 129):
        for steps in (1, 2, 63, 64, 65, 150):
            np.testing.assert_array_equal(rates_ahead(optimizer, first, steps), whole[first - 1:][:steps])


@every_schedule
def test_frozen_equal_and_pickled(schedule):
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(schedule) == hash(pickle.loads(pickle.dumps(schedule)))
    with pytest.raises(FrozenInstanceError):
        schedule.learning_rate = 1.0


@pytest.mark.parametrize("schedule", {type(each): each for each in SCHEDULES}.values(), ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, "fast", True, [1]])
def test_bad_arguments_are_named(schedule, bad):
    given = {field.name: getattr(schedule, field.name) for field in fields(schedule)}
    for name in given:
        with pytest.raises(ValueError, match=rf"{type(schedule).__name__}\({name}=...\) is .*must be"):
            type(schedule)(**{**given, name: bad})


# In training


@every_optimizer
@every_schedule
def test_a_scheduled_fit_is_one_with_the_rate_set_before_each_step(kind, schedule):
    scheduled, by_hand, stepper = classifier(dtype="float64"), classifier(dtype="float64"), kind()
    optimizer = kind(schedule)
    scheduled.fit(X, LABELS, epochs=12, batch_size=23, optimizer=optimizer, shuffle=False)
    for step in range(1, 13):
        vars(stepper)["learning_rate"] = rates_ahead(optimizer, step, 1)[0]  # past the check: it may be 0
        by_hand.fit(X, LABELS, batch_size=23, optimizer=stepper, shuffle=False)
    assert same(scheduled, by_hand)


@every_schedule
def test_slices_do_not_change_a_bit(schedule, monkeypatch):
    whole = fitted(SGD(schedule))
    assert same(fitted(SGD(schedule), epochs=(1, 2, 1)), whole)
    monkeypatch.setattr(Pace, "next_slice", lambda self, batches_left: 1)
    assert same(fitted(SGD(schedule)), whole)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_the_other_rungs_follow_the_schedule(kind):
    assert_rungs_train_alike(kind(WarmUp(StepDecay(0.1, every=2), steps=2)), steps=6, tolerance=1e-10)


def test_the_compiled_call_follows_the_schedule():
    optimizer = SGD(StepDecay(0.8, every=1))
    for step, expected in ((1, 1.2), (2, 1.6), (3, 1.8)):
        [parameter], _ = calls.optimizer_update(optimizer, [2.0], [1.0], [[0.0]], step)
        assert parameter == pytest.approx(expected, rel=1e-15)


def test_any_function_of_the_step_will_do():
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.1 / step

    net = fitted(SGD(schedule), epochs=(2,))
    assert set(asked) == set(range(1, 2 * BATCHES + 1))  # no step beyond those that are taken

    @dataclass(frozen=True)
    class Inverse(Schedule):
        def rates(self, t):
            return 0.1 / (t + 1)

    assert same(fitted(SGD(Inverse()), epochs=(2,)), net)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf, None, "slow"])
def test_a_function_that_gives_no_rate_is_named(bad):
    net = classifier()
    before = net.parameters["0.weight"].copy()
    with pytest.raises(ValueError, match=r"what SGD\(learning_rate=...\) gives at step 1 is .*; it must be a finite number"):
        net.fit(X, LABELS, optimizer=SGD(lambda step: bad))
    np.testing.assert_array_equal(net.parameters["0.weight"], before)

    class Bad(Schedule):
        def rates(self, t):
            return np.where(t < 3, 0.1, np.nan)

    with pytest.raises(ValueError, match="at step 4 is nan"):
        net.fit(X, LABELS, batch_size=4, optimizer=Adam(Bad()))


def test_a_class_is_no_schedule():
    with pytest.raises(ValueError, match=r"Adam\(learning_rate=...\) is <class"):
        Adam(CosineDecay)


def test_the_rate_may_be_set_between_epochs():
    """A number, then a schedule, then a number again."""
    class Setter(Callback):
        def on_epoch_begin(self, epoch, logs):
            optimizer.learning_rate = plan[epoch]

    plan = [0.1, StepDecay(0.1, every=10), 0.02, CosineDecay(0.3, steps=50)]
    optimizer = SGD()
    net = fitted(optimizer, callbacks=[Setter()])
    schedule = [rates_ahead(SGD(each), k * BATCHES + 1, BATCHES) if callable(each) else [each] * BATCHES
                for k, each in enumerate(plan)]
    flat = np.concatenate(schedule)
    assert same(fitted(SGD(lambda step: flat[step - 1])), net)


def test_the_step_is_the_optimizers():
    """A schedule counts the steps of the optimizer over all fits."""
    optimizer = SGD(StepDecay(0.1, every=BATCHES, factor=1e-9))
    net = fitted(optimizer, epochs=(1,))
    after = net.parameters["0.weight"].copy()
    net.fit(X, LABELS, batch_size=4, optimizer=optimizer)
    np.testing.assert_allclose(net.parameters["0.weight"], after, atol=1e-8)
    assert optimizer.rate(1) == 0.1
    assert optimizer.at(BATCHES + 1).learning_rate == pytest.approx(1e-10)
    assert Adam(0.5).at(3).learning_rate == Adam(0.5).rate(3) == 0.5
