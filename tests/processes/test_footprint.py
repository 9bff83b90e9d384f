"""The benchmark of start-up, memory and size on disk: what it reads and prints. Nothing is trained."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

SUITE = Path(__file__).parents[2] / "asv_bench"
FIGURES = {"import": 0.25, "memory": 100e6, "peak_memory": 120e6}


@pytest.fixture
def footprint(monkeypatch):
    monkeypatch.syspath_prepend(SUITE)
    return importlib.import_module("footprint")


@pytest.fixture
def installed(footprint):
    return importlib.import_module("peers.installed")


def test_memory_of_this_process(footprint):
    memory = footprint.memory()
    assert memory.keys() == {"memory", "peak_memory"}
    if memory["peak_memory"]:
        assert 1e7 < memory["peak_memory"] < 1e11
        assert (memory["memory"] or 0) <= memory["peak_memory"]


def test_memory_in_the_words_of_linux(footprint):
    status = "Name:\tpython\nVmPeak:\t 9999 kB\nVmHWM:\t   2000 kB\nVmRSS:\t   1000 kB\nThreads:\t1\n"
    assert footprint.memory_in(status) == {"memory": 1024_000, "peak_memory": 2048_000}


def make_distribution(folder, name, size, requires=()):
    (folder / f"{name}.py").write_bytes(bytes(size))
    information = folder / f"{name}-1.dist-info"
    information.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *(f"Requires-Dist: {other}" for other in requires)]
    (information / "METADATA").write_text("\n".join(lines) + "\n")
    (information / "RECORD").write_text(f"{name}.py,,\n")


def test_each_requirement_counts_once(installed, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    make_distribution(tmp_path, "made_up", 1, ["Made.Up-Left>=1", "made_up_right", "absent; extra == 'more'",
                                               "absent; python_version < '3'"])
    make_distribution(tmp_path, "made_up_left", 10, ["made-up-shared"])
    make_distribution(tmp_path, "made_up_right", 100, ["made-up-shared", "made-up"])  # a circle
    make_distribution(tmp_path, "made_up_shared", 1000)
    assert installed.requirements("made_up") == ("made-up", "made-up-left", "made-up-shared", "made-up-right")
    assert installed.installed_size("made_up") == 1111


def test_fastnn_itself_counts(installed):
    source = sum(path.stat().st_size for path in (SUITE.parent / "kernels").rglob("*.py"))
    assert source < installed.distribution_size("fastnn-numba") < 50 * source


def test_first_start_is_the_cold_one(footprint, monkeypatch, capsys):
    started = []

    def start(name, data, cache, threads):
        with np.load(data) as arrays:
            assert arrays["X"].shape == (footprint.SAMPLES, 2)
            assert arrays["X"].dtype == np.float32
        (cache / name).mkdir(parents=True, exist_ok=True)
        (cache / name / "kernel").write_bytes(bytes(7))
        started.append(name)
        if name == "jax":
            raise footprint.subprocess.CalledProcessError(1, "jax")
        return FIGURES | {"first_epoch": float(len(started))}

    monkeypatch.setattr(footprint, "start", start)
    report = footprint.measure(["fastnn", "jax", "torch"], rounds=3, threads=1)
    assert started == ["fastnn", "jax", "torch", *3 * ["fastnn", "torch"]]
    assert report == {"fastnn": FIGURES | {"first_epoch": 6.0, "cold": 1.0, "cache": 7},
                      "torch": FIGURES | {"first_epoch": 7.0, "cold": None, "cache": None}}
    assert "jax is left out" in capsys.readouterr().err


def test_report(footprint, monkeypatch, tmp_path, capsys):
    figures = FIGURES | {"first_epoch": 0.78, "cold": 10.8, "cache": None}
    monkeypatch.setattr(footprint, "measure", lambda names, rounds, threads: {name: dict(figures) for name in names})
    monkeypatch.setattr(footprint, "installed_size", lambda distribution: 287e6)
    footprint.main(["--peers", "--json", str(tmp_path / "footprint.json")])
    header, rule, row = capsys.readouterr().out.splitlines()
    assert row == "| fastnn | 0.25 s | 0.78 s | 10.80 s | 100 MB | 120 MB | 287 MB | – |"
    assert header.count("|") == rule.count("|") == row.count("|")
    assert json.loads((tmp_path / "footprint.json").read_text()) == {"fastnn": figures | {"installed": 287e6}}
