"""Whatever happens while a file is saved, the old file or the complete new one is there; and a failure is an error.

FASTNN_KILLS and FASTNN_SEED set the number of killed processes and the seed.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastnn import Adam, CSVLogger, Dense, Network
from fastnn.formats import atomic_file as whole_file

pytest.importorskip("fcntl", reason="faults are injected into the calls of POSIX")
from disk_faults import FAULTS, disk
from killed import Saver

SUPPORT = Path(__file__).parents[1] / "support"  # scripts that run in processes of their own

KINDS = ["network", "checkpoint", "table", "onnx"]
SEED = os.environ.get("FASTNN_SEED", "0")
HARMLESS = {"scandir", "unlink", "flock"}  # what they are for can wait until the next save
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


def saver_of(kind):
    for package in {"table": ["pandas"], "onnx": ["onnx"]}.get(kind, []):
        pytest.importorskip(package, reason=f"saving a {kind} needs {package}")
    return Saver(kind)


def leave_a_stray(path):
    """Return the files that a killed save leaves."""
    stray = path.with_name(f"{whole_file.prefix(path)}0123456789abcdef.tmp")
    stray.write_bytes(b"half of a fi")
    return stray


def rehearsed(kind, path, monkeypatch):
    """Return the saver, the bytes of 1 and of 2 as it saves them, and the system calls of a save; 1 is at `path`."""
    saver = saver_of(kind)
    saver.save(path, 2)
    new = path.read_bytes()
    saver.save(path, 1)
    old = path.read_bytes()
    leave_a_stray(path)
    with disk(monkeypatch) as whole:
        saver.save(path, 1)
    return saver, old, new, whole.calls


@every_kind
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_call(kind, fault, path, monkeypatch):
    """Either an error and the old or the new file, or no error and the new file; the next save leaves no other file."""
    saver, old, new, calls = rehearsed(kind, path, monkeypatch)
    assert {"open", "write", "fsync", "replace", "close", "flock", "unlink", "scandir"} <= set(calls)
    for at, name in enumerate(calls):
        if fault.startswith("short") and name != "write":
            continue
        leave_a_stray(path)
        failed = False
        with disk(monkeypatch, at, fault):
            try:
                saver.save(path, 2)
            except OSError:
                failed = True
        there = path.read_bytes()
        assert there in (old, new), f"{name}, call {at}"
        assert failed or there == new, f"{name}, call {at}: silence"
        assert failed == (fault != "short write" and name not in HARMLESS) or (name in {"open", "close"} and not failed)
        saver.save(path, 1)
        assert path.read_bytes() == old
        assert os.listdir(path.parent) == [path.name], f"{name}, call {at}"


@every_kind
def test_an_interrupt_at_every_call(kind, path, monkeypatch):
    saver, old, new, calls = rehearsed(kind, path, monkeypatch)
    for at, name in enumerate(calls):
        leave_a_stray(path)
        with disk(monkeypatch, at, "interrupt"), pytest.raises(KeyboardInterrupt):
            saver.save(path, 2)
        assert path.read_bytes() in (old, new), f"{name}, call {at}"
        saver.save(path, 1)
        assert os.listdir(path.parent) == [path.name], f"{name}, call {at}"


def test_the_order_of_a_save(path, monkeypatch):
    """All bytes are on the disk before the file is renamed, and then the rename is: so it survives a power failure."""
    net = Network([Dense(1)], inputs=1)
    with disk(monkeypatch) as calls:
        net.save(path)
    order = [name for name in calls.calls if name in ("write", "fsync", "replace")]
    assert [name for k, name in enumerate(order) if k == 0 or name != order[k - 1]] == ["write", "fsync", "replace", "fsync"]


def test_a_disk_that_is_really_full(path):
    """The system itself writes short and then refuses."""
    resource = pytest.importorskip("resource")
    net = Network([Dense(300)], inputs=300)
    net.save(path)
    old = path.read_bytes()
    net.parameters["0.bias"][:] = 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(old) // 2, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            net.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == [path.name]


def killed(kind, folder, kills):
    run = subprocess.run([sys.executable, SUPPORT / "killed.py", kind, folder, str(kills), SEED],
                         capture_output=True, text=True, timeout=3600)
    assert run.returncode == 0, run.stderr
    print(run.stdout)


@every_kind
def test_killed_at_random_moments(kind, tmp_path):
    saver_of(kind)
    killed(kind, tmp_path, os.environ.get("FASTNN_KILLS", 12))


@pytest.mark.long
@every_kind
def test_killed_at_500_random_moments(kind, tmp_path):
    saver_of(kind)
    killed(kind, tmp_path, os.environ.get("FASTNN_KILLS", 500))


def test_a_save_at_work_is_not_taken_for_abandoned(path):
    file = whole_file.temporary_file(os.fspath(path))
    whole_file.write_whole(path, [b"of another"])
    assert os.path.exists(file.name)
    file.close()
    whole_file.write_whole(path, [b"of another"])
    assert os.listdir(path.parent) == [path.name]


def test_files_of_others_are_left_alone(path):
    others = [path.with_name(name) for name in ("model.tmp", ".model.tmp", f"{whole_file.prefix('other')}00.tmp")]
    for other in others:
        other.write_text("mine")
    os.mkfifo(path.with_name(f"{whole_file.prefix(path)}1.txt"))
    whole_file.write_whole(path, [b"whole"])
    assert all(other.read_text() == "mine" for other in others)
    assert len(os.listdir(path.parent)) == 5


def test_where_there_are_no_locks(path, monkeypatch):
    """Old temporary files are removed, young ones may be in use."""
    monkeypatch.setattr(whole_file, "fcntl", None)
    stray = leave_a_stray(path)
    whole_file.write_whole(path, [b"whole"])
    assert stray.exists()
    os.utime(stray, (0, 0))
    whole_file.write_whole(path, [b"whole"])
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("name", ["x" * 255, "ü", ".hidden", "a b"])
def test_names_of_any_kind(name, tmp_path):
    whole_file.write_whole(tmp_path / name, [b"whole"])
    assert (tmp_path / name).read_bytes() == b"whole"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o600), (0o664, 0o664), (0o4755, 0o755), (0o2640, 0o640)])
def test_permissions_are_kept_but_for_those_of_an_owner(before, after, path):
    """The new file belongs to the user who saves, and must not have set-user-ID."""
    path.write_bytes(b"old")
    path.chmod(before)
    whole_file.write_whole(path, [b"whole"])
    assert path.stat().st_mode & 0o7777 == after


def test_devices_and_pipes_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (tmp_path / "pipe", tmp_path / "link", "/dev/null"):
        with pytest.raises(FileExistsError, match="device or a pipe"):
            Network([Dense(1)], inputs=1).save(path)
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_log_has_whole_rows(fault, tmp_path, monkeypatch):
    """If a row cannot be written, the fit ends with an error and no part of the row is in the file."""
    path, X, epochs = tmp_path / "log.csv", np.ones((5, 1)), 4

    def fit():
        Network([Dense(1)], inputs=1).fit(X, X, epochs=epochs, optimizer=Adam(), callbacks=[CSVLogger(path)])

    with disk(monkeypatch) as counted:
        fit()
    whole = path.read_bytes()
    writes = [at for at, name in enumerate(counted.calls) if name == "write"]
    assert len(writes) == epochs + 1
    for at in writes:
        with disk(monkeypatch, at, fault):
            if fault == "short write":
                fit()
            else:
                with pytest.raises(OSError, match=r"Errno"):
                    fit()
        there = path.read_bytes()
        assert whole.startswith(there)
        assert not there or there.endswith(b"\n")
        assert (there == whole) == (fault == "short write")
