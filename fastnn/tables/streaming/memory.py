"""Whether a Parquet file is read as a whole or as a stream, by its size against the free memory."""

import os
from contextlib import suppress
from pathlib import Path

SHARE = 0.5  # of the free memory that a table and its features may take
UNKNOWN = 8 * 2**30  # bytes, where the system does not tell
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def free_memory():
    """Return the bytes of memory that programs may still take: the least of what the system and a container allow."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]))
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    for limit in LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(Path(limit).read_text()))
    return min(found, default=UNKNOWN)


def is_too_large(stream):
    """Return whether a file is better read as a stream."""
    return stream.estimated_bytes() > SHARE * free_memory()


def sized(count):
    """Return a number of bytes in words."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**28 else f"{count / 2**20:.0f} MiB"


def note_on(stream, asked):
    """Return a note that a file is streamed, with the reason. asked: whether by an option."""
    if asked:
        return "the file is read in parts, because --stream asks for it"
    return (f"the file is read in parts: as a whole it would take about {sized(stream.estimated_bytes())} of memory, and "
            f"{sized(free_memory())} are free; --stream no reads it as a whole")
