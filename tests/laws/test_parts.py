"""A phase is cut into parts only if its kernel does its own part: one that does the whole would do it on every thread at
once, and each would read what the others have half written."""

import dis
import doctest
import types
from functools import cache

import numpy as np
import pytest
from layer_cases import LAYERS, PLACES, X, network, targets

from fastnn import GRU, LSTM, Dense, Network, compiled
from fastnn.compiled import arguments
from fastnn.kernels.compiling.jit import KERNELS
from fastnn.kernels.interpreter.table import PHASES
from fastnn.program import Program

CALLS = [test for name in sorted(vars(compiled)) if isinstance(getattr(compiled, name), types.FunctionType)
         for test in doctest.DocTestFinder(recurse=False).find(getattr(compiled, name), name, globs=vars(compiled).copy())
         if test.examples]


@cache
def reads_its_part(kernel, dtype):
    read = [instruction.argval for instruction in dis.get_instructions(kernel.build(dtype))]
    # from Python 3.13 on one instruction may load two names
    return any("part" in (names if isinstance(names, tuple) else (names,)) for names in read)


def wholes():
    """Return, by address, the names of the compiled kernels that do the whole work of their phase."""
    return {address: name for name, kernel in KERNELS.items() for dtype, address in kernel.addresses.items()
            if not reads_its_part(kernel, dtype)}


def cut(row, phases=PHASES):
    """Return the names of the kernels of `row` that do the whole, and that several parts would run."""
    known = wholes()
    return [known[int(row[phase]["kernel"])] for phase in phases
            if row[phase]["parts"] > 1 and int(row[phase]["kernel"]) in known]


def test_the_law_knows_kernels_of_both_kinds():
    Network([GRU(3), Dense(2)], inputs=(None, 2)).predict([np.ones((3, 2))])
    names = {*wholes().values()}
    assert "gru_pack" in names
    assert "gru_forward" not in names


@pytest.fixture
def tables(monkeypatch):
    """Collect the rows of every table."""
    found, make_table = [], Program.make_table

    def make_and_note(program):
        found.extend(program.rows)
        make_table(program)

    monkeypatch.setattr(Program, "make_table", make_and_note)
    return found


@pytest.mark.parametrize("name", LAYERS)
def test_no_whole_phase_of_a_layer_is_cut(name, many_parts, tables):
    net = network(name, PLACES[1])
    net.loss_and_gradients(X, targets(net), training=True, threads=8)
    net.predict(X, threads=8)
    assert max(many_parts) == 8
    assert [cut(row) for row in tables if cut(row)] == []


@pytest.mark.parametrize("steps", [None, 3], ids=["whole sequences", "windows"])
@pytest.mark.parametrize("layer", [GRU(3, return_sequences=True), LSTM(3, peepholes=True, return_sequences=True)], ids=repr)
def test_no_whole_phase_of_sequences_is_cut(layer, steps, many_parts, tables):
    net = Network([layer, Dense(2)], inputs=(None, 2))
    sequences = [np.ones((steps, 2)) for steps in (3, 1, 7, 2, 5)]
    net.fit(sequences, [np.zeros((len(x), 2)) for x in sequences], batch_size=5, backprop_steps=steps, threads=8)
    assert max(many_parts) == 8
    assert [cut(row) for row in tables if cut(row)] == []


@pytest.mark.parametrize("example", CALLS, ids=[test.name for test in CALLS])
def test_no_whole_phase_of_a_function_is_cut(example, many_parts, monkeypatch):
    wrong, run_once = [], arguments.run_once

    def note_and_run(row, phase, *rest, **call):
        wrong.extend(cut(row, [phase]))
        run_once(row, phase, *rest, **call)

    monkeypatch.setattr(arguments, "run_once", note_and_run)
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)
    doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None)
    assert wrong == []
