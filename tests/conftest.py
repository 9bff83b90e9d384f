"""What several test files share."""

import os
import signal
import sys
from pathlib import Path

import pytest
from many_parts import many_parts

__all__ = ["many_parts"]


def pytest_xdist_auto_num_workers(config):
    """No workers for a part of the tests, unless `-n` asks for them: to start them takes longer than most files."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    asked = any(argument.startswith(("-n", "--numprocesses")) for argument in config.invocation_params.args)
    return None if whole or asked else 0  # None: as many as there are cores


# Processes that tests start import what tests import.
SUPPORT = str(Path(__file__).parent / "support")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(path for path in sys.path if path.startswith(SUPPORT)), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
