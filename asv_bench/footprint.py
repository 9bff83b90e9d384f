"""Start-up, memory and disk space of the libraries: `python asv_bench/footprint.py`.

For fastnn and each installed peer, in one run: the time of its import; the time from the start of a process to the end of
its first epoch of the spiral (2-64-64-3, batches of 32, Adam, float32), with filled caches and, if it has one, with an empty
cache; the memory of a process that has trained for ten epochs; and the disk space of the library and its requirements.
Processes run in turn, round by round; times are medians.
"""

import argparse
import importlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers.installed import folder_size, installed_size  # the folder beside this file
from peers.libraries import FASTNN, LIBRARIES, PEERS
from peers.nets import Net
from peers.process import environment

NET = Net((2, 64, 64, 3), 32)
SAMPLES = 93 * NET.batch  # whole batches, of three arms alike
EPOCHS = 10  # before memory is read
CACHES = {"fastnn": "FASTNN_CACHE_DIR", "torch.compile": "TORCHINDUCTOR_CACHE_DIR"}  # the variables that say where
IMPORTS = {"sklearn": "sklearn.neural_network"}  # what is imported to train, where that is not the package alone
MEGABYTE = 1e6


def train(name, data, threads):
    """Run in a process: import a library, train, and print the times and the memory."""
    started = time.perf_counter()
    importlib.import_module(IMPORTS.get(name, LIBRARIES[name].module))
    imported = time.perf_counter() - started
    import numpy as np

    with np.load(data) as arrays:
        X, y = arrays["X"], arrays["y"]
    epoch = LIBRARIES[name].work(NET, X, y, X[:NET.batch], threads).epoch
    epoch()
    ended = time.time()
    for _ in range(EPOCHS - 1):
        epoch()
    print(json.dumps({"import": imported, "ended": ended, **memory()}))


def memory():
    """Return the resident bytes of this process, now and at most; None if unknown."""
    status = Path("/proc/self/status")
    if status.exists():
        return memory_in(status.read_text())
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return {"memory": None, "peak_memory": None}
    unit = 1 if sys.platform == "darwin" else 1024
    return {"memory": None, "peak_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def memory_in(status):
    """Return the same from Linux's /proc. Its ru_maxrss would include the process it was forked from."""
    kilobytes = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
    return {"memory": int(kilobytes["VmRSS"]) * 1024, "peak_memory": int(kilobytes["VmHWM"]) * 1024}


def start(name, data, cache, threads):
    """Run `train` in a new process; return its figures, with "first_epoch" in seconds since the process was started."""
    code = "import sys, footprint; footprint.train(*sys.argv[1:3], int(sys.argv[3]))"
    command = [sys.executable, "-c", code, name, str(data), str(threads)]
    caches = {variable: str(cache / name) for name, variable in CACHES.items()}
    began = time.time()
    done = subprocess.run(command, env=environment(threads) | caches, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    return figures | {"first_epoch": figures.pop("ended") - began}


def measure(names, rounds, threads):
    """Return {name: figures} of those that work. The first, cold start of each fills its cache and the system's."""
    import numpy as np

    from fastnn.datasets import spiral

    with tempfile.TemporaryDirectory() as folder:
        data, cache = Path(folder, "spiral.npz"), Path(folder, "cache")
        X, y = spiral(SAMPLES)
        np.savez(data, X=X.astype(np.float32), y=y)
        cold = {}
        for name in names:
            try:
                cold[name] = start(name, data, cache, threads)
            except subprocess.CalledProcessError as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
        warm = {name: [] for name in cold}
        for _ in range(rounds):
            for name in cold:
                warm[name].append(start(name, data, cache, threads))
        return {
            name: {key: middle([figures[key] for figures in warm[name]]) for key in cold[name]}
            | {"cold": cold[name]["first_epoch"] if name in CACHES else None,
               "cache": folder_size(cache / name) if name in CACHES else None}
            for name in cold
        }


def middle(values):
    return None if None in values else statistics.median(values)


COLUMNS = {
    "import": ("import", "s"), "first_epoch": ("start to first epoch", "s"), "cold": ("the same, cache empty", "s"),
    "memory": ("memory", "MB"), "peak_memory": ("at most", "MB"), "installed": ("installed", "MB"), "cache": ("cache", "MB"),
}


def markdown(report):
    rows = [["", *(title for title, _ in COLUMNS.values())], ["---", *["---:"] * len(COLUMNS)]]
    for name, figures in report.items():
        rows.append([LIBRARIES[name].title, *(words(figures[key], unit) for key, (_, unit) in COLUMNS.items())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def words(value, unit):
    if value is None:
        return "–"
    return f"{value:.2f} s" if unit == "s" else f"{value / MEGABYTE:.3g} MB" if value < 1e8 else f"{value / MEGABYTE:.0f} MB"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="footprint.py", description="Start-up, memory and size on disk, beside the peers.")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER", help="default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    options = parser.parse_args(argv)
    names = [FASTNN.name]
    for name in options.peers:
        if absence := PEERS[name].absence:
            print(f"{name} is left out: {absence}", file=sys.stderr)
        else:
            names.append(name)
    report = measure(names, options.rounds, options.threads)
    for name, figures in report.items():
        figures["installed"] = installed_size(LIBRARIES[name].distribution)
    print(markdown(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
