"""What several test files share."""

import os
import signal
import sys
from pathlib import Path

from many_parts import many_parts

__all__ = ["many_parts"]

# Processes that tests start import what tests import.
SUPPORT = str(Path(__file__).parent / "support")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(path for path in sys.path if path.startswith(SUPPORT)), *filter(None, [os.environ.get("PYTHONPATH")])])

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
