"""The time of a step by kernel: it trains as `fit` does, accounts for the whole step, and prints a table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "asv_bench"))

import step


@pytest.fixture(scope="module", params=["20-16-3:8", "lenet-5"])
def measured(request):
    net = step.net_of(request.param)
    measured = step.Step(net, 1, 2 * net.batch)
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
    labels = {label for spent in measured.rounds for label in spent} - {"total"}
    assert "else" not in map(step.group_of, labels)


def test_the_report_names_what_the_step_is_made_of(measured):
    page = "\n".join(step.report([measured], 1e11))
    assert f"{measured.net.shape}, batch {measured.net.batch}, adam" in page
    own = "pooled_forward_keeping 5x5, 6 to 16" if measured.net.image else "dense_forward 20x16"
    for name in (own, "update_phase", "gather", "GFLOP/s"):
        assert name in page
