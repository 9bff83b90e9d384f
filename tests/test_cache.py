"""The kernel cache: it saves compiling again, never hands out a stale kernel, and never stands in the way.

The kernel that looks for NaN stands for all of them: it is the smallest.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

from fastnn.kernels import cache, finite
from fastnn.kernels.jit import Kernel

USE = """
import sys, warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from fastnn.kernels.finite import all_finite
    assert all_finite(np.ones(3)) and not all_finite(np.array([1.0, np.nan]))
print(*[f"{w.category.__name__}: {w.message}" for w in caught], sep="\\n")
"""


def start(directory):
    """A process that uses the kernel with a cache in `directory`."""
    environment = {**os.environ, "FASTNN_CACHE_DIR": str(directory)}
    return subprocess.Popen([sys.executable, "-c", USE], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def warnings_of(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip()


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty cache for this process."""
    use(tmp_path / "cache", monkeypatch)
    yield cache.cache_directory()
    cache.cache_directory.cache_clear()


def use(path, monkeypatch):
    monkeypatch.setenv("FASTNN_CACHE_DIR", str(path))
    cache.cache_directory.cache_clear()
    cache.warned.clear()


def fresh():
    """The kernel as a new process has it: to be loaded from the cache, or compiled."""
    return Kernel("finite_again", finite.build, finite.kernel.arguments)


def works(kernel):
    found = np.zeros(1, np.int64)
    kernel("float64", found, np.array([1.0, np.nan, np.inf]), 3)
    return found[0] == 2


def test_a_kernel_is_compiled_once(directory, monkeypatch):
    compiled = []
    monkeypatch.setattr(cache.KernelCache, "save_overload", recording(cache.KernelCache.save_overload, compiled))
    assert works(fresh())
    assert works(fresh())
    assert len(compiled) == 1
    assert len(list(directory.iterdir())) == 1


def recording(method, calls):
    def call(self, *arguments):
        calls.append(arguments)
        return method(self, *arguments)

    return call


def damage(kind, payload):
    return {"empty": b"", "cut": payload[:len(payload) // 2], "of another program": b"hello",
            "no line": payload.replace(b"\n", b""),
            "a bit flipped": payload[:300] + bytes([payload[300] ^ 1]) + payload[301:],
            "not a kernel": checked(b"not a pickle")}[kind]


def checked(payload):
    return hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


@pytest.mark.parametrize("kind", ["empty", "cut", "of another program", "no line", "a bit flipped", "not a kernel"])
def test_a_damaged_entry_is_a_warning_and_is_replaced(directory, kind):
    assert works(fresh())
    [entry] = directory.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(kind, whole))
    with pytest.warns(RuntimeWarning, match="could not read the kernel cache"):
        assert works(fresh())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert works(fresh())
    assert [path.name for path in directory.iterdir()] == [entry.name]


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch, directory):
    (tmp_path / "file").write_text("in the way")
    use(tmp_path / "file" / "cache", monkeypatch)
    with pytest.warns(RuntimeWarning, match="FASTNN_CACHE_DIR") as caught:
        assert works(fresh())
    assert all("kernel cache" in str(warning.message) for warning in caught)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once is enough
        assert works(fresh())


def test_a_full_disk_is_a_warning_and_leaves_nothing(directory, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.warns(RuntimeWarning, match="No space left"):
        assert works(fresh())
    assert list(directory.iterdir()) == []


def test_processes_that_start_at_once(tmp_path):
    assert [warnings_of(process) for process in [start(tmp_path), start(tmp_path)]] == ["", ""]
    [directory] = tmp_path.iterdir()
    assert len(list(directory.glob("count_not_finite*.kernel"))) == 1
    assert not [path for path in directory.iterdir() if path.suffix != ".kernel"]


def test_a_process_with_no_place_to_write(tmp_path):
    (tmp_path / "file").write_text("in the way")
    message = warnings_of(start(tmp_path / "file" / "cache"))
    assert message.startswith("RuntimeWarning: fastnn: could not")
    assert "FASTNN_CACHE_DIR" in message
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of the kernel sources that may be edited."""
    shutil.copytree(cache.SOURCES, tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cache, "SOURCES", tmp_path / "kernels")
    cache.fingerprint.cache_clear()
    yield tmp_path / "kernels"
    cache.fingerprint.cache_clear()


def fingerprint():
    cache.fingerprint.cache_clear()
    return cache.fingerprint()


def test_the_fingerprint_follows_the_sources(sources):
    before = fingerprint()
    assert fingerprint() == before
    for edited in (sources / "finite.py", sources / "activations" / "tanh.py"):
        text = edited.read_text(encoding="utf-8")
        edited.write_text(text + "\n", encoding="utf-8")
        assert fingerprint() != before
        edited.write_text(text, encoding="utf-8")
        assert fingerprint() == before
    (sources / "another.py").write_text("")
    assert fingerprint() != before
    (sources / "another.py").unlink()
    (sources / "finite.py").rename(sources / "infinite.py")
    assert fingerprint() != before


@pytest.mark.parametrize("what", ["numba.__version__", "llvmlite.__version__", "sys.version"])
def test_the_fingerprint_follows_what_compiles(sources, monkeypatch, what):
    before = fingerprint()
    monkeypatch.setattr(f"fastnn.kernels.cache.{what}", "another")
    assert fingerprint() != before


def test_an_edit_is_another_directory(directory, sources):
    cache.cache_directory.cache_clear()
    (sources / "finite.py").write_text("# edited")
    cache.fingerprint.cache_clear()
    assert cache.cache_directory() != directory
    assert cache.cache_directory().parent == directory.parent


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.user_cache_directory() == tmp_path
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache.user_cache_directory() == tmp_path / "local"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.user_cache_directory().parts[-2:] == ("Library", "Caches")
