"""Import fastnn.sklearn, with Ctrl-C while a module of another package is looked up, then again: print what happened.

`python interrupted_sklearn.py MODULE`. The last line names the modules of other packages that the main thread looked up.
"""

import os
import signal
import sys
import threading

OTHERS = "numpy", "numba", "scipy", "sklearn", "joblib"


class Finder:
    """Finds nothing; interrupts the process when the module is looked up for the first time."""

    def __init__(self, module):
        self.module, self.in_main_thread = module, []

    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread() and name.partition(".")[0] in OTHERS:
            self.in_main_thread.append(name)
        if name == self.module:
            self.module = None
            os.kill(os.getpid(), signal.SIGINT)


def main(module):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.meta_path.insert(0, finder := Finder(module))
    try:
        import fastnn.sklearn  # noqa: F401
        print("not interrupted")
    except KeyboardInterrupt:
        print("interrupted")
    from fastnn.sklearn import NetworkClassifier

    print(NetworkClassifier.__name__)
    print(*finder.in_main_thread)


if __name__ == "__main__":
    main(*sys.argv[1:])
