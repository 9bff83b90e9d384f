"""Disk faults on demand: a chosen system call of saving fails, or writes short."""

import errno
import fcntl
import os
from contextlib import contextmanager

from fastnn.formats import atomic_file as whole_file

CALLS = ("open", "write", "fsync", "replace", "chmod", "scandir", "unlink", "close")
FAULTS = {"no space": errno.ENOSPC, "I/O error": errno.EIO, "no permission": errno.EACCES, "short write": None,
          "short write, then no space": errno.ENOSPC}


class Disk:
    """Counts calls, and makes call number `at` fail by `fault`."""

    def __init__(self, at=None, fault=None):
        self.at, self.fault, self.calls = at, fault, []
        self.full = False

    def wrapped(self, name, function):
        def call(*arguments, **options):
            number = len(self.calls)
            self.calls.append(name)
            if number == self.at or (self.full and name == "write"):
                if name == "write" and self.fault.startswith("short") and not self.full:
                    self.full = self.fault != "short write"
                    return function(arguments[0], arguments[1][:max(1, len(arguments[1]) // 3)])
                if name == "close":
                    function(*arguments)  # a file is closed even when closing it reports an error
                if self.fault == "interrupt":
                    raise KeyboardInterrupt
                if FAULTS[self.fault] is not None:
                    raise OSError(FAULTS[self.fault], os.strerror(FAULTS[self.fault]))
            return function(*arguments, **options)

        return call


@contextmanager
def disk(monkeypatch, at=None, fault=None):
    """A context in which the system calls of saving go through a Disk."""
    made = Disk(at, fault)
    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, made.wrapped(name, getattr(os, name)))
        patch.setattr(whole_file, "open", made.wrapped("open", open), raising=False)
        patch.setattr(fcntl, "flock", made.wrapped("flock", fcntl.flock))
        yield made
