"""An exception at a chosen place of Python code, as the handler of a signal may raise it, and what must hold afterwards.

Python sees to signals where a call has returned, where a function begins and where a loop turns back. `Places` counts the
places of this kind that a piece of work passes, in the standard library too, and raises at one of them.
"""

import dis
import functools
import hashlib
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from fastnn import LBFGS, Activation, BatchNorm, Dense, Dropout, Network, Population

X, Y = np.random.default_rng(0).normal(size=(80, 5)), np.arange(80) % 3
ENDS = "RESUME", "JUMP_BACKWARD"  # beside all that begin with CALL


class Struck(KeyboardInterrupt):
    pass


@functools.cache
def seen_to(code):
    """Behind which of its instructions signals are seen to, and by which handler an instruction is guarded."""
    names = {each.offset: each.opname for each in dis.get_instructions(code)}
    ends = {offset for offset, name in names.items()
            if name in ENDS or (name.startswith("CALL") and "INTRINSIC" not in name)}
    guards = dict.fromkeys(names)
    for entry in dis._parse_exception_table(code):  # the inner ones last
        guards |= dict.fromkeys(range(entry.start, entry.end, 2), entry.target)
    return ends, guards


class Places:
    """Counts the places that work() passes, and raises Struck at number `wanted` of them.

    error: what was raised, with all that its traceback keeps alive; None where it did not come so far.
    """

    def __init__(self, wanted=None):
        self.wanted, self.passed, self.error = wanted, 0, None

    def run(self, work):
        before = sys.gettrace()
        sys.settrace(self.entered)
        try:
            work()
        except Struck as error:
            self.error = error
        finally:
            sys.settrace(before)
        return self

    def where(self):
        """The place that was struck, in words."""
        frames = traceback.extract_tb(self.error.__traceback__)[:-1]
        calls = (f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in frames[-5:])
        return f"place {self.wanted}: {' > '.join(calls)}"

    def entered(self, frame, event, argument):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name in ("run", "settrace"):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        (ends, guards), last = seen_to(frame.f_code), None

        def step(frame, event, argument):
            nonlocal last
            if event == "opcode":
                here = frame.f_lasti
                if last in ends and guards.get(last) == guards.get(here):
                    self.passed += 1
                    if self.passed == self.wanted:
                        raise Struck
                last = here
            return step

        return step


def network(seed=0, **options):
    return Network([Dense(9, "relu"), BatchNorm(), Dropout(0.1), Dense(7), Activation("tanh"), Dense(3, "softmax")],
                   inputs=5, seed=seed, **options)


def arrays(net):
    return [view.tobytes() for view in (*net.parameters.values(), *net.state.values())]


def first_weights():
    return arrays(network(7))


def everything():
    """A digest of what a process makes anew: networks, fits, files, what they are read back as, copies, predictions."""
    sha = hashlib.sha256()

    def note(*nets):
        for net in nets:
            for each in arrays(net):
                sha.update(each)

    note(network(), network(5), network(dtype="float64"), Network.from_config(network().config(), seed=3))
    net = network(1)
    net.fit(X, Y, epochs=2, progress=False)
    sha.update(net.forward(X).tobytes())
    sha.update(repr(net.history["loss"]).encode())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        net.save(path)
        sha.update(path.read_bytes())
        note(net, Network.load(path))
        net.save_checkpoint(path)
        sha.update(path.read_bytes())
        loaded = Network.load_checkpoint(path)
    loaded.fit(X, Y, epochs=3, progress=False, resume=True)
    note(loaded, loaded.astype("float64"))
    population = Population([network(2), network(3)])
    population.fit(X, Y, epochs=2, progress=False)
    note(*population)
    smooth = Network([Dense(4, "tanh"), Dense(3, "softmax")], inputs=5)
    smooth.fit(X, Y, optimizer=LBFGS(max_iterations=2), progress=False)
    note(smooth)
    return sha.hexdigest()


def settings():
    """What of the process itself is not to change."""
    lock = global_compiler_lock._lock
    return {"threads of Numba": numba.get_num_threads(), "floating-point errors": np.geterr(),
            "warnings": list(warnings.filters), "shown by": warnings.showwarning,
            "environment": {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "compiler lock": lock._is_owned(), "traced by": sys.gettrace()}


if __name__ == "__main__":
    print(everything())
