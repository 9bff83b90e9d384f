"""Settings of all tests."""

import os
import signal
import sys
from pathlib import Path

import pytest
from many_parts import many_parts

__all__ = ["many_parts"]


def pytest_xdist_auto_num_workers(config):
    """Use no workers for some of the tests, unless `-n` is given: starting them takes longer than most files."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    asked = any(argument.startswith(("-n", "--numprocesses")) for argument in config.invocation_params.args)
    return None if whole or asked else 0  # None: as many as there are cores


# Processes started by tests import the same modules.
SUPPORT = str(Path(__file__).parent / "support")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(path for path in sys.path if path.startswith(SUPPORT)), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell that runs the tests in the background makes them and their child processes ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
