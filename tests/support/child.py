"""Child Python processes: their environment, their output, and their errors as those of the test."""

import os
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).parent


def python(*arguments, cwd=None, **environment):
    """Run `python ARGUMENTS` with these environment variables; return the process after checking that it succeeded.

    cwd: its working folder, from which it imports modules; default the current one.
    """
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd or SUPPORT, capture_output=True, text=True,
                          env={**os.environ, **{name: str(value) for name, value in environment.items()}})
    assert done.returncode == 0, done.stderr
    return done
