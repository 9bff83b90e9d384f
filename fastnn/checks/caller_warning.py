"""Warnings that point to the caller's line: the innermost line outside the package."""

import contextlib
import contextvars
import os
import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parents[1]) + os.sep  # with the separator, because a script may be called fastnn_….py
WITHIN = PACKAGE, contextlib.__file__  # contextlib calls some functions of the package
collecting = contextvars.ContextVar("collecting", default=None)  # the list of `collected`


def collected(work, *arguments, **options):
    """Return (work(*arguments, **options), messages): warnings of the package are collected, not issued.

    The list is set in a copy of the context. `warnings.catch_warnings` would change all threads of the process, and an
    exception at the wrong moment would leave it changed.
    """
    messages = []
    return contextvars.copy_context().run(within, messages, work, arguments, options), messages


def within(messages, work, arguments, options):
    collecting.set(messages)
    return work(*arguments, **options)


def warn_caller(message, category=UserWarning):
    """Issue a warning that points to the line that called the package."""
    if (messages := collecting.get()) is not None:
        messages.append(message)
        return
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(WITHIN):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
