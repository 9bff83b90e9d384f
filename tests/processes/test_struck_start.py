"""Ctrl-C while a process imports the package, or its first kernels compile or load: it goes on as if nothing had been.

FASTNN_TEST_SEED and FASTNN_TEST_CASES set the moments and, in the long forms, how many there are of them.
"""

import os
import random
import subprocess
import sys

import numba
import pytest
from child import SUPPORT, python

SEED, CASES = int(os.environ.get("FASTNN_TEST_SEED", "0")), int(os.environ.get("FASTNN_TEST_CASES", "30"))
PLACES = {"place": 15_000, "module": 4_500}  # of Python code in an import, about

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process on Windows"),
              pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")]


def lines(script, *arguments, **environment):
    return python(script, *arguments, **environment).stdout.splitlines()


@pytest.fixture(scope="module")
def everything():
    """What a process makes that was not struck."""
    return lines("struck.py")[-1]


@pytest.fixture(scope="module")
def fitted():
    """What a fit comes to that was not struck."""
    (word, *digests) = lines("struck_compile.py")
    assert word == "not struck"
    assert len(set(digests)) == 1
    return digests[0]


def test_the_main_thread_neither_compiles_nor_imports_what_cannot_be_imported_twice():
    assert lines("in_main_thread.py") == []


def moment(how, moments):
    return moments.uniform(0.01, 1) if how == "seconds" else moments.randint(1, PLACES[how])


@pytest.mark.parametrize("how", ["place", "module", "seconds"])
def test_an_import_that_was_struck(how, everything):
    moments = random.Random(f"{SEED} {how}")
    for _ in range(2):
        assert lines("struck_import.py", how, moment(how, moments))[-1] == everything


@pytest.mark.long
@pytest.mark.parametrize("how", ["place", "module", "seconds"])
def test_an_import_that_was_struck_at_many_moments(how, everything):
    moments = random.Random(SEED)
    for _ in range(CASES):
        assert lines("struck_import.py", how, number := moment(how, moments))[-1] == everything, number


def struck_compiling(fitted, *pauses, **environment):
    struck, *digests = lines("struck_compile.py", *pauses, **environment)
    assert digests == [fitted, fitted], pauses
    return struck == "struck"


def test_kernels_that_were_struck_as_they_loaded(fitted):
    moments = random.Random(SEED)
    for _ in range(3):
        struck_compiling(fitted, moments.uniform(0, 0.2), moments.uniform(0, 0.05))


def test_kernels_that_were_struck_as_they_compiled(fitted, tmp_path):
    moments = random.Random(SEED)
    assert struck_compiling(fitted, moments.uniform(0.5, 1.5), moments.uniform(0, 0.3), FASTNN_CACHE_DIR=str(tmp_path))


@pytest.mark.long
def test_kernels_that_were_struck_at_many_moments(fitted, tmp_path):
    moments = random.Random(SEED)
    for number in range(CASES):
        cold = {"FASTNN_CACHE_DIR": str(tmp_path / str(number)), "FASTNN_COMPILERS": "1"}
        struck_compiling(fitted, *(moments.uniform(0, 4) for _ in range(moments.randint(1, 3))), **cold)
        struck_compiling(fitted, *(moments.uniform(0, 0.2) for _ in range(moments.randint(1, 3))))


@pytest.mark.parametrize("pauses", [(0.8,), (0.8, 0.05)])
def test_a_process_that_ends_while_a_kernel_compiles(pauses, tmp_path):
    """No crash as the process takes itself apart."""
    program = ("import threading, struck_compile as s; "
               f"threading.Thread(target=s.send, args=({pauses},), daemon=True).start(); s.fit()")
    run = subprocess.run([sys.executable, "-c", program], cwd=SUPPORT, capture_output=True, text=True, timeout=3600,
                         env={**os.environ, "FASTNN_CACHE_DIR": str(tmp_path), "FASTNN_COMPILERS": "1"})
    assert run.returncode in (1, 130, -2), (run.returncode, run.stderr)
    assert "KeyboardInterrupt" in run.stderr
