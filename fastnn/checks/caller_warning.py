"""Warnings that point to the caller's line: the innermost line outside the package."""

import contextlib
import os
import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1]) + os.sep  # with the separator, because a script may be called fastnn_….py
WITHIN = PACKAGE, contextlib.__file__  # contextlib calls some functions of the package


def warn_caller(message, category=UserWarning):
    """Issue a warning that points to the line that called the package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(WITHIN):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
