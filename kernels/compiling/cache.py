"""Compiled kernels on disk, in a directory whose name is a fingerprint of everything that affects their machine code.

Numba's own cache checks one source file at a time and misses an edit in a file that a kernel imports. The fingerprint here
covers all kernel sources, Numba, Python and the processor, so a stale kernel cannot be loaded. A kernel that contains
anything from outside the package is not cached (`provenance.py`). If the cache cannot be read or written, a warning is
issued and the kernel is compiled.

    an entry     a SHA-256 in hexadecimal, a newline, a pickle with the machine code
    its SHA-256  of the fingerprint, the name of the entry and the pickle. Damage, and an entry stored under another name,
                 are detected before anything is unpickled.

Anyone who can write to the cache can run code as its reader. So an entry is read only if it and its directory belong to this
user or to the system (root) and nobody else can write to them.
"""

import hashlib
import os
import pickle
import stat
import sys
import warnings
from functools import lru_cache
from pathlib import Path

import llvmlite
import numba
import numpy as np
from numba.core import compiler
from numba.core.caching import _Cache
from numba.core.serialize import dumps

from ...formats.atomic_file import POSIX, write_whole
from ..processor.target import magic_tuple

SOURCES = Path(__file__).parents[1]  # all of fastnn.kernels
# Numba's settings, some from environment variables, that affect the machine code
SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT", "ENABLE_AVX")
warned = set()


def user_cache_directory():
    """Return the directory in which this system keeps the caches of a user."""
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:  # for example, a container whose user is not in /etc/passwd
        raise FileNotFoundError(f"this user has no home directory: {error}") from error


@lru_cache(maxsize=1)
def fingerprint():
    """Return a digest of the kernel sources and of the software and processor that compile and run them."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(str(source.relative_to(SOURCES)).encode())
        digest.update(source.read_bytes())
    # magic_tuple contains the target triple, the processor and its features, so it depends on NUMBA_CPU_NAME too
    settings = [getattr(numba.config, name, None) for name in SETTINGS]
    for part in (numba.__version__, llvmlite.__version__, np.__version__, sys.version, magic_tuple(), settings):
        digest.update(repr(part).encode())
    return digest.hexdigest()[:20]


@lru_cache(maxsize=1)
def cache_directory():
    """Return the directory of this build's kernels, in `FASTNN_CACHE_DIR` or the user's cache directory."""
    root = os.environ.get("FASTNN_CACHE_DIR")
    return (Path(root).absolute() if root else user_cache_directory() / "fastnn") / fingerprint()


def warn_once(what, error, outcome):
    """Warn once a process for each pair of `what` and `error`, for however many kernels it occurs."""
    if what not in warned:
        warned.add(what)
        warnings.warn(f"fastnn: {what} ({error}). {outcome}", RuntimeWarning, stacklevel=2)


def warn_no_cache(doing, error):
    warn_once(f"could not {doing} the kernel cache", error,
              "Kernels compile anew in each process; set FASTNN_CACHE_DIR to a directory of your own that can be written.")


def check_owner(handle, path):
    """Refuse a file that another user could have written. On Windows a user's own folders are closed to others."""
    if not POSIX:
        return
    found = os.fstat(handle)
    if found.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{path} belongs to another user, who could have put anything there")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} can be written by other users, who could have put anything there")


def read_entry(path):
    """Return the bytes of an entry that no other user can have written."""
    if not POSIX:
        return path.read_bytes()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        check_owner(folder, path.parent)
        # opened by name within the open directory, because the path may point elsewhere by now
        with open(path.name, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)) as file:
            check_owner(file.fileno(), path)
            return file.read()
    finally:
        os.close(folder)


def make_private_directory(directory):
    """Make a directory that no other user can write to; raise an error if an existing one can be."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o755, exist_ok=True)
    if POSIX:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            check_owner(folder, directory)
        finally:
            os.close(folder)


def is_writable():
    """Return whether kernels can be cached."""
    try:
        make_private_directory(cache_directory())
    except OSError:
        return False
    return os.access(cache_directory(), os.W_OK)


def write_entry(path, entry):
    """Write an entry, whole or not at all, to a directory that no other user can write to."""
    make_private_directory(path.parent)
    write_whole(path, [entry], durable=False, mode=0o644)  # its checksum detects damage by a power failure


def digest(path, payload):
    """Return the digest that an entry begins with."""
    return hashlib.sha256(f"{path.parent.name}/{path.name}\n".encode() + payload).hexdigest().encode()


def read_payload(path):
    """Return the pickle in an entry; raise ValueError if it is damaged."""
    found, payload = read_entry(path).split(b"\n", 1)
    if found != digest(path, payload):
        raise ValueError("its checksum is wrong")
    return payload


class KernelCache(_Cache):
    """Numba's cache interface over one file for each kernel and signature, written atomically.

    given: the digest of the objects that the kernel was made from (`provenance.objects_digest`).
    """

    def __init__(self, name, given=""):
        self.name, self.given = name, given
        self.unread = None  # why an entry could not be read

    cache_path = property(lambda self: str(cache_directory()))

    def path(self, signature):
        key = hashlib.sha256(repr((signature, self.given)).encode()).hexdigest()[:12]
        return cache_directory() / f"{self.name}-{key}.kernel"

    def contains(self, signature):
        """Return whether there is a file for the signature."""
        try:
            return self.path(signature).exists()
        except OSError:
            return False

    def load_overload(self, sig, target_context):
        target_context.refresh()
        try:
            return compiler.CompileResult._rebuild(target_context, *pickle.loads(read_payload(self.path(sig))))
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever the damage, a new entry replaces it
            self.unread = error
            return None

    def save_overload(self, sig, data):
        if data.lifted or data.library.has_dynamic_globals:
            raise AssertionError(f"kernel {self.name} holds an address or a loop that cannot be cached")
        try:
            path, payload = self.path(sig), dumps(data._reduce())
            write_entry(path, digest(path, payload) + b"\n" + payload)
        except OSError as error:
            warn_no_cache("write", error)
            return
        if self.unread is not None:
            self.warn_unreadable(path)

    def warn_unreadable(self, path):
        """Warn that an entry could not be read and has been written again."""
        try:
            read_payload(path)
        except (OSError, ValueError):
            warn_no_cache("read", self.unread)
        else:
            warn_once("could not read an entry of the kernel cache", self.unread, "The kernel was compiled again, and the "
                      "entry is replaced: later processes find it.")

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        pass
