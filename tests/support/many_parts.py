"""A fixture that divides work into many parts, for tests and for the programs that they start."""

import sys

import pytest

from fastnn.runtime import threads


@pytest.fixture
def many_parts(monkeypatch):
    """Divide even the smallest work into as many parts as there may be threads, and wake them for it.

    Returns a list that collects the numbers of parts.
    """
    seen, parts = [], threads.parts
    monkeypatch.setattr(threads, "WAKING", 0)
    for name, module in list(sys.modules.items()):
        if name.startswith("fastnn."):
            for constant in ("FLOPS_PER_STEP", "FLOPS_PER_PART", "NUMBERS_PER_PART", "GATHERED_PER_PART"):
                if hasattr(module, constant):
                    monkeypatch.setattr(module, constant, 1)
            if getattr(module, "parts", None) is parts:
                monkeypatch.setattr(module, "parts", recorded(parts, seen))
    return seen


def recorded(function, results):
    def call(*arguments):
        results.append(function(*arguments))
        return results[-1]

    return call
