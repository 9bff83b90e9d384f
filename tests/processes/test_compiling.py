"""Compilation of functions: sums in the order of the source, unique names, and functions that are not cached."""

from types import SimpleNamespace

import numba
import numpy as np
import pytest

from fastnn.kernels.compiling import cache, jit

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")


def total(x):
    result = x[0]
    for number in x[1:]:
        result += number
    return result


def made():
    def inner():
        return 1

    return inner


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_keeps_its_order_unless_any_will_do(dtype):
    x = np.random.default_rng(0).normal(size=1001).astype(dtype)
    in_order, any_order = jit.jit(total), jit.jit(total, any_order=True)
    assert in_order(x) == np.add.accumulate(x)[-1]
    assert any_order(x) == pytest.approx(x.sum(), rel=1e-4)
    code = [next(iter(each.inspect_llvm().values())) for each in (in_order, any_order)]
    assert ["reassoc" in each for each in code] == [False, True]


def test_functions_that_are_made_at_one_place_have_names_of_their_own(monkeypatch):
    """In whatever order kernels are compiled: the name of a kernel distinguishes its functions from those of others."""
    assert jit.jit(total).py_func.__qualname__ == "total"
    assert len({jit.jit(made()).py_func.__qualname__ for _ in range(3)}) == 3
    for symbol in ("fastnn_one", "fastnn_other"):
        monkeypatch.setattr(jit, "building", ["fastnn_outer", symbol])
        assert jit.jit(made()).py_func.__qualname__ == f"made.<locals>.inner {symbol}"


@pytest.mark.parametrize(("lifted", "globals_"), [((1,), False), ((), True)])
def test_what_holds_an_address_or_a_loop_apart_is_not_kept(lifted, globals_, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path)
    data = SimpleNamespace(lifted=lifted, library=SimpleNamespace(has_dynamic_globals=globals_), _reduce=lambda: ())
    with pytest.raises(AssertionError, match="kernel it holds"):
        cache.KernelCache("it").save_overload((), data)
    assert list(tmp_path.iterdir()) == []
