"""Print the calls of Numba's compiler, of LLVM and of other packages' imports in the main thread during training.

An exception of a signal handler would interrupt them there. There should be none.
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
    check_gradients = fastnn.check_gradients  # the first attribute of the package that is used
    import process_state as state

    state.results_digest()
    net = state.network(1)
    net.fit(state.X, state.Y, epochs=1, progress=False)
    net.predict(state.X), net.evaluate(state.X, state.Y), net.compiled()
    check_gradients(net, state.X[:2], state.Y[:2], max_checks=2)


if __name__ == "__main__":
    gc.disable()  # finalizers would run at any time
    sys.settrace(note)
    work()
    sys.settrace(None)
    print(*sorted(seen), sep="\n", end="")
