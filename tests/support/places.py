"""An exception at a chosen place of Python code, as the handler of a signal may raise it.

Python sees to signals where a call has returned, where a function begins and where a loop turns back. `Places` counts the
places of this kind that a piece of work passes, in the standard library too, and raises at one of them. It sees this thread.
"""

import dis
import functools
import sys
import traceback
from pathlib import Path

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

    within: count only those of files whose path begins so.
    error: what was raised, with all that its traceback keeps alive; None where it did not come so far.
    """

    def __init__(self, wanted=None, within=""):
        self.wanted, self.within, self.passed, self.error = wanted, within, 0, None

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
        if not frame.f_code.co_filename.startswith(self.within):
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
