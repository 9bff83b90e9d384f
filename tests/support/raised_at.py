"""An exception before a chosen line of Python code."""

import sys


def raised_at(line, work, within, error=KeyboardInterrupt, passed_on_as=()):
    """Call `work`, with `error` raised before line number `line` that it executes; return whether it was raised.

    within: a function of a file's path: whether its lines count. passed_on_as: the type that the error may be converted to.
    """
    count, came = 0, False

    def trace(frame, event, argument):
        nonlocal count, came
        if not within(frame.f_code.co_filename):
            return None
        if event == "line":
            count += 1
            if count == line:
                came = True
                raise error("stop")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except (error, *passed_on_as):
        assert came
    finally:
        sys.settrace(before)
    return came
