"""Depthwise convolutions, also transposed: every number of every tensor is right, and no other number is touched."""

import numpy as np
import pytest

from fastnn import compiled as kernels
from fastnn import vectorized
from fastnn.compiled import convolutions
from fastnn.compiled.convolutions import Convolution
from fastnn.kernels.processor.target import vector_lanes
from fastnn.layers.windows import transposed_windows, windows

CASES = 40
GUARD = 1024  # numbers around each array


def drawn(count, seed, dtype, everything=False):
    """Draw (transposed, axes, x, weight, bias, options), of kernels of few taps and of many.

    everything: of any size, and channels that fill any vectors and halves of them; else what takes few kernels to compile.
    """
    rng, found, lanes = np.random.default_rng(seed), [], vector_lanes(dtype)
    widths = [1, lanes // 2, lanes // 2 + 1, lanes, lanes + 3, 2 * lanes, 5 * lanes - 1] if everything else [2 * lanes + 1]
    while len(found) < count:
        transposed, most = bool(rng.integers(2)), (4, 4, 4, 9)[rng.integers(4)]
        channels, sizes = int(rng.choice(widths)), rng.integers(1, 14, 2)
        kernel = tuple(map(int, rng.integers(1, most, 2))) if everything or most > 4 else (int(rng.integers(1, 4)), 3)
        options = {"stride": tuple(rng.integers(1, 4, 2)), "dilation": tuple(rng.integers(1, 4, 2)), "padding": (
            "valid", "same", tuple((int(a), int(b)) for a, b in rng.integers(0, 4, (2, 2))))[rng.integers(3)]}
        given = tuple(map(int, sizes)), kernel, options["stride"], options["dilation"], options["padding"]
        try:
            axes = [axis.reversed for axis in transposed_windows(*given, (0, 0))] if transposed else windows(*given)
        except ValueError:
            continue
        x = rng.normal(size=(rng.integers(1, 10), *sizes, channels)).astype(dtype)
        weight, bias = (rng.normal(size=size).astype(dtype) for size in ((*kernel, 1, channels), channels))
        found.append((transposed, axes, x, weight, bias, options))
    return found


def guarded(array):
    """Return a copy with NaN before and behind it, and a check that these are still there."""
    memory = np.full(array.size + 2 * GUARD, np.nan, array.dtype)
    copy = memory[GUARD:-GUARD].reshape(array.shape)
    copy[...] = array

    def check():
        assert np.isnan(memory[:GUARD]).all()
        assert np.isnan(memory[-GUARD:]).all()

    return copy, check


@pytest.mark.parametrize(("dtype", "everything"), [
    ("float32", False), *(pytest.param(dtype, True, marks=pytest.mark.long) for dtype in ("float32", "float64"))])
def test_every_number_is_right_and_no_other_is_read_or_written(dtype, everything):
    for transposed, axes, x, weight, bias, options in drawn(10 * CASES if everything else CASES, 5, dtype, everything):
        x, *checks = guarded(x)
        layer = Convolution(dtype, axes, x.shape[3], x, weight, None, transposed)
        assert layer.x is x
        assert layer.plan.elementwise
        layer.parameters, check = guarded(layer.parameters)
        checks.append(check)
        layer.parameters[weight.size:] = bias
        dz = np.random.default_rng(0).normal(size=layer.shape).astype(dtype)
        (z, *more), (dz, *others), (dx, *last), (gradients, *rest) = map(
            guarded, (np.empty(layer.shape, dtype), dz, np.empty_like(x), np.full_like(layer.parameters, np.nan)))
        layer.run_phases(["forward"], z=z)
        layer.run_phases(["backward_first", "backward_second", "backward_third"], gradients, dz=dz, dx=dx)
        for check in (*checks, *more, *others, *last, *rest):
            check()
        kind = "conv_transpose2d" if transposed else "conv2d"
        exact = [each.astype(float) for each in (x, weight, bias, dz)]
        expected = (getattr(vectorized, f"{kind}_forward")(*exact[:3], groups=x.shape[3], **options),
                    *getattr(vectorized, f"{kind}_backward")(exact[3], *exact[:2], groups=x.shape[3], **options))
        limit = 1e-13 if dtype == "float64" else 3e-6
        found = z, dx, gradients[:weight.size].reshape(weight.shape), gradients[weight.size:]
        for name, one, other in zip(("z", "dx", "dweight", "dbias"), found, expected, strict=True):
            terms = dz.size / x.shape[3] if name in ("dweight", "dbias") else 1  # of both signs: they may add up to 0
            wrong = np.abs(one - other).max(initial=0) / max(np.sqrt(terms), np.abs(other).max(initial=0))
            assert wrong <= limit, (name, transposed, x.shape, weight.shape, options)


def test_threads_and_neighbours_change_no_bit(monkeypatch):
    monkeypatch.setattr(convolutions, "FLOPS_PER_PART", 1)  # so that even this is cut into parts
    for transposed, _, x, weight, bias, options in drawn(12, 8, "float32"):
        kind, options = "conv_transpose2d" if transposed else "conv2d", options | {"groups": x.shape[3]}
        forward, backward = (getattr(kernels, f"{kind}_{way}") for way in ("forward", "backward"))
        z = forward(x, weight, bias, threads=1, **options)
        dz = np.random.default_rng(0).normal(size=z.shape).astype("float32")
        alone = z, *backward(dz, x, weight, threads=1, **options)
        for threads in (2, 5):
            own = options | {"threads": threads}
            found = forward(x, weight, bias, **own), *backward(dz, x, weight, **own)
            assert [each.tobytes() for each in found] == [each.tobytes() for each in alone]
        last = forward(x[-1:], weight, bias, **options), backward(dz[-1:], x[-1:], weight, **options)[0]
        assert [each.tobytes() for each in last] == [each[-1:].tobytes() for each in alone[:2]]
