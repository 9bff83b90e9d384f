"""What of Numba's compiler, of LLVM, and of foreign modules' imports runs in the main thread of a process that trains.

Any of it would be struck by what the handler of a signal raises there. It prints nothing where there is nothing.
"""

import gc
import sys

import fastnn

IMPORTED = "numba", "numpy", "llvmlite"
seen = set()


def note(frame, event, argument):
    path, name = frame.f_code.co_filename.replace("\\", "/"), frame.f_code.co_name
    package = path.rpartition("site-packages/")[2].partition("/")[0]
    compiling = "llvmlite/binding/" in path or (path.endswith("core/compiler_lock.py") and name != "is_locked")
    if compiling or (name == "<module>" and package in IMPORTED):
        seen.add(f"{path}:{frame.f_lineno} {name}")


def work():
    check_gradients = fastnn.check_gradients  # the first name that is asked for
    import struck

    struck.everything()
    net = struck.network(1)
    net.fit(struck.X, struck.Y, epochs=1, progress=False)
    net.predict(struck.X), net.evaluate(struck.X, struck.Y), net.compiled()
    check_gradients(net, struck.X[:2], struck.Y[:2], max_checks=2)


if __name__ == "__main__":
    gc.disable()  # what is collected may be anything, at any time
    sys.settrace(note)
    work()
    sys.settrace(None)
    print(*sorted(seen), sep="\n", end="")
