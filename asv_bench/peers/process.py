"""A library in its own process, which runs during all rounds and does one thing at a time on request.

So libraries share neither threads nor settings, the number of threads is set before anything is imported, and compiled or
warmed-up code stays so while others have their turn. A request and its answer are a line of JSON each.
"""

import json
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path

from .libraries import LIBRARIES, PRODUCT
from .nets import Net

SAMPLE = 1e-3  # seconds: what is quicker is repeated until it has taken so long
PATIENCE = 5.0  # seconds that a process has for ending by itself
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
                    "NUMBA_NUM_THREADS", "NPROC")  # the last one is XLA's


class PeerError(Exception):
    """A library could not do what was requested."""


def environment(threads):
    """Return the environment variables that a library reads on import: the number of threads, and to use the CPU."""
    here = str(Path(__file__).parent.parent)
    variables = dict.fromkeys(THREAD_VARIABLES, str(threads)) | {
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH")))),
    }
    if threads == 1:
        variables["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return os.environ | variables


class Process:
    """The requesting side. Leaving its `with` block ends the process."""

    def __init__(self, library, threads):
        command = [sys.executable, "-c", f"from {__name__} import serve; serve()", library.name, str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env=environment(threads))

    def ask(self, task, **arguments):
        """Return the result of a method of Session, or raise PeerError."""
        try:
            print(json.dumps([task, arguments]), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise PeerError("the process ended")
        result, error = json.loads(answer)
        if error:
            raise PeerError(error)
        return result

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


class Session:
    """The answering side: a library and its current net."""

    def __init__(self, library, threads):
        self.library, self.threads = library, threads

    def prepare(self, net, steps, bulk_rows):
        """Build a net, compile and warm up everything it needs, and check that it does the same as all others.

        Returns the fraction of its samples that are correct after an epoch.
        """
        import numpy as np

        net = Net(**net)
        rows = steps * net.batch
        X, y = net.data(max(rows, bulk_rows))
        self.steps, self.bulk_rows = steps, bulk_rows
        self.work = self.library.work(net, X[:rows], y[:rows], X[:bulk_rows], self.threads)
        train = self.work.epoch or (lambda: None)
        train()
        row, probabilities = np.asarray(self.work.one_row()), np.asarray(self.work.bulk())
        if probabilities.shape != (bulk_rows, net.sizes[-1]) or probabilities.dtype != np.float32:
            raise ValueError(f"predicts {probabilities.dtype} {probabilities.shape}")
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-4)
        np.testing.assert_allclose(row, probabilities[:1], rtol=1e-3, atol=1e-5)
        train()
        return float(np.mean(probabilities.argmax(axis=1) == y[:bulk_rows]))

    def measure(self, seconds):
        """Return the seconds of a training step, a single row and a row among many; and the number of busy cores.

        An epoch that is not measured comes first: what a process has given back while others had their turn, its memory and
        the caches, is not part of a step.
        """
        if self.work.epoch:
            self.work.epoch()
        wall, processor = time.perf_counter(), time.process_time()
        epoch = median_seconds(self.work.epoch, seconds) if self.work.epoch else math.nan
        cores = (time.process_time() - processor) / (time.perf_counter() - wall)
        return {
            "step": epoch / self.steps,
            "one_row": median_seconds(self.work.one_row, seconds / 2),
            "bulk": median_seconds(self.work.bulk, seconds / 2) / self.bulk_rows,
            "cores": cores,
        }

    def product(self, seconds):
        """Return the flops per second of a large matrix product."""
        return 2 * PRODUCT**3 / median_seconds(self._multiply, seconds)

    @cached_property
    def _multiply(self):
        import numpy as np

        multiply = self.library.product(*np.random.default_rng(0).random((2, PRODUCT, PRODUCT), np.float32), self.threads)
        multiply()
        return multiply


def median_seconds(function, seconds):
    """Return the median time of a call, over as many samples as there is time for, but at least one."""
    number = 1
    while (sample := timed(function, number)) < SAMPLE:
        number = max(number + 1, int(number * min(10, 1.2 * SAMPLE / max(sample, 1e-9))))
    samples = [sample]
    while sum(samples) < seconds:
        samples.append(timed(function, number))
    return statistics.median(samples) / number


def timed(function, number):
    calls = range(number)
    start = time.perf_counter()
    for _ in calls:
        function()
    return time.perf_counter() - start


def serve():
    """Run in the process: answer until there are no more requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks, whose end ends this one
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    name, threads = sys.argv[1:]
    session = Session(LIBRARIES[name], int(threads))
    for line in sys.stdin:
        task, arguments = json.loads(line)
        try:
            answer = getattr(session, task)(**arguments), None
        except Exception as error:
            answer = None, " ".join(f"{type(error).__name__}: {error}".split())[:200]
        print(json.dumps(answer), file=answers, flush=True)
