"""A process's first import of fastnn, interrupted: `python interrupted_import.py HOW NUMBER`.

If HOW is `seconds`, SIGINT is sent after NUMBER seconds. If it is `place`, an exception is raised at place NUMBER of
`from fastnn import …`; if it is `module`, at place NUMBER in the package's files while its modules are imported one by one.
0 raises no exception and counts the places. The script prints what happened and a digest of new results of the process.
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
    """Import fastnn while a thread sends SIGINT after the given seconds; return what happened."""
    def send():
        time.sleep(seconds)
        os.kill(os.getpid(), 2)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        import_all()
        sender.join()  # the signal comes after the import
        return "not interrupted"
    except KeyboardInterrupt:
        return "interrupted"


def main(how, number):
    if how == "seconds":
        print(interrupted_after(float(number)))
    else:
        work, within = (import_all, "") if how == "place" else (import_modules, ROOT)
        places = Places(int(number) or None, within).run(work)
        print(places.where() if places.error else places.passed)
    from process_state import results_digest

    print(results_digest())


if __name__ == "__main__":
    main(*sys.argv[1:])
