"""A Python process of its own: its environment, what it prints, and its errors as those of the test."""

import os
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).parent


def python(*arguments, cwd=None, **environment):
    """Run `python ARGUMENTS`, with these variables beside those of this process; return the process, which has ended well.

    cwd: its folder, whose modules it imports; by default this one.
    """
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd or SUPPORT, capture_output=True, text=True,
                          env={**os.environ, **{name: str(value) for name, value in environment.items()}})
    assert done.returncode == 0, done.stderr
    return done
