"""Settings of all tests."""

import os
import signal
import sys
from pathlib import Path

import pytest
from many_parts import many_parts
from same_records import same_records_after

__all__ = ["many_parts", "same_records_after"]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run the whole suite on several cores if pytest-xdist is installed, and files that are named in one process.

    `-n` comes first: `-n 0` runs the whole suite in one process too.
    """
    options, cores = config.option, min(os.cpu_count() or 1, 4)
    if hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist comes by here as well: it must not start workers of its own, and they others
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if whole and cores > 1 and not options.usepdb and getattr(options, "numprocesses", 0) is None:
        options.numprocesses, options.dist = cores, "loadfile"


# Processes started by tests import the same modules.
SUPPORT = str(Path(__file__).parent / "support")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(path for path in sys.path if path.startswith(SUPPORT)), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell that runs the tests in the background makes them and their child processes ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
