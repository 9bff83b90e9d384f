"""The command line: its output, its exit status, and the demo."""

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

import fastnn
from fastnn import cli
from fastnn.cli import demo
from fastnn.datasets import breast_cancer


def run(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "fastnn", *arguments], capture_output=True, encoding="utf-8", **options)


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_teaches(arguments):
    done = run(*arguments)
    assert done.returncode == 0
    for line in ("fastnn demo", "fastnn examples parity", "FASTNN_CACHE_DIR", *cli.COMMANDS, *cli.COMMANDS.values()):
        assert line in done.stdout


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"fastnn {fastnn.__version__}\n"


@pytest.mark.parametrize("arguments", [
    ["train"], ["--fast"], ["examples", "none"], ["demo", "--epochs", "many"],
    ["train", "t.csv", "--target", "y", "--epochs", "0"],
    ["train", "t.csv", "--target", "y", "--layers", "64-x"], ["train", "t.csv", "--target", "y", "--test", "1.5"],
    ["predict", "model"], ["predict", "model", "file", "--probabilitis"], ["compare", "conv2d"],
    ["bench", "4"], ["bench", "4:relu-2"], ["check-gradients", "2-3:bent-1"],
])
def test_misuse_returns_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("fastnn")
    assert len(error) < 280
    assert hint.endswith("--help explains all arguments")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert "usage: " in capsys.readouterr().out


class Understood(Exception):
    """Raised instead of running a command, after its arguments are parsed."""


EXAMPLES = [line for command in cli.COMMANDS
            for line, _ in getattr(importlib.import_module(cli.module_of(command)), "EXAMPLES", ())]


@pytest.mark.parametrize("line", [*EXAMPLES, *re.findall(r"^  (fastnn (?!COMMAND).*?)  ", cli.EPILOG, re.MULTILINE)])
def test_examples_of_the_help_are_understood(line, monkeypatch):
    understand = argparse.ArgumentParser.parse_args

    def parse_args(parser, *arguments):
        understand(parser, *arguments)
        if parser.prog != "fastnn":
            raise Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    command, *arguments = shlex.split(re.search(r"fastnn ([^|]*)", line)[1])
    with pytest.raises(Understood):
        importlib.import_module(cli.module_of(command)).main(arguments)


FAILURES = [(ValueError("no such thing"), 1), (OSError("disk full"), 1), (KeyboardInterrupt(), 130)]


@pytest.mark.parametrize(("error", "status"), FAILURES)
def test_failure_is_a_line_and_a_status(error, status, monkeypatch, capsys):
    def fail(argv):
        raise error

    monkeypatch.setattr(demo, "main", fail)
    assert cli.main(["demo"]) == status
    printed = capsys.readouterr().err.strip()
    assert len(printed.splitlines()) == 1
    assert str(error) in printed


def test_errors_of_the_demo_name_the_repair(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["demo", "--epochs", "-1"])
    assert "epochs" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["predict", "--help"]])
def test_help_does_not_wait_for_numba(arguments):
    code = f"""
import sys
from fastnn import cli
try:
    cli.main({arguments})
except SystemExit:
    print("loaded:", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = done.stdout.rpartition("loaded:")[2].split()
    assert "fastnn.cli" in loaded
    assert {"numba", "llvmlite", "pandas", "sklearn", "matplotlib"}.isdisjoint(loaded)


def test_an_example_is_run_with_its_arguments(monkeypatch):
    from fastnn.examples import spiral

    given = []
    monkeypatch.setattr(spiral, "main", given.append)
    assert cli.main(["examples", "spiral", "--output", "here"]) == 0
    assert given == [["--output", "here"]]


def test_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == 0
    out, err = capsys.readouterr()
    accuracy = float(out.split("accuracy   ")[1].split("%")[0])
    assert accuracy >= 99
    assert "picture: fastnn-demo.png" in out
    assert (tmp_path / "fastnn-demo.png").stat().st_size > 10_000
    assert err == ""  # no progress bar where nobody looks
    assert out.rstrip().endswith(demo.YOUR_OWN.rstrip())


def test_the_demo_finds_out_first_that_it_cannot_save(tmp_path, capsys):
    assert cli.main(["demo", "--output", str(tmp_path / "nowhere" / "x.png")]) == 1
    out, err = capsys.readouterr()
    assert (out, "no directory" in err) == ("", True)


def test_demo_without_matplotlib(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--epochs", "0", "--threads", "1", "--seed", "3"]) == 0
    assert 'pip install "fastnn-numba[plot]"' in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_the_lines_for_your_own_data_run(tmp_path, monkeypatch, capsys):
    X, y = breast_cancer()
    np.savetxt(tmp_path / "my.csv", np.column_stack([X, y]), delimiter=",", header="thirty features and a label")
    monkeypatch.chdir(tmp_path)
    exec(demo.YOUR_OWN, {})
    assert float(capsys.readouterr().out.split("'accuracy': ")[1].rstrip("}\n")) > 0.9
    assert fastnn.Network.load("my.safetensors").inputs == 30


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.long)])
def test_a_terminal_that_lacks_letters(encoding, tmp_path):
    done = subprocess.run([sys.executable, "-m", "fastnn", "demo", "--epochs", "2"], cwd=tmp_path, check=True,
                          capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert b"accuracy" in done.stdout


@pytest.mark.parametrize(("given", "meant"), [("trian", "train"), ("pedict", "predict"),
                                              ("check_gradients", "check-gradients")])
def test_a_misspelt_command_is_answered_in_a_line(capsys, given, meant):
    assert cli.main([given]) == 2
    err = capsys.readouterr().err
    assert err == (f"fastnn: there is no command {given!r} (did you mean {meant!r}?); fastnn --help lists the commands\n")
