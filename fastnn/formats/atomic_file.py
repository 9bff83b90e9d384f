"""Atomic writes: a file is replaced completely or not at all, whatever stops the program.

The bytes are written to a temporary file beside the target and flushed to the disk (fsync); then the file is renamed to the
target, and the directory is flushed too. Any failure raises an exception. Before the rename the target is unchanged, after
it the target is the new file.

A program that is killed leaves its temporary file behind, and the next save to the same target removes such files. The file
of a save that is still running, in another process or thread, is recognized by its lock, which the system releases when the
writer ends. Where there are no such locks (Windows, some network drives), only files that are at least a day old are
removed.
"""

import errno
import hashlib
import os
import secrets
import stat
import time
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PIECE = 2**24  # bytes written in one call
ABANDONED = 86400  # seconds after which a temporary file without a lock is removed
POSIX = os.name == "posix"


def write_whole(path, chunks, *, durable=True, mode=None):
    """Write the chunks (bytes) as the file at `path`, atomically.

    durable: whether it survives a power failure. mode: its permissions; default those of the file it replaces, if any.
    """
    path = os.path.realpath(path)  # a symbolic link is kept and its target is replaced
    there = mode_of(path)
    mode = there if mode is None else mode
    if not (durable and POSIX):
        put_in_place(path, chunks, durable, mode)
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        put_in_place(path, chunks, durable, mode)
        sync(folder)
    finally:
        os.close(folder)


def put_in_place(path, chunks, durable, mode):
    """Write a temporary file and rename it."""
    remove_abandoned(path)
    file = temporary_file(path)
    try:
        for chunk in chunks:
            write(file.fileno(), chunk)
        if mode is not None:
            os.chmod(file.name, mode)
        if durable:
            os.fsync(file.fileno())
        if not POSIX:
            file.close()  # Windows cannot rename open files
        os.replace(file.name, path)
    except BaseException:
        file.close()
        with suppress(OSError):
            os.unlink(file.name)
        raise
    file.close()  # releases the lock; the temporary file no longer exists


def mode_of(path):
    """Return the permissions of the file to replace, None if there is none; raise an error if `path` cannot be written."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no directory {folder} to save into; make it first, or save elsewhere")
    try:
        found = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(f"{path} is a directory; give the name of a file in it")
    if not stat.S_ISREG(found):
        raise FileExistsError(f"{path} is a device or a pipe, which saving would replace; give the name of a file")
    return found & 0o777  # without set-user-ID, because the new file may have another owner


def sync(folder):
    """Flush an open folder to the disk, so that a rename survives a power failure."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # raised by file systems without this operation
            raise


def write(handle, chunk):
    """Write the whole chunk: a single call may write less than requested."""
    rest = memoryview(chunk)
    while len(rest):
        rest = rest[os.write(handle, rest[:PIECE]):]


def prefix(path):
    """Return the beginning of the names of the temporary files for this target."""
    return f".fastnn-{hashlib.sha256(os.fsencode(os.path.basename(path))).hexdigest()[:16]}-"


def temporary_file(path):
    """Create a new file beside the target, locked."""
    while True:
        file = open(os.path.join(os.path.dirname(path), f"{prefix(path)}{secrets.token_hex(8)}.tmp"), "xb", buffering=0)
        # before the lock, another save may have removed it as abandoned
        if lock(file.fileno()) is not False and os.path.exists(file.name):
            return file
        file.close()


def lock(handle):
    """Return whether an open file could be locked; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def remove_abandoned(path):
    """Remove temporary files that incomplete saves to this target left. A failure does not prevent saving."""
    start = prefix(path)
    with suppress(OSError), os.scandir(os.path.dirname(path)) as entries:
        for entry in entries:
            if entry.name.startswith(start) and entry.name.endswith(".tmp"):
                with suppress(OSError):
                    remove_if_abandoned(entry.path)


def remove_if_abandoned(path):
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        locked = lock(handle)
        old = time.time() - os.fstat(handle).st_mtime > ABANDONED
        if locked and POSIX:
            os.unlink(path)
    finally:
        os.close(handle)
    if locked is None and old:
        os.unlink(path)
