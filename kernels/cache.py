"""Compiled kernels on disk, in a directory keyed by everything that shapes their machine code.

Numba's own cache looks at one source file at a time and misses an edit in a file that a kernel imports. Here the key is
a fingerprint of all kernel sources, of Numba, of Python and of the processor, so a stale kernel cannot be loaded. A cache
that cannot be read or written costs a warning and a compilation, never an error.
"""

import hashlib
import os
import pickle
import sys
import tempfile
import warnings
from functools import cache, lru_cache
from pathlib import Path

import llvmlite
import numba
from numba.core import compiler
from numba.core.caching import _Cache
from numba.core.serialize import dumps

SOURCES = Path(__file__).parent


def user_cache_directory():
    """Where this system keeps the caches of a user."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@lru_cache(maxsize=1)
def fingerprint():
    """A digest of the kernel sources and of what compiles and runs them."""
    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        digest.update(str(source.relative_to(SOURCES)).encode())
        digest.update(source.read_bytes())
    codegen = numba.core.registry.cpu_target.target_context.codegen()
    # magic_tuple names the target triple, the processor and its features, so it follows NUMBA_CPU_NAME as well
    for part in (numba.__version__, llvmlite.__version__, sys.version, codegen.magic_tuple()):
        digest.update(repr(part).encode())
    return digest.hexdigest()[:20]


@lru_cache(maxsize=1)
def cache_directory():
    """The directory of this build's kernels: `FASTNN_CACHE_DIR`, else the user's cache directory."""
    root = os.environ.get("FASTNN_CACHE_DIR")
    return (Path(root) if root else user_cache_directory() / "fastnn") / fingerprint()


def can_be_written():
    """Whether kernels can be kept."""
    try:
        cache_directory().mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(cache_directory(), os.W_OK)


@cache
def warn_once(what):
    warnings.warn(
        f"fastnn: {what}. Kernels compile anew in each process; set FASTNN_CACHE_DIR to a directory that can be written.",
        RuntimeWarning,
        stacklevel=2,
    )


class KernelCache(_Cache):
    """Numba's cache interface over one file a kernel and signature, written whole or not at all."""

    def __init__(self, name):
        self.name = name

    cache_path = property(lambda self: str(cache_directory()))

    def path(self, signature):
        return cache_directory() / f"{self.name}-{hashlib.sha256(repr(signature).encode()).hexdigest()[:12]}.kernel"

    def holds(self, signature):
        """Whether a file is there."""
        return self.path(signature).exists()

    def load_overload(self, sig, target_context):
        target_context.refresh()
        try:
            digest, payload = self.path(sig).read_bytes().split(b"\n", 1)
            if digest != hashlib.sha256(payload).hexdigest().encode():
                raise ValueError("its checksum is wrong")
            return compiler.CompileResult._rebuild(target_context, *pickle.loads(payload))
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged entry of whatever kind is replaced by a fresh one
            warn_once(f"could not read the kernel cache {self.cache_path} ({error})")
            return None

    def save_overload(self, sig, data):
        if data.lifted or data.library.has_dynamic_globals:
            raise AssertionError(f"kernel {self.name} holds an address or a loop that cannot be cached")
        path = self.path(sig)
        try:
            payload = dumps(data._reduce())
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError as error:
            warn_once(f"could not write the kernel cache {self.cache_path} ({error})")

    def enable(self):
        pass

    def disable(self):
        pass

    def flush(self):
        pass
