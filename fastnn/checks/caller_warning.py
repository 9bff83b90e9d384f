"""Warnings that name the caller's line: the first one outside of the package, however deep inside it they arise."""

import contextlib
import os
import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1]) + os.sep  # a script beside the package may be called fastnn_….py
WITHIN = PACKAGE, contextlib.__file__  # which calls some of it


def warn_caller(message, category=UserWarning):
    """Warn, as of the line by which the package was called."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(WITHIN):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
