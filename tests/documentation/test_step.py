"""The time of a step by kernel: it trains as `fit` does, accounts for the whole step, and prints a table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "asv_bench"))

import step
from peers.nets import Net


@pytest.fixture(scope="module")
def measured():
    measured = step.Step(Net.parse("20-16-3:8"), 1, 64)
    for _ in range(3):
        measured.round()
    return measured


def test_the_kernels_together_are_the_step(measured):
    for spent in measured.rounds:
        assert sum(spent.values()) == pytest.approx(2 * spent["total"])


def test_it_trains(measured):
    before = measured.program.network.vectors.parameters.flat.copy()
    measured.round()
    assert np.isfinite(measured.program.network.vectors.parameters.flat).all()
    assert (measured.program.network.vectors.parameters.flat != before).any()


def test_every_kernel_of_a_step_has_a_group(measured):
    labels = {label.split()[0] for spent in measured.rounds for label in spent} - {"total"}
    assert labels <= set(step.GROUPS)


def test_the_report_names_what_the_step_is_made_of(measured):
    page = "\n".join(step.report([measured], 1e11))
    assert "20-16-3, batch 8, adam" in page
    for name in ("dense_forward 20x16", "update_phase", "gather", "GFLOP/s"):
        assert name in page
