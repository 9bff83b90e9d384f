"""An exception at a chosen place of Python code, as a signal handler may raise it.

Python runs signal handlers after a call, at the beginning of a function and at the end of a loop's iteration. `Places`
counts the places where this thread would run a handler, in the standard library too, and raises an exception at one of them.
"""

import dis
import functools
import gc
import sys
import traceback
from pathlib import Path

ENDS = "RESUME", "JUMP_BACKWARD"  # and the opcodes that begin with CALL


class Interruption(KeyboardInterrupt):
    pass


@functools.cache
def signal_points(code):
    """Return the offsets of the instructions after which handlers run, and the exception handler of each instruction."""
    names = {each.offset: each.opname for each in dis.get_instructions(code)}
    ends = {offset for offset, name in names.items()
            if name in ENDS or (name.startswith("CALL") and "INTRINSIC" not in name)}
    guards = dict.fromkeys(names)
    for entry in dis._parse_exception_table(code):  # inner handlers come last
        guards |= dict.fromkeys(range(entry.start, entry.end, 2), entry.target)
    return ends, guards


class Places:
    """Count the places that work() passes, and raise an Interruption at the place with number `wanted`.

    within: only files whose paths begin with this prefix count.
    error: the exception raised, with everything that its traceback keeps alive; None if work() ended before that place.
    """

    def __init__(self, wanted=None, within=""):
        self.wanted, self.within, self.passed, self.error = wanted, within, 0, None

    def run(self, work):
        before = sys.gettrace()
        sys.settrace(self.entered)
        try:
            work()
        except Interruption as error:
            self.error = error
        finally:
            sys.settrace(before)
        return self

    def where(self):
        """Return the place of the interruption in words."""
        frames = traceback.extract_tb(self.error.__traceback__)[:-1]
        calls = (f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in frames[-5:])
        return f"place {self.wanted}: {' > '.join(calls)}"

    def entered(self, frame, event, argument):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name in ("run", "settrace"):
            return None
        if not frame.f_code.co_filename.startswith(self.within):
            return None
        if any(getattr(callback, "__code__", None) is frame.f_code for callback in gc.callbacks):
            return None  # of the tests' libraries; Python ignores an exception there
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        (ends, guards), last = signal_points(frame.f_code), None

        def step(frame, event, argument):
            nonlocal last
            if event == "opcode":
                here = frame.f_lasti
                if last in ends and guards.get(last) == guards.get(here):
                    self.passed += 1
                    if self.passed == self.wanted:
                        raise Interruption
                last = here
            return step

        return step
