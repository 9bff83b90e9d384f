"""The compiled side of fastnn.

For Python it is the third rung beside `fastnn.naive` and `fastnn.vectorized`, with their names: the functions of
`kernels/calls.py`, which run the kernels that training runs. They are looked up when they are first asked for.
"""

import sys
from importlib import import_module
from importlib.util import find_spec


def __getattr__(name):
    calls = sys.modules.get(f"{__name__}.calls")
    if calls is None:
        # `from . import table` asks here before it imports, and must be told that there is no such function
        if name.startswith("_") or find_spec(f"{__name__}.{name}"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        calls = import_module(f"{__name__}.calls")
    return getattr(calls, name)


def __dir__():
    calls = import_module(f"{__name__}.calls")
    return sorted({*globals(), *calls.__all__, *calls.registered_functions()})
