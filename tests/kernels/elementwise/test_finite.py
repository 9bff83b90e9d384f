"""Whether all elements of an array are within a limit: every element is checked, and none outside the array."""

import numpy as np
import pytest

from fastnn.kernels.elementwise import finite

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_size = pytest.mark.parametrize("size", [1, 2, 17, 65])


def among_nan(size, dtype):
    """Return an array of that many elements, surrounded by numbers that are not finite."""
    around = np.full(size + 20, np.nan, dtype)
    around[10:-10] = np.linspace(-3, 3, size)
    return around[10:-10]


@every_dtype
@every_size
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_wherever_it_stands(wrong, size, dtype):
    numbers = among_nan(size, dtype)
    assert finite.all_finite(numbers)
    for place in range(size):
        spoilt = numbers.copy()
        spoilt[place] = wrong
        assert not finite.all_finite(spoilt)
        assert not finite.all_within(3.0, spoilt)


@every_dtype
@every_size
def test_the_limit_itself_is_within(size, dtype):
    numbers = among_nan(size, dtype)
    for limit in (np.finfo(dtype).max, np.dtype(dtype).type(5)):
        for place in range(size):
            for sign in (-1, 1):
                numbers[place] = sign * limit
                assert finite.all_within(limit, numbers)
                assert not finite.all_within(np.nextafter(limit, np.dtype(dtype).type(0)), numbers)
            numbers[place] = 0


@every_dtype
def test_slice_after_slice(dtype, monkeypatch):
    monkeypatch.setattr(finite, "SLICE", 4)
    for place in range(11):
        numbers = np.zeros(11, dtype)
        assert finite.all_finite(numbers)
        numbers[place] = np.nan
        assert not finite.all_finite(numbers)


def test_whole_numbers_are_finite():
    assert finite.all_finite(np.arange(3))
