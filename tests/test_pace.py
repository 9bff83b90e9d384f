"""Training takes the faster of one thread and several, notices when that changes, and never takes long to find out."""

import pytest

from fastnn.pace import SLICE, Pace


def run(pace, seconds, slices, wake=0.0):
    """Let the pace decide on so many slices, a batch taking seconds[parallel]; (whether in parallel, seconds) of each."""
    ways, before = [], False
    for _ in range(slices):
        batches, parallel = pace.next_slice(10**9)
        took = batches * seconds[parallel] + (wake if parallel and not before else 0.0)
        pace.record(batches, parallel, took)
        ways.append((parallel, took))
        before = parallel
    return ways


def share_in_parallel(ways):
    return sum(took for parallel, took in ways if parallel) / sum(took for _, took in ways)


@pytest.mark.parametrize("batch", [2e-6, 3e-4, 5e-3])
def test_the_faster_way_is_taken(batch):
    assert share_in_parallel(run(Pace(True), {True: 0.7 * batch, False: batch}, 100)[20:]) > 0.95
    assert share_in_parallel(run(Pace(True), {True: 1.3 * batch, False: batch}, 100)[20:]) < 0.05


def test_waking_threads_does_not_count_against_them():
    assert share_in_parallel(run(Pace(True), {True: 2.5e-4, False: 3.4e-4}, 60, wake=1e-3)[10:]) > 0.9


def test_threads_in_each_others_way_are_left_soon():
    assert share_in_parallel(run(Pace(True), {True: 26e-3, False: 3e-4}, 200)) < 0.1


def test_a_change_is_noticed():
    pace = Pace(True)
    run(pace, {True: 2e-4, False: 3e-4}, 50)
    after = run(pace, {True: 26e-3, False: 3e-4}, 200)[1:]  # the slice under way is not broken off
    assert share_in_parallel(after) < 0.2
    assert share_in_parallel(run(pace, {True: 2e-4, False: 3e-4}, 200)[100:]) > 0.9


def test_slices_stay_short_and_nothing_is_parallel_that_gains_nothing():
    ways = run(Pace(False), {False: 1e-5}, 60)
    assert not any(parallel for parallel, _ in ways)
    assert max(took for _, took in ways) <= SLICE
