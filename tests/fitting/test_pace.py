"""Slices grow to the duration of a slice, not further, and shrink when batches become slow."""

import pytest

from fastnn.runtime.time_slices import SLICE, Pace


def run(pace, seconds, slices):
    """Let the pace choose that many slices, with `seconds` for a batch; return the duration of each slice."""
    took = []
    for _ in range(slices):
        batches = pace.next_slice(10**9)
        took.append(batches * seconds)
        pace.record(batches, took[-1])
    return took


@pytest.mark.parametrize("batch", [2e-6, 3e-4, 5e-3])
def test_slices_grow_to_their_length_and_no_further(batch):
    took = run(Pace(), batch, 40)
    assert max(took) <= SLICE
    assert took[-1] > 0.8 * SLICE


def test_a_batch_longer_than_a_slice_is_a_slice():
    assert run(Pace(), 3 * SLICE, 5) == [3 * SLICE] * 5


def test_a_slow_first_slice_is_soon_forgotten():
    pace = Pace()
    pace.record(1, 2.0)
    assert run(pace, 1e-3, 20)[-1] > 0.8 * SLICE


def test_slices_shrink_when_batches_become_slow():
    pace = Pace()
    run(pace, 1e-4, 40)
    assert run(pace, 1e-2, 20)[-1] <= SLICE


def test_no_more_batches_than_are_left():
    pace = Pace()
    run(pace, 1e-5, 40)
    assert pace.next_slice(3) == 3
