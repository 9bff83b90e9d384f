"""The examples of docstrings, the README and the pages run, and the names on pages exist."""

import doctest
import importlib
import pkgutil
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from patience import nannies_wait

import fastnn
from fastnn import cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = {"_build", "generated"}  # by building the pages
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md",
         *sorted(page for page in DOCS.rglob("*.md") if MADE.isdisjoint(page.relative_to(DOCS).parts))]

NEEDED = {"classification.md": ["matplotlib"], "callbacks.md": ["matplotlib"],
          "custom.md": ["sklearn"], "exchange.md": ["onnx", "safetensors"], "graphs.md": ["matplotlib"],
          "images.md": ["matplotlib", "PIL"], "inspection.md": ["matplotlib", "sklearn"],
          "many.md": ["sklearn", "dask.distributed", "optuna"], "optimizers.md": ["matplotlib", "scipy"],
          "pictures.md": ["matplotlib"], "populations.md": ["matplotlib", "pandas"], "regression.md": ["matplotlib"],
          "saving.md": ["safetensors"], "sequences.md": ["matplotlib"], "series.md": ["matplotlib"],
          "sklearn.md": ["pandas", "sklearn"], "tables.md": ["matplotlib", "pandas"], "transcripts.md": ["matplotlib"],
          "translation.md": ["matplotlib"]}  # optional packages


def page_name(page):
    return str(page.relative_to(ROOT))


def modules():
    found = pkgutil.walk_packages(fastnn.__path__, "fastnn.")
    return ["fastnn", *(m.name for m in found if not m.name.endswith("__main__") and m.name.split(".")[1] != "tests")]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples(name):
    if name == "fastnn.onnx":
        pytest.importorskip("onnx", reason='ONNX needs the extra: pip install "fastnn-numba[onnx]"')
    if name.startswith("fastnn.sklearn"):
        pytest.importorskip("sklearn", reason="fastnn.sklearn needs the extra sklearn")
    if name == "fastnn.text.byte_pairs":
        pytest.importorskip("tokenizers", reason='byte pairs need the extra: pip install "fastnn-numba[text]"')
    if name.startswith("fastnn.tables"):
        pytest.importorskip("pandas", reason="fastnn.tables needs the extra cli")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_pages_run(page, tmp_path, monkeypatch):
    """Run the Python blocks of a page in order, in one namespace."""
    for package in NEEDED.get(page.name, ()):
        pytest.importorskip(package, reason=f"the examples of {page.name} need {package}")
    monkeypatch.chdir(tmp_path)
    if "dask.distributed" in NEEDED.get(page.name, ()):
        nannies_wait(monkeypatch)
    text, namespace = page.read_text(encoding="utf-8"), {}
    for block in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        above = "\n" * text.count("\n", 0, block.start(1))  # so that an error names the line of the page
        exec(compile(above + block[1], str(page), "exec"), namespace)
    sessions = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)  # what is written with >>>
    assert doctest.DocTestRunner().run(sessions).failed == 0


def test_every_python_block_is_run():
    """No block is skipped by `test_pages_run` because of its indentation or its language name."""
    for page in PAGES:
        for indent, language, block in re.findall(r"^( *)```(\w+)\n(.*?)^ *```", page.read_text(encoding="utf-8"),
                                                  re.DOTALL | re.MULTILINE):
            if indent:
                assert block.strip().startswith(">>>"), f"{page.name}: {block}"
            assert language in {"python", "text"}, f"{page.name}: a block of {language}"


def command_lines(page):
    """Return the arguments of `fastnn` in the lines of a page's blocks that begin with it; comments follow two blanks."""
    blocks = re.findall(r"^```(?:text)?\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line.split("  ")[0].split()[1:] for block in blocks for line in block.splitlines() if line.startswith("fastnn ")]


@pytest.mark.parametrize("page", [page for page in PAGES if command_lines(page)], ids=page_name)
def test_commands_run(page, tmp_path, monkeypatch):
    """Run the commands of a page in order, on a small table with the names that they use."""
    pd = pytest.importorskip("pandas", reason="the commands that take tables need the extra cli")
    monkeypatch.chdir(tmp_path)
    carat = np.linspace(0.2, 2.0, 120)
    table = pd.DataFrame({"carat": carat, "cut": np.where(carat * 7 % 1 > 0.5, "Ideal", "Good"), "price": 4000 * carat**2})
    for name in ("diamonds.csv", "new.csv", "old.csv"):
        table.to_csv(name, index=False)
    for arguments in command_lines(page):
        short = {"train": ["--epochs", "2"], "compare": ["--quick"]}.get(arguments[0], [])
        assert cli.main([*arguments, *short]) == 0, arguments


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_pages_name_what_exists(page):
    text = page.read_text(encoding="utf-8")
    for file, test in re.findall(r"`?(tests/\w+\.py)(?:::(\w+))?", text):
        assert (ROOT / file).is_file(), file
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8") or not test, f"{file}::{test}"
    for file in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / file).exists(), file
    for file in re.findall(r"^```\{include\} (\S+)", text, re.MULTILINE):
        assert (page.parent / file).is_file(), file
    for name in re.findall(r"`fastnn\.examples\.(\w+)`|python -m fastnn\.examples\.(\w+)", text):
        name = "".join(name)
        assert name == "NAME" or importlib.import_module(f"fastnn.examples.{name}")
    for dotted in set(re.findall(r"`(fastnn(?:\.\w+)+)[`(]", text)):
        assert resolves(dotted), dotted


def resolves(dotted):
    """Return whether a dotted name can be imported."""
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
    """The reference pages of the records are generated from the registries."""
    from fastnn.cli.reference import tables

    text = tables()
    for registry in (fastnn.activations, fastnn.losses, fastnn.optimizers, fastnn.initializers):
        for name in registry:
            assert f"`{name}`" in text


def test_every_public_name_is_in_the_reference(monkeypatch):
    """Each public name is listed once, under a heading of one page; new names are found too."""
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    monkeypatch.delitem(sys.modules, "reference", raising=False)
    reference = importlib.import_module("reference")
    assert reference.RECORDS in (DOCS / "reference" / "records.md").read_text(encoding="utf-8").splitlines()
    monkeypatch.setattr(fastnn, "Tomorrow", type("Tomorrow", (), {"__module__": "fastnn.weather"}), raising=False)
    monkeypatch.setattr(fastnn, "__all__", [*fastnn.__all__, "Tomorrow"])
    listed = [name for names in reference.by_heading().values() for name in names]
    assert sorted(listed) == sorted(fastnn.__all__)
    assert reference.by_heading()["Weather"] == ["Tomorrow"]
    pages = sorted((DOCS / "reference").glob("*.md"))
    written = "\n".join(reference.filled(page.read_text(encoding="utf-8"), DOCS / "reference") for page in pages)
    for name in fastnn.__all__:
        assert len(re.findall(rf":: fastnn\.{name}$", written, re.MULTILINE)) == 1, name
    listed = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    assert all(f"({page.name})" in listed for page in pages if page.name != "index.md")
    monkeypatch.delitem(sys.modules, "reference")


def test_attributes_that_share_a_line_are_entries_of_their_own(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    monkeypatch.delitem(sys.modules, "reference", raising=False)
    reference = importlib.import_module("reference")
    lines = ["A thing.", "", "Attributes", "----------", "a, b : int", "    Both.", "c", "    Another.", "", "Notes",
             "-----", "d, e"]
    reference.single_attributes(None, "class", "thing", None, None, lines)
    assert lines == ["A thing.", "", "Attributes", "----------", "a : int", "    Both.", "b : int", "    Both.", "c",
                     "    Another.", "", "Notes", "-----", "d, e"]
    monkeypatch.delitem(sys.modules, "reference")


EXTENSIONS = ("outputs", "gallery", "cards", "links", "processes", "sources")


@pytest.fixture
def extension(monkeypatch):
    """Return a function that imports an extension of the pages by its name; no test after this one sees it."""
    pytest.importorskip("sphinx", reason="the pages are built by Sphinx")
    monkeypatch.syspath_prepend(str(DOCS / "extensions"))
    for name in EXTENSIONS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(importlib.import_module("processes"), "IMPORTED", [])
    yield importlib.import_module
    for name in EXTENSIONS:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_page_whose_examples_fail_is_a_warning_of_the_build(extension, tmp_path, caplog, monkeypatch):
    outputs = extension("outputs")
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```python\nprint(unknown)\n```\n", encoding="utf-8")
    with caplog.at_level("WARNING"):
        assert outputs.outputs_of(page, "page", tmp_path) == []
    assert "NameError" in caplog.text
    page.write_text("```python\nprint(1 + 1)\n```\n\n```python\n2 + 2\n```\n", encoding="utf-8")
    outputs.failed.clear()
    assert outputs.outputs_of(page, "page", tmp_path) == [("2", []), ("", [])]
    page.write_text("Other words.\n\n" + page.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(outputs, "call", None)  # what was kept is shown without another run
    assert outputs.outputs_of(page, "page", tmp_path) == [("2", []), ("", [])]


@pytest.mark.parametrize(("ends", "how"), [("raise ValueError('wrong')", "ValueError: wrong\n"),
                                           ("exit(3)", "SystemExit: 3\n"), ("import os; os._exit(5)", "exit status 5"),
                                           ("print('all is well')", "")])
def test_how_a_process_of_the_build_ended(extension, ends, how):
    failure = extension("processes").call(exec, ends)
    assert failure.endswith(how)
    assert bool(failure) == bool(how)


def test_a_process_of_the_build_that_takes_too_long_is_ended(extension, monkeypatch):
    processes = extension("processes")
    monkeypatch.setattr(processes, "SECONDS", 0.2)
    assert processes.call(exec, "import time; time.sleep(600)") == "it took more than 0.2 s"


def test_runs_that_are_kept_are_shown_where_an_example_has_no_data(extension, tmp_path):
    gallery = extension("gallery")
    kept = sorted(gallery.RUNS.glob("*.txt"))
    assert kept
    for file in kept:
        command, printed = file.read_text(encoding="utf-8").split("\n", 1)
        assert command.startswith(f"fastnn examples {file.stem} ")
        page = gallery.page(file.stem, tmp_path)
        assert command in page
        assert printed.splitlines()[-1] in page
        assert "earlier run" in page
        picture = re.search(r"!\[.+\]\((.+)\)", page)[1]
        assert (tmp_path / picture).is_file()
        (tmp_path / f"{file.stem}.txt").write_text("a run of this build", encoding="utf-8")
        page = gallery.page(file.stem, tmp_path)
        assert "a run of this build" in page
        assert "earlier run" not in page


def test_links_that_lead_nowhere_are_warnings_of_the_build(extension, tmp_path, caplog):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<a href="sub/b.html#x&amp;y">right</a> <a href="sub/b.html#y">wrong</a> <img src="no.png"> '
        '<a href="sub/">right</a> <a class="headerlink" href="#here">right</a> <p id="here"> '
        '<a href="https://example.org/c.html">elsewhere</a> '
        '<code>&lt;a href=&quot;code.html&quot;&gt;</code>', encoding="utf-8")
    (tmp_path / "sub" / "b.html").write_text('<h1 id="x&amp;y">b</h1> <a href="../a.html#gone">wrong</a>', encoding="utf-8")
    with caplog.at_level("WARNING"):
        extension("links").check(SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path), None)
    assert sorted(record.getMessage() for record in caplog.records) == [
        "a.html links to no.png, where there is nothing", "a.html links to sub/b.html#y, where there is nothing",
        f"{Path('sub') / 'b.html'} links to ../a.html#gone, where there is nothing"]


def test_pages_of_sources_share_a_side_bar_where_their_folders_are_as_deep(extension):
    app, computed = SimpleNamespace(side_bars={}), []

    def side_bar_of(name):
        context = {"toctree": lambda **options: computed.append(name) or f"{name} {options}"}
        extension("sources").share_side_bar(app, name, "page.html", context, None)
        return context["toctree"](collapse=False, maxdepth=-1)

    first = side_bar_of("_modules/fastnn/text")
    assert side_bar_of("_modules/fastnn/audio") == first
    assert side_bar_of("_modules/fastnn/plot/canvas") != first
    assert "guide/images" in side_bar_of("guide/images")
    assert side_bar_of("guide/graphs") != side_bar_of("guide/images")
    assert computed[:2] == ["_modules/fastnn/text", "_modules/fastnn/plot/canvas"]
    assert computed[2:] == ["guide/images", "guide/graphs", "guide/images"]
