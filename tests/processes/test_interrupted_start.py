"""After Ctrl-C during the import or while kernels compile or load, a process gives the results of a new one.

FASTNN_TEST_SEED and FASTNN_TEST_CASES set the moments and, in the long forms, how many there are of them.
"""

import os
import random
import signal
import subprocess
import sys
import time

import numba
import pytest
from child import SUPPORT, python

from fastnn.kernels.processor import undisturbed

SEED, CASES = int(os.environ.get("FASTNN_TEST_SEED", "0")), int(os.environ.get("FASTNN_TEST_CASES", "30"))
PLACES = {"place": 15_000, "module": 4_500}  # approximate numbers of places in an import

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process on Windows"),
              pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")]


def lines(script, *arguments, **environment):
    return python(script, *arguments, **environment).stdout.splitlines()


@pytest.fixture(scope="module")
def results_digest():
    """Return the digest of a process that was not interrupted."""
    return lines("process_state.py")[-1]


@pytest.fixture(scope="module")
def fitted():
    """Return the digest of a fit that was not interrupted."""
    (word, *digests) = lines("interrupted_compile.py")
    assert word == "not interrupted"
    assert len(set(digests)) == 1
    return digests[0]


def test_main_thread_does_not_compile_or_import_foreign_modules():
    assert lines("in_main_thread.py") == []


def moment(how, moments):
    return moments.uniform(0.01, 1) if how == "seconds" else moments.randint(1, PLACES[how])


@pytest.mark.parametrize("how", ["place", "module", "seconds"])
def test_interrupted_import(how, results_digest):
    moments = random.Random(f"{SEED} {how}")
    assert lines("interrupted_import.py", how, moment(how, moments))[-1] == results_digest


@pytest.mark.parametrize("module", ["sklearn.utils.validation", *(pytest.param(name, marks=pytest.mark.long) for name in (
    "numpy", "numba.core.ccallback", "scipy.sparse", "scipy.stats", "sklearn.metrics", "sklearn.model_selection"))])
def test_interrupted_import_of_scikit_learn(module):
    """SciPy and scikit-learn cannot be imported again after an exception within, so a separate thread imports them."""
    pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")
    interrupted, name, in_main_thread = lines("interrupted_sklearn.py", module)
    assert (interrupted, name) == ("interrupted", "NetworkClassifier")
    assert {*in_main_thread.split()} == {"sklearn"}  # looks whether it is installed


@pytest.mark.long
@pytest.mark.parametrize("how", ["place", "module", "seconds"])
def test_import_interrupted_at_many_moments(how, results_digest):
    moments = random.Random(SEED)
    for _ in range(CASES):
        assert lines("interrupted_import.py", how, number := moment(how, moments))[-1] == results_digest, number


def is_interrupted(fitted, *pauses, **environment):
    interrupted, *digests = lines("interrupted_compile.py", *pauses, **environment)
    assert digests == [fitted, fitted], pauses
    return interrupted == "interrupted"


def test_interrupted_loading_of_kernels(fitted):
    moments = random.Random(SEED)
    for _ in range(2):
        is_interrupted(fitted, moments.uniform(0, 0.2), moments.uniform(0, 0.05))


def test_interrupted_compilation_of_kernels(fitted, tmp_path):
    moments = random.Random(SEED)
    assert is_interrupted(fitted, moments.uniform(0.5, 1.5), moments.uniform(0, 0.3), FASTNN_CACHE_DIR=str(tmp_path))


@pytest.mark.long
def test_kernels_interrupted_at_many_moments(fitted, tmp_path):
    moments = random.Random(SEED)
    for number in range(CASES):
        cold = {"FASTNN_CACHE_DIR": str(tmp_path / str(number)), "FASTNN_COMPILERS": "1"}
        is_interrupted(fitted, *(moments.uniform(0, 4) for _ in range(moments.randint(1, 3))), **cold)
        is_interrupted(fitted, *(moments.uniform(0, 0.2) for _ in range(moments.randint(1, 3))))


@pytest.mark.parametrize("pauses", [(0.8,), (0.8, 0.05)])
def test_process_ends_while_a_kernel_compiles(pauses, tmp_path):
    """The process does not crash at its end."""
    program = ("import threading, interrupted_compile as s; "
               f"threading.Thread(target=s.send, args=({pauses},), daemon=True).start(); s.fit()")
    run = subprocess.run([sys.executable, "-c", program], cwd=SUPPORT, capture_output=True, text=True, timeout=3600,
                         env={**os.environ, "FASTNN_CACHE_DIR": str(tmp_path), "FASTNN_COMPILERS": "1"})
    assert run.returncode in (1, 130, -2), (run.returncode, run.stderr)
    assert "KeyboardInterrupt" in run.stderr


def test_a_fork_waits_for_compilation_even_if_the_wait_is_interrupted():
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    task = undisturbed.Task(time.sleep, (1.0,))
    task.thread.start()
    while task not in undisturbed.running:
        time.sleep(0.001)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            undisturbed.before_fork()
        assert task.ended
    finally:
        signal.signal(signal.SIGALRM, before)
