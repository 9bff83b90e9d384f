"""Checks of hyperparameters: which values are numbers, the ends of the ranges, and how an error shows a value."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from fastnn.checks import hyperparameters
from fastnn.checks.hyperparameters import real_number, shown

LARGEST, SMALLEST = np.finfo(float).max, np.finfo(float).smallest_subnormal
INFINITE = [math.inf, -math.inf, math.nan, 10**400, -10**400]
NO_NUMBERS = ["1", b"1", None, [], 1j, True, np.True_, np.timedelta64(1), np.array([1.0])]
KINDS = {  # name: (the kind, numbers at the ends of its range, numbers just beyond them)
    "positive": (hyperparameters.positive, [SMALLEST, 1, LARGEST], [0, -0.0, -SMALLEST]),
    "not_negative": (hyperparameters.not_negative, [0, -0.0, SMALLEST, LARGEST], [-SMALLEST, -1]),
    "in_unit_interval": (hyperparameters.in_unit_interval, [0, np.float32(0.5), math.nextafter(1, 0)], [1, -SMALLEST]),
}
every_kind = pytest.mark.parametrize(("kind", "inside", "outside"), KINDS.values(), ids=KINDS)


def checked(field, value):
    return field.metadata["check"]("Something(of=...)", value)


@every_kind
def test_where_ranges_end(kind, inside, outside):
    for value in inside:
        result = checked(kind(), value)
        assert type(result) is float
        assert result == value
    for value in [*outside, *INFINITE, *NO_NUMBERS]:
        with pytest.raises(ValueError, match=r"Something\(of=...\) is .*it must be a"):
            checked(kind(), value)


@every_kind
def test_what_is_tame_is_in_the_range(kind, inside, outside):
    low, high = kind().metadata["bounded"]
    assert checked(kind(), low) < checked(kind(), high)


@every_kind
def test_optional_ones_may_be_none(kind, inside, outside):
    field = hyperparameters.optional(kind())
    assert field.default is None
    assert checked(field, None) is None
    assert checked(field, inside[0]) == inside[0]
    for value in outside:
        with pytest.raises(ValueError, match="it must be a"):
            checked(field, value)


def test_rates_are_positive_or_functions():
    field = hyperparameters.rate_or_schedule(0.01)
    assert field.default == 0.01
    assert checked(field, math.sqrt) is math.sqrt
    for value in (0.0, float, None):
        with pytest.raises(ValueError, match="positive"):
            checked(field, value)


def test_flags_are_true_or_false():
    for value in (True, False, np.True_, np.False_):
        assert checked(hyperparameters.flag(False), value) is bool(value)
    for value in (0, 1, "True", None):
        with pytest.raises(ValueError, match="it must be True or False"):
            checked(hyperparameters.flag(False), value)


def test_limits_are_given_by_keyword_or_not_at_all():
    @dataclass
    class Limited:
        rate: float = 0.5
        clip: float = hyperparameters.limit()

    assert Limited().clip is None
    assert Limited(clip=2.0).clip == 2.0
    with pytest.raises(TypeError, match="positional"):
        Limited(0.5, 2.0)
    assert checked(hyperparameters.limit(), 2) == 2.0
    with pytest.raises(ValueError, match="positive"):
        checked(hyperparameters.limit(), 0)
    assert hyperparameters.limit().metadata["limit"] is True


@pytest.mark.parametrize("value", [1, 1.5, np.int8(3), np.float32(0.5), np.uint64(2**63)], ids=repr)
def test_numbers_are_floats_of_their_value(value):
    assert type(real_number(value)) is float
    assert real_number(value) == value


def test_what_is_no_number_and_what_is_too_large():
    assert [real_number(10**400), real_number(-10**400)] == [math.inf, -math.inf]
    assert all(math.isnan(real_number(value)) for value in NO_NUMBERS)


@pytest.mark.parametrize("length", [1, 2, 79, 80, 81, 200])
def test_a_value_is_shown_on_one_line_and_cut_where_it_is_long(length):
    class Thing:
        def __repr__(self):
            return " \n ".join("x" * length)

    whole = " ".join("x" * length)
    assert shown(Thing(), most=10**6) == whole
    for most in (1, 40, len(whole) - 1, len(whole), len(whole) + 1):
        expected = whole if len(whole) <= most else whole[:most - 1] + "…"
        assert shown(Thing(), most) == expected
    assert shown("x" * 78) == repr("x" * 78)
    assert len(shown("x" * 79)) == 80


def test_what_cannot_be_shown_is_named_by_its_type():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert shown(Broken()) == "a Broken"
    assert shown(10**5000) == "a int"
