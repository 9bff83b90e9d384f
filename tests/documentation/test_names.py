"""The names of `import fastnn`, which are imported on first use."""

import ast
import os
import pkgutil
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import fastnn
from fastnn.naive.rungs import registered_functions

STUB = ast.parse(Path(fastnn.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))


def test_every_public_name_is_there():
    public = next(each.value for each in STUB.body if isinstance(each, ast.Assign))
    assert sorted(ast.literal_eval(public)) == fastnn.__all__
    assert set(fastnn.__all__) <= set(dir(fastnn))
    given = {}
    exec("from fastnn import *", given)
    assert set(fastnn.__all__) <= set(given)


def test_the_modules_of_the_reference_are_public():
    folder = Path(__file__).parents[2] / "docs" / "reference"
    pages = "\n".join(page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md")))
    found = set(re.findall(r"^\.\. auto\w+:: fastnn\.(\w+)", pages, re.MULTILINE))
    assert {"datasets", "naive", "tables"} <= found
    assert found - {"samples"} <= set(fastnn.MODULES)


@pytest.mark.parametrize("name", [None, *fastnn.MODULES])
def test_a_public_module_lists_its_public_names_alone(name):
    """Tab completion shows neither imports nor helpers."""
    if name in ("onnx", "sklearn", "tables", "keras"):
        pytest.importorskip({"tables": "pandas", "keras": "h5py"}.get(name, name), reason=f"fastnn.{name} needs an extra")
    module = fastnn if name is None else getattr(fastnn, name)
    listed = {each for each in dir(module) if not each.startswith("_")}
    others = {None: fastnn.MODULES, "kernels": fastnn.compiled.__all__}.get(name, ())
    made = filter(str.isidentifier, registered_functions()) if "linear_forward" in listed else ()
    assert listed == {*getattr(module, "__all__", ()), *others, *made}
    assert all(hasattr(module, each) for each in listed)


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(fastnn.__path__)])
def test_no_module_hides_a_public_name(module):
    """Importing a module of the package sets an attribute with its name."""
    assert module not in fastnn.__all__


@pytest.mark.parametrize("name", fastnn.__all__)
def test_a_public_name_is_no_module(name):
    assert not isinstance(getattr(fastnn, name), types.ModuleType)


@pytest.mark.parametrize("code", ["fastnn.onnx.load", "fastnn.naive.softmax", "fastnn.Dense",
                                  "fastnn.initializers['zeros']"])
def test_a_name_needs_no_import_but_that_of_fastnn(code):
    subprocess.run([sys.executable, "-c", f"import fastnn; {code}"], check=True)


def test_what_is_not_there_is_an_attribute_error():
    for name in ("Nothing", "_private", "nothing"):
        assert not hasattr(fastnn, name)
        with pytest.raises(ImportError):
            exec(f"from fastnn import {name}")


def test_each_folder_of_tests_runs_by_itself():
    """A test file imports from support/ and from files in its folder, never from another folder of tests."""
    tests = Path(__file__).parents[1]
    for path in tests.rglob("test_*.py"):
        for name in re.findall(r"^ *(?:from|import) (test_\w+)", path.read_text("utf-8"), re.MULTILINE):
            assert path.with_name(f"{name}.py").is_file(), f"{path.name} imports {name}: move what it needs to support/"


@pytest.mark.parametrize("tool", ["fuzz_files.py", "mutants.py"])
def test_a_tool_finds_what_it_imports(tool):
    """The commands in the documentation run outside the tests."""
    folder = Path(__file__).parents[1] / "tools"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", f"import {tool.removesuffix('.py')}"], cwd=folder, env=environment, check=True)
