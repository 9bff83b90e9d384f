"""The page on the architecture agrees with the code: its wings, and the functions of a fit and of a prediction in order."""

import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fastnn import Dense, Network
from fastnn.kernels.compiling.jit import KERNELS
from fastnn.kernels.interpreter.table import PHASES
from fastnn.program import PredictionProgram

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
X, Y = np.zeros((20, 4), np.float32), np.arange(20) % 3


def functions(heading):
    """Return the names in the second column of the table under a heading, in order."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split(" | ")[1])]


def calls_of(work):
    """Return the functions of the package that `work` calls, each once, in the order of their first calls."""
    found = {}

    def note(frame, event, argument):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("fastnn."):
            found.setdefault(f"{module.removeprefix('fastnn.')}.{frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return [*found]


def kernels_of(table):
    """Return the names of the kernels that the interpreter calls for a table, in order: forward, then backward."""
    names = {address: name for name, kernel in KERNELS.items() for address in kernel.addresses.values()}
    kernels = table.view(np.int64)[:, :2 * len(PHASES):2].tolist()
    forward = [row[0] for row in kernels]
    backward = [kernel for row in reversed(kernels) for kernel in row[1:]]
    return [names[kernel] for kernel in [*forward, *backward] if kernel]


def assert_in_order(listed, called):
    assert listed, "the page lists nothing"
    assert [name for name in listed if name not in called] == []
    assert all(called.index(one) < called.index(next_one) for one, next_one in pairwise(listed))


@pytest.fixture(scope="module")
def net():
    net = Network([Dense(8, "relu"), Dense(3, "softmax")], inputs=4)
    net.predict(X[:1])
    return net


@pytest.mark.parametrize("number", [0, 1])
def test_every_wing_is_in_the_picture_and_in_the_table_of_contributing(number):
    wings = {wing for layer in CONTRACTS[number]["layers"] for wing in layer.split(" | ")}
    picture, table = PAGE.partition("```text")[2].partition("```")[0], (ROOT / "CONTRIBUTING.md").read_text()
    for text in (picture, table):
        assert wings - {*re.findall(r"[a-z_]+", text)} == set()


def test_a_fit_calls_what_the_page_lists(net):
    listed = functions("X in a fit")
    called = calls_of(lambda: net.fit(X, Y, batch_size=5, optimizer="sgd"))
    assert_in_order([name for name in listed if "." in name], called)
    _, program = net.fits.optimizer_state(net.fits.by_name["sgd"]).spare
    walks, *kernels = [name for name in listed if "." not in name]
    assert walks == "train"
    called = kernels_of(program.table)
    assert {*kernels} == {*called}
    assert one_backward(kernels) == one_backward(called)


def one_backward(kernels):
    """Return the names in the order of their first calls, with one name for the backward phases of all dense layers."""
    return [*dict.fromkeys(re.sub("(?<=dense_backward).*", "", name) for name in kernels)]


def test_a_prediction_of_a_row_calls_what_the_page_lists(net):
    listed = functions("A row in a prediction")
    assert calls_of(lambda: net.predict(X[:1])) == [name for name in listed if "." in name]
    few, inspect, layer, label, copy_out = [name for name in listed if "." not in name]
    assert few == "forward_few"
    for labels, last in ((True, label), (False, copy_out)):
        assert kernels_of(PredictionProgram(net, 16, 1, labels=labels).table) == [inspect, layer, layer, last]


def test_any_other_prediction_calls_what_the_page_lists(net):
    assert_in_order(functions("Any other prediction"), calls_of(lambda: net.predict(X.tolist())))
