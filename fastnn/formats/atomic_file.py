"""Files put in place whole or not at all, whatever stops the program on the way.

The bytes go to a temporary file beside the target, from there to the disk (fsync), and take the target's place in one step
(rename). Then the directory is brought to the disk as well. Whatever fails on the way is raised; until the rename the target
is as it was, from then on it is the new one.

A program that is killed leaves its temporary file behind, so the next save to the same target takes such files away. That of
a save that is still at work, in another process or thread, is told by its lock, which the system lifts when the writer dies.
Where there are no such locks (Windows, some network drives) only what is a day old is taken away.
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
ABANDONED = 86400  # seconds
POSIX = os.name == "posix"


def write_whole(path, chunks, *, durable=True, mode=None):
    """Put the chunks (bytes), one after the other, in place as the file at `path`.

    durable: also should the power go. mode: its permissions; default those of the file it replaces, if there is one.
    """
    path = os.path.realpath(path)  # what a symbolic link points to is written, the link stays
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
            file.close()  # Windows renames no open file
        os.replace(file.name, path)
    except BaseException:
        file.close()
        with suppress(OSError):
            os.unlink(file.name)
        raise
    file.close()  # which gives the lock back: from here on there is no temporary file


def mode_of(path):
    """The permissions of what is there to be replaced, None if nothing is."""
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
    return found & 0o777  # not set-user-ID: the new file may have another owner


def sync(folder):
    """Bring an open folder to the disk: only then does a renamed file keep its name when the power goes."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what file systems say that have no such thing
            raise


def write(handle, chunk):
    """Write all of it: one call may write less than it is asked to."""
    rest = memoryview(chunk)
    while len(rest):
        rest = rest[os.write(handle, rest[:PIECE]):]


def prefix(path):
    """What the names of the temporary files of this target begin with."""
    return f".fastnn-{hashlib.sha256(os.fsencode(os.path.basename(path))).hexdigest()[:16]}-"


def temporary_file(path):
    """A new file beside the target, locked."""
    while True:
        file = open(os.path.join(os.path.dirname(path), f"{prefix(path)}{secrets.token_hex(8)}.tmp"), "xb", buffering=0)
        # between its making and its locking another save may have taken it for abandoned
        if lock(file.fileno()) is not False and os.path.exists(file.name):
            return file
        file.close()


def lock(handle):
    """Whether an open file could be locked; None where there are no locks."""
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
    """Take away what saves to this target left that did not come to their end. That this fails is no reason not to save."""
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
