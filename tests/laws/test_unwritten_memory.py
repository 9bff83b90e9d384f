"""What functions and predictions give does not depend on memory that nothing has written: it holds NaN, then large numbers.

For training see `test_parts_alone.py`.
"""

import sys

import numpy as np
import pytest
from layer_cases import LAYERS, X, in_turn, network, targets

from fastnn import GRU, Dense, Embedding, Network, compiled
from fastnn.cli.compare import QUICK, Setting, kernel_cases
from fastnn.compiled import calls
from fastnn.decoding import ctc_beam, ctc_greedy
from fastnn.program import forward
from fastnn.runtime import memory

DTYPES, BYTES = ("float32", "float64"), (0xFF, 0x7E)  # all ones are NaN; the others a large number
ODD = {"linear": (17, 65, 33), "shape": (13, 18), "images": (5, 9, 7, 3), "kernel": (3, 2, 5), "sequences": (7, 9, 5, 17)}
KERNELS, SIZES = kernel_cases(), {"quick": QUICK, "odd": ODD}


def filled(array, byte):
    array.reshape(-1).view(np.uint8)[:] = byte
    return array


class Filling:
    """NumPy, whose new arrays hold such bytes."""

    def __init__(self, byte):
        self.byte = byte

    def __getattr__(self, name):
        return getattr(np, name)

    def empty(self, *arguments, **options):
        return filled(np.empty(*arguments, **options), self.byte)

    def empty_like(self, *arguments, **options):
        return filled(np.empty_like(*arguments, **options), self.byte)


def bits(result):
    return [*map(bits, result)] if isinstance(result, (tuple, list)) else np.asarray(result).tobytes()


def fill_functions(patch, byte):
    """Fill the new memory of all compiled functions."""
    numpy = Filling(byte)
    for name, module in sys.modules.items():
        if name.startswith(f"{compiled.__name__}."):
            for own, value in {"np": numpy, "empty": numpy.empty,
                               "aligned": lambda *given: filled(memory.aligned(*given), byte)}.items():
                if hasattr(module, own):
                    patch.setattr(module, own, value)


@pytest.mark.parametrize(("name", "dtype"), in_turn(KERNELS, DTYPES))
def test_functions(name, dtype, monkeypatch):
    for sizes in SIZES.values():
        setting = Setting(**sizes, dtype=dtype, threads=1)
        expected = bits(KERNELS[name](setting).compiled())
        for byte in BYTES:
            with monkeypatch.context() as patch:
                fill_functions(patch, byte)
                assert bits(KERNELS[name](setting).compiled()) == expected


def test_the_law_notices(monkeypatch):
    """Unchecked, three outputs of a mean and a variance each leave the gradient of the third unwritten."""
    monkeypatch.setattr(calls, "check_targets", lambda *given: None)
    found = set()
    for byte in BYTES:
        with monkeypatch.context() as patch:
            fill_functions(patch, byte)
            found.add(compiled.gaussian_gradient(np.ones((2, 3)), np.ones((2, 3))).tobytes())
    assert len(found) == 2


@pytest.fixture
def fill_predictions(monkeypatch):
    """Return a function that fills the memory of a prediction, before all its samples, with a byte from now on."""
    run_samples = forward.ForwardProgram.run_samples

    def fill(byte):
        def run_filled(program, *arguments):
            filled(program.memory, byte)
            return run_samples(program, *arguments)

        monkeypatch.setattr(forward.ForwardProgram, "run_samples", run_filled)
        monkeypatch.setattr(forward, "np", Filling(byte))

    return fill


def predictions(net, X, y, threads):
    return [*(bits(getattr(each, "values", each)) for rows in (len(X), 1, 17)
              for each in [net.forward(X[:rows], threads=threads)]), net.evaluate(X, y, threads=threads)]


@pytest.mark.parametrize(("name", "dtype"), in_turn(LAYERS, DTYPES))
def test_predictions(name, dtype, fill_predictions, many_parts):
    net = network(name, "between", dtype=dtype)
    y, expected = targets(net), None
    for byte in BYTES:
        fill_predictions(byte)
        found = predictions(net, X, y, threads=3)
        assert found == (expected or found)
        expected = found


@pytest.mark.parametrize("loss", ["cross_entropy", "ctc"])
def test_sequences(loss, fill_predictions):
    rng, expected = np.random.default_rng(0), None
    lengths = rng.integers(1, 9, size=41)
    tokens, y = [rng.integers(7, size=n) for n in lengths], [rng.integers(1, 3, size=1 + n // 4) for n in lengths]
    if loss != "ctc":
        y = [rng.integers(3, size=n) for n in lengths]
    net = Network([Embedding(7, 5), GRU(6, return_sequences=True), Dense(3, "softmax")], (None,), loss, seed=1)
    for byte in BYTES:
        fill_predictions(byte)
        outputs = net.forward(tokens)
        found = [*predictions(net, tokens, y, threads=2), repr(ctc_beam(outputs, width=3)), bits(ctc_greedy(outputs).values)]
        assert found == (expected or found)
        expected = found
