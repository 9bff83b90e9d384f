"""`fastnn compare`: a row for every kernel, with three versions that give the same results."""

import json
import re
import subprocess

import numpy as np
import pytest

from fastnn.cli import compare
from fastnn.cli.compare import QUICK, Case, Setting, Timing, in_words, kernel_cases, measure, training_step
from fastnn.kernels.activations import activations
from fastnn.kernels.optimizers import optimizers
from fastnn.naive.rungs import all_losses

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
CASES = kernel_cases()


def assert_equal(one, other, tolerance):
    if isinstance(one, tuple):
        assert len(one) == len(other)
        for each in zip(one, other, strict=True):
            assert_equal(*each, tolerance)
    else:
        np.testing.assert_allclose(np.asarray(one, float), np.asarray(other, float), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CASES)
def test_the_rungs_of_a_case_do_the_same(name, dtype):
    case = CASES[name](Setting(**QUICK, dtype=dtype, threads=1))
    loops, numpy, compiled = case.loops(), case.numpy(), case.compiled()
    assert_equal(loops, numpy, TOLERANCE[dtype])
    assert_equal(loops, compiled, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_rungs_of_a_training_step_do_the_same(dtype):
    case = training_step(Setting(**QUICK, dtype=dtype, steps=1, threads=1))
    for _ in range(2):
        assert_equal(case.loops(), case.numpy(), TOLERANCE[dtype])
    fresh = training_step(Setting(**QUICK, dtype=dtype, steps=1, threads=1))
    assert_equal(fresh.loops(), fresh.compiled(), TOLERANCE[dtype])


def test_every_record_has_a_case():
    for record in activations.values():
        assert {record.forward.name, record.backward.name} <= set(CASES)
    assert {loss.kernel.name for loss in all_losses().values()} <= set(CASES)
    assert {kind.kernel.name for kind in optimizers.values()} <= set(CASES)


def test_measure_counts_steps(monkeypatch):
    monkeypatch.setattr(compare, "SAMPLE", 1e-5)
    calls = {"loops": 0, "numpy": 0, "compiled": 0}

    def count(name):
        def run():
            calls[name] += 1

        return run

    timing = measure(Case("1", *map(count, calls), compiled_steps=1000))
    assert calls["loops"] <= compare.ROUNDS < calls["numpy"]
    assert 0 < timing.compiled < timing.numpy
    assert timing.over_loops == timing.loops / timing.compiled
    assert timing.over_numpy == timing.numpy / timing.compiled


@pytest.mark.parametrize(("seconds", "words"), [
    (3.31, "3.31 s"), (61.2, "61.2 s"), (0.132, "132 ms"), (9.996e-3, "10.0 ms"), (1.5e-6, "1.50 µs"), (2.4e-8, "24.0 ns"),
    (3e-10, "0.30 ns"),
])
def test_in_words(seconds, words):
    assert in_words(seconds) == words


@pytest.fixture
def one_case(monkeypatch):
    """A comparison of one kernel, with the smallest effort."""
    monkeypatch.setattr(compare, "kernel_cases", lambda: {"tanh_forward": CASES["tanh_forward"]})
    monkeypatch.setattr(compare, "SAMPLE", 1e-6)
    monkeypatch.setattr(compare, "LOOPS_BUDGET", 0)
    for variable in compare.BLAS_THREADS:  # as it finds them in the process that it starts
        monkeypatch.setenv(variable, "1")


def test_table(one_case, capsys):
    compare.main(["--quick", "--threads", "1"])
    machine, empty, header, rule, kernel, step = capsys.readouterr().out.splitlines()
    assert machine.endswith("threads 1; float32 (the loops: float64)")
    assert empty == ""
    assert header.split() == ["kernel", "size", "loops", "NumPy", "compiled", "over", "loops", "over", "NumPy"]
    assert len({len(header), len(rule), len(kernel), len(step)}) == 1
    assert re.fullmatch(r"tanh_forward +16×32 +(\S+ [mµn]?s +){3}[\d,]+× +[\d,.]+×", kernel)
    assert step.startswith("training step  16-16-3 b8")


def test_only_those_that_are_named(one_case, capsys):
    compare.main(["tanh_forward", "--quick", "--threads", "1"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[4:]] == ["tanh_forward"]
    with pytest.raises(SystemExit):
        compare.main(["tanh_forwards", "--quick"])
    assert ("there is no function 'tanh_forwards' (did you mean 'tanh_forward'?); without names, all are timed"
            in capsys.readouterr().err)


def test_json(one_case, capsys):
    compare.main(["--quick", "--json", "--threads", "1", "--dtype", "float64"])
    report = json.loads(capsys.readouterr().out)
    assert report["dtype"] == "float64"
    assert [row["kernel"] for row in report["rows"]] == ["tanh_forward", "training step"]
    for row in report["rows"]:
        assert row["over_loops"] == pytest.approx(row["loops"] / row["compiled"])


def test_the_blas_of_numpy_gets_as_many_threads(monkeypatch):
    started = {}

    def run(command, env):
        started.update(command=command, env=env)
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(compare.subprocess, "run", run)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert compare.main(["--quick", "--threads", "2"]) == 3
    assert started["command"][1:] == ["-m", "fastnn.cli.compare", "--quick", "--threads", "2"]
    assert {started["env"][variable] for variable in compare.BLAS_THREADS} == {"2"}


def test_table_of_nothing_much():
    lines = compare.table([("a", "1", Timing(2.0, 0.5, 0.001))]).splitlines()
    assert lines[2].split() == ["a", "1", "2.00", "s", "500", "ms", "1.00", "ms", "2,000×", "500.0×"]
