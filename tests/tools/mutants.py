"""How many mutants of the package the tests detect: python tests/tools/mutants.py [--number N] [--seed S] [--only TEXT …].

Mutants (`mutator.py`) are drawn at random from each group of `mutant_groups.py`, in fixed shares. Each runs in a copy of the
tree, with the tests that concern its file, until one fails, in a process forked from one that has imported Numba. It is
    killed        a test fails, the package cannot be imported, or the process dies
    timed out     killed too: it, or one of the tests, takes far longer than without a mutant
    survived      all tests pass
    not compiled  Numba refuses it, so nobody could run it: not counted
    equivalent    it survived, and `mutant_groups.py` explains why it makes no difference: not counted

At most `--jobs` of them run at a time. First the tests run without a mutant, to measure their time.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from multiprocessing.connection import wait
from pathlib import Path
from typing import NamedTuple

import mutant_groups
import numba
from mutator import mutants

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
import kernel_keys

ROOT = Path(__file__).resolve().parents[2]
COPIED = "fastnn", "kernels", "tests", "pyproject.toml"
REFUSED = "TypingError", "LoweringError", "UnsupportedError", "NumbaValueError", "NumbaTypeError"
LEAST = 30  # seconds that a mutant may take, or print nothing, beside three times what it is without one
FAILING = 20  # tests that may fail without a mutant: they are left out
MEMORY = 16 * 2**30


def drawn(group, number, seed, root=ROOT):
    """Return up to so many mutants of a group, and the number of all of them."""
    there = [mutant for path in group.paths for mutant in mutants(path, (root / path).read_text(encoding="utf-8"))
             if not mutant_groups.left_out(mutant, lines_of(root / path))]
    chosen = random.Random(f"{seed} {group.name}").sample(there, min(number, len(there)))
    return chosen, len(there)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


class Work(NamedTuple):
    """Tests to run with a mutant, or without one (None), with limits on their seconds in total and without output."""

    mutant: object
    tests: tuple
    limit: float
    quiet: float


class Outcome(NamedTuple):
    """The outcome: verdict, seconds, most seconds without output, and the output."""

    mutant: object
    verdict: str
    seconds: float
    quiet: float
    output: str


class Copy:
    """A copy of the tree, in which one mutant runs at a time."""

    def __init__(self, folder, root, cache):
        self.folder, self.root, self.cache = folder, root, cache
        folder.mkdir()
        self.scratch, self.output = folder / "scratch", folder / "output.txt"
        self.tree = folder / "tree"
        self.tree.mkdir()
        for name in COPIED:
            if (root / name).is_dir():
                shutil.copytree(root / name, self.tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            elif (root / name).exists():
                shutil.copy(root / name, self.tree / name)

    def start(self, work):
        """Start the tests."""
        self.work, self.mutant = work, work.mutant
        if self.mutant:
            (self.tree / self.mutant.path).write_text(self.mutant.source, encoding="utf-8")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        self.output.write_bytes(b"")
        self.began = self.heard = time.monotonic()
        self.said, self.quiet = 0, 0.0
        self.process = multiprocessing.get_context("fork").Process(target=self.run, args=(work.tests,))
        self.process.start()

    def late(self):
        """Return whether it runs longer than allowed, or is stuck. Call it regularly, because it reads the output."""
        now, said = time.monotonic(), self.output.stat().st_size
        self.quiet = max(self.quiet, now - self.heard)
        if said != self.said:
            self.said, self.heard = said, now
        return self.process.is_alive() and (now - self.began > self.work.limit or now - self.heard > self.work.quiet)

    def end(self, late):
        """Return the outcome of a finished process, ending it if necessary, and restore the tree."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with all that the tests have started
        self.process.join()
        if self.mutant:
            shutil.copy(self.root / self.mutant.path, self.tree / self.mutant.path)
        output = self.output.read_text(errors="replace")
        return Outcome(self.mutant, "timed out" if late else verdict(self.process.exitcode, output),
                       time.monotonic() - self.began, self.quiet, output)

    def run(self, tests):
        """Run the tests in the child process, as from a shell in the copy."""
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may be deaf to it
        output = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for handle in (1, 2):
            os.dup2(output, handle)
        limit_memory()
        os.chdir(self.tree)
        os.environ.update(PYTHONPATH=str(self.tree), FASTNN_CACHE_DIR=str(self.cache), FASTNN_COMPILERS="1",
                          TMPDIR=str(self.scratch), PYTHONDONTWRITEBYTECODE="1", NUMBA_CACHE_DIR=str(self.scratch))
        numba.config.CACHE_DIR = str(self.scratch)  # what tests compile refuses, where it was kept, to call another package
        tempfile.tempdir = None
        sys.dont_write_bytecode = True
        ours = {str(self.root), str(self.root / "tests"), ""}
        sys.path[:] = [str(self.tree), *(path for path in sys.path if path not in ours)]
        code = 1
        try:
            code = self.tested(tests)
        except BaseException:  # the package could not be imported
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def tested(self, tests):
        import pytest

        if (self.tree / "kernels").exists() and mutant_groups.OF_THE_CACHE not in tests:
            kernel_keys.install()
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:randomly"]
        return pytest.main([*options, *(["-x"] if self.mutant else []), *tests])


def limit_memory():
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def verdict(code, output):
    if code == 0:
        return "survived"
    if code in (3, 4, 5):  # pytest's own errors, and no tests
        raise RuntimeError(f"the tests could not be run:\n{output[-3000:]}")
    return "not compiled" if any(name in output for name in REFUSED) else "killed"


def failures(output):
    """Return the names of the tests that failed."""
    names = [line.split(" ", 1)[1].split(" - ")[0] for line in output.splitlines() if line.startswith(("FAILED", "ERROR "))]
    if not names or len(names) > FAILING:
        raise RuntimeError(f"the tests fail without a mutant:\n{output[-3000:]}")
    return names


def run_all(work, jobs, folder, root=ROOT, cache=None):
    """Run all work in that many copies at a time; yield the outcomes as they come."""
    cache = cache or folder / "kernels-cache"
    free, busy, work = [Copy(folder / f"copy-{k}", root, cache) for k in range(jobs)], {}, list(reversed(work))
    try:
        while work or busy:
            while work and free:
                copy = free.pop()
                copy.start(work.pop())
                busy[copy.process.sentinel] = copy
            wait(list(busy), timeout=0.5)
            for sentinel, copy in list(busy.items()):
                late = copy.late()
                if copy.process.is_alive() and not late:
                    continue
                del busy[sentinel]
                free.append(copy)
                yield copy.end(late)
    finally:
        for copy in busy.values():
            copy.end(late=True)
        for copy in free:
            shutil.rmtree(copy.folder, ignore_errors=True)


def measure(groups, number, seed, jobs, folder, only=(), root=ROOT, cache=None):
    """Run so many mutants of the groups; return {group: Counter of verdicts} and the survivors, and print each outcome."""
    limits, failing, chosen = {}, {}, {}
    shares = sum(group.share for group in groups)
    for group in groups:
        found, there = drawn(group, round(number * group.share / shares), seed, root)
        chosen[group.name] = [mutant for mutant in found if not only or any(text in str(mutant) for text in only)]
        print(f"{group.name}: {len(chosen[group.name])} of {there} mutants", flush=True)
    of = {id(mutant): group for group in groups for mutant in chosen[group.name]}
    tests = {id(mutant): tuple(of[id(mutant)].tests(mutant.path)) for found in chosen.values() for mutant in found}
    (folder / "without").mkdir()
    without = [Work(None, each, 1500, 600) for each in dict.fromkeys(tests.values())]
    for work, outcome in zip(without, run_all(without, 1, folder / "without", root, cache), strict=True):
        each = work.tests
        limits[each] = LEAST + 3 * outcome.seconds, LEAST + 3 * outcome.quiet
        failing[each] = failures(outcome.output) if outcome.verdict != "survived" else []
        print(f"{outcome.seconds:.0f} s without a mutant: {each[0]} …", flush=True)
        for name in failing[each]:
            print(f"left out, since it fails without a mutant: {name}", flush=True)
    scores, survivors = {group.name: Counter() for group in groups}, []
    whole = {each: [*each, *(f"--deselect={name}" for name in names)] for each, names in failing.items()}
    work = [Work(mutant, whole[tests[id(mutant)]], *limits[tests[id(mutant)]])
            for found in chosen.values() for mutant in found]
    for mutant, found, seconds, _, output in run_all(work, jobs, folder, root, cache):
        if found == "survived" and mutant_groups.equivalent(mutant, lines_of(root / mutant.path)):
            found = "equivalent"
        scores[of[id(mutant)].name][found] += 1
        by = next((line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))), "")[:100]
        print(f"{found:12} {seconds:5.0f} s  {mutant}  {by if found == 'killed' else ''}", flush=True)
        if found == "survived":
            survivors.append(mutant)
    return scores, survivors


def score(counts):
    """Return (number killed or timed out, number that counts)."""
    killed = counts["killed"] + counts["timed out"]
    return killed, killed + counts["survived"]


def table(scores):
    """Return the figures as text, a line for each group."""
    total = sum(scores.values(), Counter())
    lines = [f"{'group':18} killed timed out survived not compiled equivalent  score"]
    for name, counts in [*scores.items(), ("all", total)]:
        killed, counted = score(counts)
        share = f"{100 * killed / counted:5.1f} %" if counted else "    –"
        lines.append(f"{name:18} {counts['killed']:6} {counts['timed out']:9} {counts['survived']:8} "
                     f"{counts['not compiled']:12} {counts['equivalent']:10}  {share}")
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--number", type=int, default=int(os.environ.get("FASTNN_MUTANTS", 280)))
    parser.add_argument("--seed", default=os.environ.get("FASTNN_MUTANT_SEED", "0"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--groups", nargs="*", default=[], help="their names; default all")
    parser.add_argument("--only", nargs="*", default=[], help="of those drawn, those in whose description one of these is")
    parser.add_argument("--least", type=float, default=0, help="percent to be killed, else it fails")
    parser.add_argument("--cache", type=Path, help="a folder for kernels, to be kept; default one that is removed")
    given = parser.parse_args(arguments)
    groups = [group for group in mutant_groups.GROUPS if not given.groups or group.name in given.groups]
    for name in ("hypothesis", "numba.core.ccallback", "numpy", "pytest"):
        importlib.import_module(name)  # once for all the processes
    with tempfile.TemporaryDirectory() as folder:
        scores, survivors = measure(groups, given.number, given.seed, given.jobs, Path(folder), given.only,
                                    cache=given.cache)
    for mutant in survivors:
        print(f"survived: {mutant}")
    print(table(scores))
    killed, counted = score(sum(scores.values(), Counter()))
    return 0 if 100 * killed >= given.least * counted else 1


if __name__ == "__main__":
    sys.exit(main())
