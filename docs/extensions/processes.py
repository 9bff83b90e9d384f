"""Runs functions of the extensions in processes of their own, at most one for each core at a time.

Each is forked from a process that has imported what most examples need, which takes seconds of a processor. Where a system
has no fork, each process imports it again.
"""

import multiprocessing
import os
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 600  # for one call
READING = threading.Lock()  # how a process ended can be read once: of two threads that read it, one would find nothing
SETTINGS = {}  # of the environment of a call, where they are not set yet
IMPORTED = ["fastnn", "fastnn.compiled", "fastnn.naive", "fastnn.onnx", "fastnn.plot", "fastnn.sklearn", "fastnn.tables",
            "fastnn.vectorized", "matplotlib.pyplot", "onnx", "pandas", "sklearn.datasets", "tqdm.auto"]


@cache
def context():
    os.environ["MPLBACKEND"] = "Agg"  # no window opens
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(IMPORTED)
    return forking


def entered(function, arguments, errors, settings):
    """Call a function with all that it writes to its terminal, and the error that it raises, in a file."""
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    file = os.open(errors, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        function(*arguments)
    except BaseException:
        Path(errors).write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(1)


def call(function, *arguments):
    """Call a function in another process; return how it failed, "" if it did not."""
    with TemporaryDirectory() as folder:
        errors = Path(folder) / "errors.txt"
        errors.touch()
        process = context().Process(target=entered, args=(function, arguments, str(errors), dict(SETTINGS)))
        with READING:
            process.start()  # also asks of all processes whether they have ended
        ended = wait([process.sentinel], SECONDS)
        with READING:
            if not ended:
                process.kill()
            process.join()
        if not ended:
            return f"it took more than {SECONDS} s"
        return (errors.read_text(encoding="utf-8") or f"exit status {process.exitcode}") if process.exitcode else ""


def side_by_side(calls):
    """Make calls, each of which waits for another process, as many at a time as there are cores."""
    SETTINGS["FASTNN_COMPILERS"] = "1"  # no core is free to compile for another
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda call: call(), calls))
