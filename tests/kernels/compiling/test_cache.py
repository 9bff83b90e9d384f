"""The kernel cache: it avoids compilation, never returns a stale kernel or one of another user, and never fails.

The kernel that looks for NaN stands for all of them, because it is the smallest.
"""

import os
import pickle
import random
import shutil
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import child
import numpy as np
import pytest
from patience import PATIENCE

from fastnn.kernels.compiling import cache, parallel_compile
from fastnn.kernels.compiling.jit import Kernel
from fastnn.kernels.elementwise import finite

USE = """
import sys, warnings
import numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from fastnn.kernels.elementwise.finite import all_finite
    assert all_finite(np.ones(3)) and not all_finite(np.array([1.0, np.nan]))
print(*[f"{w.category.__name__}: {w.message}" for w in caught], sep="\\n")
"""


def start(directory, before=""):
    """Start a process that uses the kernel with a cache in `directory`, and compiles it alone."""
    environment = {**os.environ, "FASTNN_CACHE_DIR": str(directory), "FASTNN_COMPILERS": "1"}
    return subprocess.Popen([sys.executable, "-c", before + USE], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def warnings_of(process):
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out.strip()


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Return an empty cache for this process."""
    use(tmp_path / "cache", monkeypatch)
    yield cache.cache_directory()
    cache.cache_directory.cache_clear()


def use(path, monkeypatch):
    monkeypatch.setenv("FASTNN_CACHE_DIR", str(path))
    cache.cache_directory.cache_clear()
    cache.warned.clear()


def fresh():
    """Return the kernel as in a new process: to be loaded from the cache, or compiled."""
    return Kernel("finite_again", finite.build, finite.kernel.arguments)


def works(kernel):
    found = np.zeros(1, np.int64)
    kernel("float64", found, np.array([1.0, np.nan, np.inf]), 3, np.array([1e300]))
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
        calls.append((self, *arguments))
        return method(self, *arguments)

    return call


def damage(kind, entry):
    whole = entry.read_bytes()
    return {"empty": b"", "cut": whole[:len(whole) // 2], "of another program": b"hello",
            "no line": whole.replace(b"\n", b""),
            "a bit flipped": whole[:300] + bytes([whole[300] ^ 1]) + whole[301:],
            "not a kernel": cache.digest(entry, b"not a pickle") + b"\n" + b"not a pickle",
            "of another version": cache.digest(Path("0123") / entry.name, whole[65:]) + whole[64:],
            "of another name": cache.digest(entry.with_name("another.kernel"), whole[65:]) + whole[64:],
            "a pickle by itself": pickle.dumps(NeverUnpickled())}[kind]


class NeverUnpickled:
    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize("kind", ["empty", "cut", "of another program", "no line", "a bit flipped", "not a kernel",
                                  "of another version", "of another name", "a pickle by itself"])
def test_a_damaged_entry_is_a_warning_and_is_replaced(directory, kind):
    assert works(fresh())
    [entry] = directory.iterdir()
    entry.write_bytes(damage(kind, entry))
    with pytest.warns(RuntimeWarning, match=r"could not read an entry .* is replaced: later processes find it") as caught:
        assert works(fresh())
    assert not any("in each process" in str(warning.message) for warning in caught)
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


posix = pytest.mark.skipif(os.name != "posix", reason="owners and permissions are POSIX's")
SEED = int(os.environ.get("FASTNN_SEED", 0))


def test_damage_is_told_before_anything_is_unpickled(directory, monkeypatch):
    """Truncations and flipped bits at random places, including all of the first line."""
    looked_up = []
    monkeypatch.setattr(cache.KernelCache, "load_overload", recording(cache.KernelCache.load_overload, looked_up))
    assert works(fresh())
    monkeypatch.undo()
    monkeypatch.setenv("FASTNN_CACHE_DIR", str(directory.parent))
    monkeypatch.setattr(cache.pickle, "loads", lambda payload: pytest.fail("it was unpickled"))
    [entry], rng = directory.iterdir(), random.Random(SEED)
    whole, (kernel_cache, *arguments) = entry.read_bytes(), looked_up[0]
    assert entry == kernel_cache.path(arguments[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for place in [*range(66), *(rng.randrange(len(whole)) for _ in range(200))]:
            flipped = whole[place] ^ (1 << rng.randrange(8))
            for damaged in (whole[:place], whole[:place] + bytes([flipped]) + whole[place + 1:]):
                entry.write_bytes(damaged)
                assert kernel_cache.load_overload(*arguments) is None


@pytest.mark.parametrize("call", ["open", "write", "replace", "chmod", "mkdir", "scandir"])
@pytest.mark.parametrize("number", [13, 28, 5], ids=os.strerror)
def test_a_disk_that_fails_is_a_warning_and_leaves_nothing(call, number, directory, monkeypatch):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert works(fresh())
        assert works(fresh())
    monkeypatch.undo()
    failed = [warning for warning in caught if "kernel cache" in str(warning.message)]
    assert len(failed) <= 2  # one for reading, one for writing, however many kernels there are
    assert failed or call == "scandir"
    assert not directory.exists() or all(path.suffix == ".kernel" for path in directory.iterdir())


def test_no_home(monkeypatch):
    """As in a container whose user is not in /etc/passwd: kernels are compiled and not cached."""
    def none(cls):
        raise RuntimeError("Could not determine home directory.")

    for name in ("FASTNN_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", classmethod(none))
    cache.cache_directory.cache_clear()
    cache.warned.clear()
    with pytest.warns(RuntimeWarning, match="no home directory"):
        assert works(fresh())
    assert not cache.is_writable()
    assert not cache.KernelCache("finite").contains(())


@pytest.fixture
def filled(directory, monkeypatch):
    """Return a cache with one kernel that must not be loaded."""
    assert works(fresh())
    monkeypatch.setattr(cache.pickle, "loads", lambda payload: pytest.fail("it was unpickled"))
    return directory


def distrusted(match):
    with pytest.warns(RuntimeWarning, match=match):
        assert works(fresh())


@posix
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777], ids=oct)
def test_a_cache_that_others_can_write_to_is_not_read(filled, mode):
    filled.chmod(mode)
    distrusted("can be written by other users")
    filled.chmod(0o755)
    [entry] = filled.iterdir()
    entry.chmod(0o666)
    cache.warned.clear()
    distrusted("can be written by other users")


@posix
def test_a_cache_of_another_user_is_not_read(filled, monkeypatch):
    if os.geteuid() == 0:
        [entry] = filled.iterdir()
        os.chown(entry, 12345, -1)
        distrusted("belongs to another user")
        os.chown(filled, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    cache.warned.clear()
    distrusted("belongs to another user")


@posix
def test_no_helpers_for_a_cache_that_is_not_trusted(filled):
    assert cache.is_writable()
    filled.chmod(0o777)
    assert not cache.is_writable()


@posix
def test_links_are_not_followed(filled):
    [entry] = filled.iterdir()
    entry.rename(filled.parent / "elsewhere")
    entry.symlink_to(filled.parent / "elsewhere")
    distrusted("could not read")
    entry.unlink()
    filled.rename(filled.parent / "folder")
    filled.symlink_to(filled.parent / "folder")
    cache.warned.clear()
    distrusted("could not")


@posix
def test_whoever_shares_the_group_cannot_write(directory):
    before = os.umask(0o000)
    try:
        assert works(fresh())
    finally:
        os.umask(before)
    [entry] = directory.iterdir()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
    assert stat.S_IMODE(entry.stat().st_mode) == 0o644


def test_a_directory_among_the_entries(directory):
    assert works(fresh())
    [entry] = directory.iterdir()
    entry.unlink()
    entry.mkdir()
    with pytest.warns(RuntimeWarning, match="kernel cache"):
        assert works(fresh())


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.long)])
def test_processes_that_start_at_once(count, tmp_path):
    """Several on an empty cache, then several on a damaged one: each computes correctly and leaves no temporary file."""
    assert [warnings_of(process) for process in [start(tmp_path) for _ in range(count)]] == [""] * count
    [directory] = tmp_path.iterdir()
    entries = list(directory.glob("count_beyond*.kernel"))
    assert len(entries) == 1
    assert not [path for path in directory.iterdir() if path.suffix != ".kernel"]
    for entry in directory.iterdir():
        entry.write_bytes(entry.read_bytes()[:-1])
    for process in [start(tmp_path) for _ in range(count - 1)]:
        assert warnings_of(process).count("\n") == 0  # at most one warning
    assert warnings_of(start(tmp_path)) == ""
    assert not [path for path in directory.iterdir() if path.suffix != ".kernel"]


@posix
def test_a_disk_that_is_really_full(tmp_path):
    """The system refuses: no file may have more than so many bytes."""
    out = warnings_of(start(tmp_path, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"))
    assert out.startswith("RuntimeWarning: fastnn: could not write the kernel cache")
    assert out.count("RuntimeWarning") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_process_with_no_place_to_write(tmp_path):
    (tmp_path / "file").write_text("in the way")
    message = warnings_of(start(tmp_path / "file" / "cache"))
    assert message.startswith("RuntimeWarning: fastnn: could not")
    assert "FASTNN_CACHE_DIR" in message
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Return a copy of the kernel sources that may be edited."""
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
    for edited in (sources / "elementwise" / "finite.py", sources / "activations" / "tanh.py"):
        text = edited.read_text(encoding="utf-8")
        edited.write_text(text + "\n", encoding="utf-8")
        assert fingerprint() != before
        edited.write_text(text, encoding="utf-8")
        assert fingerprint() == before
    (sources / "another.py").write_text("")
    assert fingerprint() != before
    (sources / "another.py").unlink()
    (sources / "elementwise" / "finite.py").rename(sources / "elementwise" / "infinite.py")
    assert fingerprint() != before


@pytest.mark.parametrize("what", ["numba.__version__", "llvmlite.__version__", "np.__version__", "sys.version",
                                  "numba.config.OPT", "numba.config.BOUNDSCHECK"])
def test_the_fingerprint_follows_what_compiles(sources, monkeypatch, what):
    before = fingerprint()
    monkeypatch.setattr(f"fastnn.kernels.compiling.cache.{what}", "another")
    assert fingerprint() != before


def test_an_edit_is_another_directory(directory, sources):
    cache.cache_directory.cache_clear()
    (sources / "elementwise" / "finite.py").write_text("# edited")
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


USED = """
import fastnn
from fastnn.datasets import spiral
from fastnn.kernels.compiling.jit import KERNELS
X, y = spiral()
net = fastnn.Network([fastnn.Dense(64, "relu"), fastnn.Dense(64, "relu"), fastnn.Dense(3, "softmax")], inputs=2)
net.fit(X, y, threads=1)
print(*(kernel.name for kernel in KERNELS.values() if kernel.compiled))
"""


def test_every_kernel_is_known():
    names = {kernel.name for kernel in parallel_compile.every_kernel()}
    assert {"train", "dense_forward", "relu_forward", "adam_update", "embedded_forward", "serve"} < names


def test_the_usual_kernels_are_those_of_a_dense_net():
    assert set(child.python("-c", USED).stdout.split()) == set(parallel_compile.USUAL)


def test_helpers_compile_into_the_cache(directory, monkeypatch):
    monkeypatch.setenv("FASTNN_COMPILERS", "3")
    names = "count_beyond", "relu_forward", "shuffle", "transpose"
    parallel_compile.compile_in_parallel("float64", names)
    deadline = time.monotonic() + PATIENCE
    while {path.name.rpartition("_")[0] for path in directory.glob("*.kernel")} != set(names):
        assert time.monotonic() < deadline, sorted(directory.iterdir())
        time.sleep(0.05)


@pytest.mark.parametrize("alone", ["by wish", "no room"])
def test_none_are_called_in_vain(alone, directory, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)  # an error if it is called
    monkeypatch.setenv("FASTNN_COMPILERS", "1" if alone == "by wish" else "2")
    if alone == "no room":
        directory.parent.mkdir(parents=True)
        directory.write_text("a file where the directory is to be")
    parallel_compile.compile_in_parallel("float64", ("shuffle", alone))


def test_whose_parent_is_gone_stops(directory):
    parallel_compile.compile_share("float64", ("shuffle",), 0, 1, parent=0)
    assert not directory.exists()


PRODUCTS = """
import hashlib, sys
import numpy as np
from fastnn import compiled
for dtype in sys.argv[1:]:
    rng = np.random.default_rng(0)
    x, weight, dz = (rng.normal(size=shape).astype(dtype) for shape in ((301, 33), (33, 499), (301, 499)))
    print(*(hashlib.sha256(gradient.tobytes()).hexdigest() for gradient in compiled.linear_backward(dz, x, weight)))
"""


def test_kernels_that_several_processes_compiled_work_together(tmp_path):
    """No two functions have the same symbol, although each process counts the functions that it compiles from one.

    The kernels of the products consist of more functions than any others.
    """
    def gradients(*dtypes):
        return child.python("-c", PRODUCTS, *dtypes, FASTNN_CACHE_DIR=tmp_path, FASTNN_COMPILERS=1).stdout.splitlines()

    apart = gradients("float32") + gradients("float64")
    assert gradients("float32", "float64") == apart
