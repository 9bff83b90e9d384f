"""Rows and calls are records: Python and compiled code read their fields by name, never by position."""

import re
from pathlib import Path

import numpy as np
import pytest
from numba import types
from numba.core.errors import TypingError

import fastnn
from fastnn.checks import DTYPES
from fastnn.kernels.compiling import record
from fastnn.kernels.compiling.jit import ANY, Kernel, view
from fastnn.kernels.compiling.parallel_compile import every_kernel
from fastnn.kernels.compiling.record import FLOAT, FLOATS, INTEGERS, NUMBERS, RECORDS, SHARED, UNSIGNED, Pointer, Record
from fastnn.kernels.interpreter import table
from fastnn.kernels.interpreter.table import PHASES, ROW_BYTES, Kind, make_table, row_in, with_phases

INNER = Record("inner for a test", "count", level=FLOAT)
OUTER = Record("outer for a test", "first", number=FLOAT, word=UNSIGNED, numbers=NUMBERS, floats=FLOATS, integers=INTEGERS,
               inner=INNER, elsewhere=Pointer(INNER), turn=SHARED)
KIND = Kind("kind for a test", "x", "size", factor=FLOAT)
outer_at = OUTER.at


def pointer_of(values):
    return values.ctypes.data


@pytest.mark.parametrize("dtype", DTYPES)
def test_compiled_code_reads_what_python_has_written(dtype):
    def build(dtype):
        def read(record, out, addresses):
            out, addresses = view(out, 0, 9), view(addresses, 0, 1)
            out[0], out[1], out[2] = record.first, record.number, record.word
            out[3], out[4] = view(record.numbers, 1, 1)[0], view(record.floats, 1, 1)[0]
            out[5] = view(record.integers, 1, 1)[0]
            out[6], out[7], out[8] = record.inner.count, record.inner.level, record.elsewhere.level
            addresses[0] = record.turn

        return read

    kernel = Kernel(f"read for a test {dtype}", build, lambda dtype: (OUTER.type(dtype), FLOATS, INTEGERS), cached=False)
    numbers, reals, integers_ = np.array([1, 2.5], dtype), np.array([1, 3.5]), np.array([1, -4])
    inner, out, addresses = INNER.new(level=8.5), np.zeros(9), np.zeros(1, np.int64)
    outer = OUTER.new(first=-7, number=0.1, word=2**63, numbers=pointer_of(numbers), floats=pointer_of(reals),
                      integers=pointer_of(integers_), elsewhere=pointer_of(inner))
    outer["inner"]["count"], outer["inner"]["level"] = 5, 6.5
    kernel(dtype, outer, out, addresses)
    assert out.tolist() == [-7, 0.1, 2.0**63, 2.5, 3.5, -4, 5, 6.5, 8.5]
    assert addresses[0] == pointer_of(outer) + OUTER.offsets["turn"]
    assert addresses[0] % record.LINE_BYTES == 0


def test_python_reads_what_compiled_code_has_written():
    def build(dtype):
        def write(address):
            outer = outer_at(address)
            outer.first, outer.number, outer.word = outer.first + 1, outer.number / 2, np.uint64(2**63)
            outer.numbers, outer.inner.level, outer.inner.count = outer.numbers + 8, -1.5, outer.elsewhere
            copy = record.copied(outer)
            copy.first = 100

        return write

    kernel = Kernel("write for a test", build, lambda dtype: (types.intp,), cached=False)
    outer = OUTER.new(first=1, number=3.0, numbers=16, elsewhere=40)
    kernel(ANY, outer)
    assert outer["first"] == 2
    assert outer["number"] == 1.5
    assert outer["word"] == 2**63
    assert outer["numbers"] == 24
    assert (outer["inner"]["count"], outer["inner"]["level"]) == (40, -1.5)


def test_a_name_that_is_no_field_is_an_error():
    with pytest.raises(ValueError, match="no field of name"):
        OUTER.new()["secnd"] = 1

    def build(dtype):
        def read(record):
            record.first = record.secnd

        return read

    with pytest.raises(TypingError, match="Unknown attribute 'secnd'"):
        Kernel("misread for a test", build, lambda dtype: (OUTER.type(ANY),), cached=False).ready(ANY)


@pytest.mark.parametrize("operands", [
    {"x": 1, "size": 2}, {"x": 1, "size": 2, "factor": 0.5, "bias": 3}, {"x": 1, "sise": 2, "factor": 0.5},
], ids=["missing", "unknown", "misspelt"])
def test_a_row_has_all_operands_of_its_kind_and_no_others(operands):
    with pytest.raises(TypeError, match=r"unknown or missing operands: (factor|bias|sise, size); kind for a test has"):
        KIND.row({}, **operands)


def test_a_row_has_phases_of_its_kind_only():
    with pytest.raises(ValueError, match="no field of name backward"):
        KIND.row({"backward": (1, 1)}, x=1, size=2, factor=0.5)


def test_rows_of_a_table_are_live():
    rows = [KIND.row({"forward": (11, 2)}, x=k, size=2, factor=k / 2) for k in range(3)]
    memory = make_table(rows)
    views = [row_in(memory, number, row) for number, row in enumerate(rows)]
    assert memory.nbytes == 3 * ROW_BYTES
    assert memory.ctypes.data % 64 == 0  # the phases of a row are one cache line
    views[1]["x"] = 7
    assert memory[1, KIND.offsets["x"]:][:8].view(np.int64).tolist() == [7]
    assert [float(row["factor"]) for row in views] == [0, 0.5, 1]
    assert views[2]["forward"]["kernel"] == 11


def test_a_row_with_other_phases_keeps_its_operands():
    row = KIND.row({"forward": (11, 2), "backward_third": (12, 3)}, x=1, size=2, factor=0.5)
    other = with_phases(row, {"backward_first": (13, 4)})
    assert [int(other[phase]["kernel"]) for phase in PHASES] == [0, 13, 0, 0]
    assert [int(other[phase]["parts"]) for phase in PHASES] == [0, 4, 0, 0]
    assert other["factor"] == 0.5
    assert row["forward"]["kernel"] == 11


def test_a_row_of_any_kind_reads_as_it_was_made():
    """Rows are packed at once; NumPy and kernels read them by their fields."""
    every_kernel()
    for kind in (each for each in RECORDS.values() if isinstance(each, Kind)):
        values = {name: number + (0.5 if kind.kinds[name] is FLOAT else 0)
                  for number, name in enumerate(sorted(kind.names), 7)}
        phases = {phase: (100 + number, 200 + number) for number, phase in enumerate(PHASES)}
        row = kind.row(phases, **values)
        row = row_in(make_table([row, row]), 1, row)
        assert {name: row[name] for name in kind.names} == values
        assert {phase: tuple(row[phase].tolist()) for phase in PHASES} == phases


def test_every_kind_has_room_for_more():
    every_kernel()
    kinds = [each for each in RECORDS.values() if isinstance(each, Kind)]
    assert len(kinds) > 15
    assert all(max(kind.offsets.values()) + 8 <= ROW_BYTES for kind in kinds)
    assert (ROW_BYTES - 64) // 8 >= 48


def test_loops_do_not_load_operands_again():
    """Without the mark, the compiler would assume that stores to an array could change a row."""
    def build(dtype):
        def scale(row, call, part, parts):
            x = view(call.arena, row.x, row.size)
            for i in range(row.size):
                x[i] = view(call.arena, row.x + i, 1)[0] * row.factor

        return scale

    unit = Kernel("scale for a test", build, KIND.arguments, cached=False).ready("float64")
    body = unit._library.get_llvm_str()
    loads = [line for line in body.splitlines() if re.search(r"= load (i64|double|ptr)", line) and "invariant.load" in line]
    assert 4 <= len(loads) <= 8  # twice where the body is inlined into the C function as well


TABLES_OF_DATA = {"callbacks", "cli", "onnx", "plot", "sklearn", "tables"}  # where rows are those of data and of logs
FOLDERS = Path(fastnn.__file__).parent, Path(table.__file__).parents[1]
SOURCES = [path for folder in FOLDERS for path in folder.rglob("*.py")
           if not TABLES_OF_DATA & {*path.relative_to(folder).parts}]
BY_POSITION = {
    "names for columns": r"range\((OPERANDS|SECTION|HEAD)\b|= range\(\w+, \w+ \+ \d+\)",
    "a row by its number": r"\brows\[-?\d",
    "columns of another file": r"import [^#\n]*\b(IN_FEATURES|OUT_FEATURES|X_DATA|PACKED|WEIGHT|OPERANDS|COLUMNS|NEXT)\b",
    "a row counted back to": r"-\s*(COLUMNS|ROW_BYTES)\b|GATHERED\]",
    "the spelled-out arguments of a phase": r"\(row, parameters, gradients",
    "a frame by its numbers": r"frame\[-?\d|to_fixed_tuple\([^#]*frame",
}


@pytest.mark.parametrize("what", BY_POSITION)
def test_nothing_is_found_by_position(what):
    assert {"dense.py", "training.py"} < {path.name for path in SOURCES}
    found = [f"{path.name}:{number}: {line.strip()}" for path in SOURCES
             for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if re.search(BY_POSITION[what], line)]
    assert not found
