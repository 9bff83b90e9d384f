"""Compilation of functions: sums in the order of the source, unique names, and functions that are not cached."""

import re
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from fastnn.kernels.compiling import cache, jit
from fastnn.kernels.compiling.provenance import objects_digest
from fastnn.kernels.elementwise import finite

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="looks at compiled code")


def total(x):
    result = x[0]
    for number in x[1:]:
        result += number
    return result


def made(value):
    def inner():
        return value

    return inner


def of_package(function, module):
    function.__module__ = module
    return function


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_keeps_its_order_unless_any_will_do(dtype):
    x = np.random.default_rng(0).normal(size=1001).astype(dtype)
    in_order, any_order = jit.jit(total), jit.jit(total, any_order=True)
    assert in_order(x) == np.add.accumulate(x)[-1]
    assert any_order(x) == pytest.approx(x.sum(), rel=1e-4)
    code = [next(iter(each.inspect_llvm().values())) for each in (in_order, any_order)]
    assert ["reassoc" in each for each in code] == [False, True]


def test_a_function_made_within_another_is_named_by_what_it_was_made_of():
    """In whatever order functions are made or compiled, in this process or another."""
    def name(function):
        return jit.jit(function).py_func.__qualname__

    here = finite.__name__  # as if this came with the package
    assert jit.jit(total).py_func.__qualname__ == "total"
    assert name(of_package(made(1), here)) == name(of_package(made(1), here))
    assert len({name(of_package(made(value), here)) for value in (1, 2, 1.0, True, (1, 2), (2, 1))}) == 6
    assert len({name(of_package(each, here)) for each in (lambda: 1, lambda: 2, lambda: -1)}) == 3


def test_a_function_from_elsewhere_has_a_name_that_nothing_else_has():
    assert len({jit.jit(made(1)).py_func.__qualname__ for _ in range(3)}) == 3
    assert len({jit.jit(of_package(made(made(1)), finite.__name__)).py_func.__qualname__ for _ in range(3)}) == 3


def test_which_of_two_things_comes_again_counts():
    one, other = of_package(made(1), finite.__name__), of_package(made(2), finite.__name__)
    assert objects_digest(of_package(made((one, other, one)), finite.__name__)) != objects_digest(
        of_package(made((one, other, other)), finite.__name__))


@pytest.mark.parametrize(("lifted", "globals_"), [((1,), False), ((), True)])
def test_what_holds_an_address_or_a_loop_apart_is_not_kept(lifted, globals_, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_directory", lambda: tmp_path)
    data = SimpleNamespace(lifted=lifted, library=SimpleNamespace(has_dynamic_globals=globals_), _reduce=lambda: ())
    with pytest.raises(AssertionError, match="kernel it holds"):
        cache.KernelCache("it").save_overload((), data)
    assert list(tmp_path.iterdir()) == []


def test_no_two_records_have_one_name():
    """A module that is imported again may define its own again, so `Record` itself does not refuse it."""
    sources = [path.read_text(encoding="utf-8") for path in cache.SOURCES.rglob("*.py")]
    names = [name for source in sources for name in re.findall(r"\bRecord\(\s*\"(\w+)\"", source)]
    assert len(names) > 5
    assert sorted(names) == sorted(set(names))
