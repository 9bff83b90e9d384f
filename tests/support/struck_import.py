"""A first import of fastnn that is struck: `python struck_import.py HOW NUMBER`.

HOW is `seconds`, until SIGINT; `place`, the number of a place of Python code in `from fastnn import …`; or `module`, of one
in the package's own files while its modules are imported by their paths. Number 0 strikes nowhere, and counts the places.
It prints what happened, and then a digest of what the process makes afterwards.
"""

import importlib
import os
import sys
import threading
import time
from pathlib import Path

from places import Places

ROOT = str(Path(__file__).parents[2])
MODULES = "fastnn.kernels.losses", "fastnn.layers", "fastnn.network.network", "fastnn.population", "fastnn.sklearn"


def import_all():
    from fastnn import LBFGS, BatchNorm, Dense, Network, Population  # noqa: F401


def import_modules():
    for name in MODULES:
        importlib.import_module(name)


def interrupted_after(seconds):
    """Import while a thread sends this process SIGINT so many seconds from now."""
    def send():
        time.sleep(seconds)
        os.kill(os.getpid(), 2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        import_all()
        sender.join()  # too late
        return "not struck"
    except KeyboardInterrupt:
        return "struck"


def main(how, number):
    if how == "seconds":
        print(interrupted_after(float(number)))
    else:
        work, within = (import_all, "") if how == "place" else (import_modules, ROOT)
        places = Places(int(number) or None, within).run(work)
        print(places.where() if places.error else places.passed)
    from struck import everything

    print(everything())


if __name__ == "__main__":
    main(*sys.argv[1:])
