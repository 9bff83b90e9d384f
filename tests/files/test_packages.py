"""The wheel has every folder of modules."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
WINGS = {"fastnn": ROOT / "fastnn", "fastnn.kernels": ROOT / "kernels"}


def test_every_folder_of_modules_is_named():
    found = {".".join([wing, *path.parent.relative_to(folder).parts])
             for wing, folder in WINGS.items() for path in folder.rglob("*.py")}
    assert sorted(SETTINGS["packages"]) == sorted(found), "name each folder in `packages` in pyproject.toml"


def test_every_other_file_is_named_too():
    kinds = {path.relative_to(ROOT / "fastnn").as_posix() for folder in WINGS.values() for path in folder.rglob("*")
             if path.is_file() and path.suffix not in {".py", ".pyc"}}
    named = {path.relative_to(ROOT / "fastnn").as_posix() for pattern in SETTINGS["package-data"]["fastnn"]
             for path in (ROOT / "fastnn").glob(pattern)}
    assert kinds == named


def test_no_two_files_of_tests_have_one_name():
    """pytest imports them by their names alone, and would run one of the two."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py"]
    assert sorted(names) == sorted(set(names))
