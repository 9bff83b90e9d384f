"""The tests detect faults in the package; all of them: `python tests/tools/mutants.py`, or this file with `-m long`."""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from mutant_groups import GROUPS, LEFT_OUT
from mutants import ROOT, drawn, score
from mutator import mutants

SOURCE = '''"""A docstring, 1 < 2."""


def first_square_above(limit: int = 3) -> int:
    """It has no number: 4."""
    if limit < 0 or not isinstance(limit, int):
        raise ValueError(f"limit is {limit + 1}")
    for number in range(limit):
        if number * number > limit:
            return number
    return max(limit, 1)


def made(size):
    def inner():
        return view(size, 0, 1)[0] + share(size, 0, 1, 16)[0]

    at_full_width()
    return inner
'''


def test_what_is_changed():
    changes = {f"{mutant.before} → {mutant.after}" for mutant in mutants("source.py", SOURCE)}
    assert changes >= {
        "limit < 0 → limit <= 0", "limit < 0 → limit >= 0", "0 → 1", "0 → -1", "3 → 4", "max(limit, 1) → min(limit, 1)",
        "number * number → number / number", "not isinstance(limit, int) → isinstance(limit, int)",
        "range(limit) → range(0 + 1, limit)", "range(limit) → range(0, limit - 1)", "return number → return None",
    }
    assert any(change.startswith("limit < 0 or ") and " and " in change for change in changes)
    assert any(change.startswith("raise") and change.endswith("(nothing)") for change in changes)


def test_what_is_left_alone():
    befores = {mutant.before for mutant in mutants("source.py", SOURCE)}
    assert not {"16", "2", "4", "1 < 2", "limit + 1", "return inner", "at_full_width()"} & befores


def test_each_is_one_other_program():
    found = mutants("source.py", SOURCE)
    programs = {ast.dump(ast.parse(mutant.source)) for mutant in found}
    assert len(programs) == len(found)
    assert ast.dump(ast.parse(SOURCE)) not in programs
    for mutant in found:
        compile(mutant.source, "source.py", "exec")


def test_every_file_that_is_named_is_there_and_every_reason_holds_for_a_line():
    for group in GROUPS:
        for paths, tests in group.parts:
            for path in [*paths, *(test for test in tests if not test.startswith("-"))]:
                assert (ROOT / path.split("::")[0]).is_file(), path
    for path, parts in LEFT_OUT.items():
        for part in parts:
            assert part in (ROOT / path).read_text(encoding="utf-8"), (path, part)


@pytest.mark.parametrize("folder", ["activations", "losses", "optimizers"])
def test_every_record_is_mutated(folder):
    named = {path for group in GROUPS for path in group.paths}
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "kernels" / folder).glob("*.py")} <= named


def test_draws_are_of_the_seed():
    group = GROUPS[0]
    assert drawn(group, 5, seed=1) == drawn(group, 5, seed=1) != drawn(group, 5, seed=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants are run in forked processes")
def test_mutants_are_killed_survive_and_run_for_ever(tmp_path):
    root, folder = tmp_path / "root", tmp_path / "runs"
    (root / "fastnn").mkdir(parents=True)
    (root / "tests").mkdir()
    folder.mkdir()
    (root / "fastnn" / "__init__.py").write_text(
        "def last(limit):\n    k = 0\n    while k < limit:\n        k += 1\n    unused = 7\n    return k\n")
    (root / "tests" / "test_it.py").write_text(
        "from fastnn import last\n\ndef test_last():\n    assert last(3) == 3\n")
    wanted = {"k < limit → k <= limit": "killed", "7 → 8": "survived", "k += 1 → k -= 1": "timed out"}
    program = f"""if True:
        import pathlib, sys
        from mutants import Work, run_all
        from mutator import mutants
        path, wanted = "fastnn/__init__.py", {wanted}
        found = mutants(path, pathlib.Path("{root}", path).read_text())
        # whatever ends may take an hour on a busy machine; what runs for ever is stopped soon
        seconds = {{"killed": (3600, 3600), "survived": (3600, 3600), "timed out": (60, 4)}}
        named = [(each, wanted.get(f"{{each.before}} → {{each.after}}")) for each in found]
        work = [Work(each, ["tests"], *seconds[verdict]) for each, verdict in named if verdict]
        for each, verdict, *_ in run_all(work, 2, pathlib.Path("{folder}"), pathlib.Path("{root}")):
            print(f"{{each.before}} → {{each.after}}", verdict, sep=": ")
    """
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "tests" / "tools", capture_output=True, text=True,
                         check=True)
    verdicts = dict(line.split(": ") for line in run.stdout.splitlines())
    assert verdicts == wanted
    assert score(Counter(verdicts.values())) == (2, 3)
    assert not list(Path(folder).glob("copy-*"))


@pytest.mark.long
def test_the_tests_kill_nearly_all():
    subprocess.run([sys.executable, ROOT / "tests" / "tools" / "mutants.py", "--least", "85"], check=True)
