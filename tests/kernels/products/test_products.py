"""The comparison of products: its measurements, options and output."""

import importlib
import json
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[3] / "asv_bench"


@pytest.fixture
def products(monkeypatch):
    monkeypatch.syspath_prepend(SUITE)
    return importlib.import_module("products")


def line(product, shape, **ratios):
    return {"product": product, "dtype": "float32", "shape": shape, "gflops": 98.76, "ratios": ratios}


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 17, 5), (1, 65, 3)])
def test_all_multiply_alike(products, shape):
    for product in products.PRODUCTS:
        libraries = {"fastnn": products.fastnn_products, "NumPy": products.numpy_products}
        measured = products.compare(product, "float64", shape, libraries, rounds=1, seconds=0)  # fails where they differ
        assert measured["ratios"]["NumPy"] > 0


def test_what_differs_is_refused(products):
    def wrong(x, weight, bias, dz):
        return {"forward": (dz + 1e3, lambda: None)}

    with pytest.raises(AssertionError, match="NumPy and fastnn differ"):
        products.compare("forward", "float32", (2, 3, 4), {"fastnn": products.fastnn_products, "NumPy": wrong}, 1, 0)


def test_arguments(products, capsys):
    assert products.parse(["--shapes", "64", "64x784x10"]).shapes == [(64, 64, 64), (64, 784, 10)]
    for wrong in ("64x10", "ax1x1", "0"):
        with pytest.raises(SystemExit):
            products.parse(["--shapes", wrong])
        assert repr(wrong) in capsys.readouterr().err


def test_the_goal_depends_on_the_size(products):
    small, large = (line("forward", (n, n, n), NumPy=0.97, PyTorch=1.0) for n in (256, 257))
    assert products.misses(small) == ["NumPy"]
    assert products.misses(large) == []


def test_report(products):
    lines = [line(product, (64, 64, 64), NumPy=0.9, PyTorch=2.0) for product in products.PRODUCTS]
    assert "| float32 | 64 × 64 × 64 | 98.8 (**0.90×** / 2.00×) | 98.8 (" in products.markdown(lines)
    assert products.summary(lines).startswith("NumPy: 0 of 3 at 1.00× or better")
    assert "PyTorch: 3 of 3" in products.summary(lines)


def test_without_pytorch(products, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(products, "find_spec", lambda name: None)
    monkeypatch.setattr(products, "environment", lambda threads: {})
    monkeypatch.setattr(products, "compare", lambda product, dtype, shape, *how: line(product, shape, NumPy=1.5))
    written = tmp_path / "products.json"
    products.main(["--shapes", "8", "--dtypes", "float32", "--json", str(written)])
    output = capsys.readouterr()
    assert "PyTorch is left out: it is not installed (pip install torch)" in output.err
    assert "98.8 (1.50×)" in output.out
    assert [measured["product"] for measured in json.loads(written.read_text())] == list(products.PRODUCTS)
