"""Compiled kernels on disk, in a directory keyed by everything that shapes their machine code.

Numba's own cache looks at one source file at a time and misses an edit in a file that a kernel imports. Here the key is
a fingerprint of all kernel sources, of Numba, of Python and of the processor, so a stale kernel cannot be loaded. A kernel
with anything in it from outside the package is not kept (`provenance.py`). A cache that cannot be read or written costs a
warning and a compilation, never an error.

    an entry     a SHA-256 in hexadecimal, a line end, a pickle with the machine code
    its SHA-256  of the fingerprint, the entry's name and the pickle: damage, and an entry that has come to stand under the
                 name of another, are told before anything is unpickled

Whoever can write here can run code as whoever reads. So an entry is read, through the directory that was looked at, only
where both belong to this user or to the system's (root), and no other may write to them.
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

SOURCES = Path(__file__).parents[1]  # all of fastnn.kernels
# what of Numba's settings, which the environment may change, shapes machine code
SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT", "ENABLE_AVX")
warned = set()


def user_cache_directory():
    """Where this system keeps the caches of a user."""
    try:
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:  # as in a container whose user is not in its list of users
        raise FileNotFoundError(f"this user has no home directory: {error}") from error


@lru_cache(maxsize=1)
def fingerprint():
    """A digest of the kernel sources and of what compiles and runs them."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(str(source.relative_to(SOURCES)).encode())
        digest.update(source.read_bytes())
    codegen = numba.core.registry.cpu_target.target_context.codegen()
    # magic_tuple names the target triple, the processor and its features, so it follows NUMBA_CPU_NAME as well
    settings = [getattr(numba.config, name, None) for name in SETTINGS]
    for part in (numba.__version__, llvmlite.__version__, np.__version__, sys.version, codegen.magic_tuple(), settings):
        digest.update(repr(part).encode())
    return digest.hexdigest()[:20]


@lru_cache(maxsize=1)
def cache_directory():
    """The directory of this build's kernels: `FASTNN_CACHE_DIR`, else the user's cache directory."""
    root = os.environ.get("FASTNN_CACHE_DIR")
    return (Path(root).absolute() if root else user_cache_directory() / "fastnn") / fingerprint()


def warn_once(what, error, outcome):
    """Once a process for each of these, however many kernels it happens with."""
    if what not in warned:
        warned.add(what)
        warnings.warn(f"fastnn: {what} ({error}). {outcome}", RuntimeWarning, stacklevel=2)


def warn_of_no_cache(doing, error):
    warn_once(f"could not {doing} the kernel cache", error,
              "Kernels compile anew in each process; set FASTNN_CACHE_DIR to a directory of your own that can be written.")


def check_owner(handle, path):
    """Refuse what another user may have written; on Windows the user's own folders are closed to others."""
    if not POSIX:
        return
    found = os.fstat(handle)
    if found.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{path} belongs to another user, who could have put anything there")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{path} can be written by other users, who could have put anything there")


def read_entry(path):
    """The bytes of an entry that no other user can have written."""
    if not POSIX:
        return path.read_bytes()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        check_owner(folder, path.parent)
        # by its name within the folder that is open: the path may lead elsewhere by now
        with open(path.name, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)) as file:
            check_owner(file.fileno(), path)
            return file.read()
    finally:
        os.close(folder)


def own(directory):
    """Make a directory that no other user can write to; an error if there is one that is not so."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o755, exist_ok=True)
    if POSIX:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            check_owner(folder, directory)
        finally:
            os.close(folder)


def can_be_written():
    """Whether kernels can be kept."""
    try:
        own(cache_directory())
    except OSError:
        return False
    return os.access(cache_directory(), os.W_OK)


def write_entry(path, entry):
    """Write an entry, whole or not at all, to a directory that no other user can write to."""
    own(path.parent)
    write_whole(path, [entry], durable=False, mode=0o644)  # what a loss of power does to it, its checksum tells


def digest(path, payload):
    """What an entry begins with."""
    return hashlib.sha256(f"{path.parent.name}/{path.name}\n".encode() + payload).hexdigest().encode()


def read_payload(path):
    """The pickle in an entry; ValueError if it is damaged."""
    found, payload = read_entry(path).split(b"\n", 1)
    if found != digest(path, payload):
        raise ValueError("its checksum is wrong")
    return payload


class KernelCache(_Cache):
    """Numba's cache interface over one file a kernel and signature, written whole or not at all.

    given: a digest of what the kernel was given when it was made (`provenance.made_of`).
    """

    def __init__(self, name, given=""):
        self.name, self.given = name, given
        self.unread = None  # why an entry could not be read

    cache_path = property(lambda self: str(cache_directory()))

    def path(self, signature):
        key = hashlib.sha256(repr((signature, self.given)).encode()).hexdigest()[:12]
        return cache_directory() / f"{self.name}-{key}.kernel"

    def holds(self, signature):
        """Whether a file is there."""
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
        except Exception as error:  # a damaged entry of whatever kind is replaced by a fresh one
            self.unread = error
            return None

    def save_overload(self, sig, data):
        if data.lifted or data.library.has_dynamic_globals:
            raise AssertionError(f"kernel {self.name} holds an address or a loop that cannot be cached")
        try:
            path, payload = self.path(sig), dumps(data._reduce())
            write_entry(path, digest(path, payload) + b"\n" + payload)
        except OSError as error:
            warn_of_no_cache("write", error)
            return
        if self.unread is not None:
            self.warn_of_unread(path)

    def warn_of_unread(self, path):
        """Say what became of an entry that could not be read, and has been written again."""
        try:
            read_payload(path)
        except (OSError, ValueError):
            warn_of_no_cache("read", self.unread)
        else:
            warn_once("could not read an entry of the kernel cache", self.unread, "The kernel was compiled again, and the "
                      "entry is replaced: later processes find it.")

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        pass
