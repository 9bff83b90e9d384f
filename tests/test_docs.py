"""Documentation runs: the examples of docstrings, the README and the pages are executed, and what pages name exists."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fastnn

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(autouse=True)
def same_records_after():
    """Examples register records of their own; other tests are to see ours alone."""
    kept = [(registry.records, dict(registry.records)) for registry in (fastnn.activations, fastnn.losses)]
    yield
    for records, before in kept:
        records.clear()
        records.update(before)


def modules():
    found = pkgutil.walk_packages(fastnn.__path__, "fastnn.")
    return ["fastnn", *(m.name for m in found if not m.name.endswith("__main__") and m.name.split(".")[1] != "tests")]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples(name):
    if name == "fastnn.onnx":
        pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    if name.startswith("fastnn.sklearn"):
        pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")
    if name.startswith("fastnn.tables"):
        pytest.importorskip("pandas", reason="fastnn.tables needs the extra cli")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_run(page, tmp_path, monkeypatch):
    """The Python blocks of a page, one after the other, in one namespace."""
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_what_exists(page):
    text = page.read_text(encoding="utf-8")
    for file, test in re.findall(r"`?(tests/\w+\.py)(?:::(\w+))?", text):
        assert (ROOT / file).is_file(), file
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8") or not test, f"{file}::{test}"
    for file in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / file).exists(), file
    for name in re.findall(r"`fastnn\.examples\.(\w+)`|python -m fastnn\.examples\.(\w+)", text):
        name = "".join(name)
        assert name == "NAME" or importlib.import_module(f"fastnn.examples.{name}")
    for dotted in set(re.findall(r"`(fastnn(?:\.\w+)+)[`(]", text)):
        assert resolves(dotted), dotted


def resolves(dotted):
    """Whether a dotted name can be reached by importing and looking up."""
    parts, found = dotted.split("."), None
    for count in range(1, len(parts) + 1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            if not hasattr(found, parts[count - 1]):
                return False
            found = getattr(found, parts[count - 1])
    return True


def test_every_record_is_in_the_reference():
    """The reference pages of the records are written from the registries."""
    from fastnn.reference import tables

    text = tables()
    for registry in (fastnn.activations, fastnn.losses, fastnn.optimizers, fastnn.initializers):
        for name in registry:
            assert f"`{name}`" in text
