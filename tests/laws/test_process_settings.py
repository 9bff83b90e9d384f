"""No settings of the whole process are changed for a while: an exception at the wrong moment would keep them, and other
threads would see them.
"""

import ast
from pathlib import Path

import pytest

import fastnn
import fastnn.kernels
from fastnn.checks.caller_warning import collected, warn_caller

FOLDERS = Path(fastnn.__file__).parent, Path(fastnn.kernels.__file__).parent
CHANGE_SETTINGS = {
    "catch_warnings", "simplefilter", "filterwarnings", "resetwarnings", "errstate", "seterr", "seterrcall", "setbufsize",
    "printoptions", "set_printoptions", "option_context", "set_option", "config_context", "set_config", "localcontext",
    "setlocale", "chdir", "redirect_stdout", "redirect_stderr", "set_num_threads", "threadpool_limits", "rc_context",
    "setswitchinterval", "setrecursionlimit", "settrace", "putenv", "umask",
}
ALLOWED = {
    ("quiet.py", "errstate"): "in a copy of the context",
    ("delimited_rows.py", "catch_warnings"): "pandas reports dropped cells by a warning only",
    ("delimited_rows.py", "filterwarnings"): "the same",
    ("delimited_rows.py", "simplefilter"): "the same",
    ("baselines.py", "catch_warnings"): "scikit-learn reports that a model has stopped early by a warning only",
    ("baselines.py", "simplefilter"): "the same",
}


def changes():
    """Return the (file, name) of every call in the package that changes such settings."""
    found = set()
    for path in sorted({path for folder in FOLDERS for path in folder.rglob("*.py")}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", None))
                if name in CHANGE_SETTINGS:
                    found.add((path.name, name))
    return found


def test_settings_are_changed_in_a_context_only():
    assert changes() - {*ALLOWED} == ALLOWED.keys() - changes() == set()


def noisy(value, fails=False):
    warn_caller(f"about {value}")
    if fails:
        raise KeyError(value)
    return value


def test_warnings_are_collected_in_a_context(recwarn):
    assert collected(noisy, 3) == (3, ["about 3"])
    with pytest.raises(KeyError):
        collected(noisy, 4, fails=True)
    assert not recwarn
    noisy(5)
    assert [str(each.message) for each in recwarn] == ["about 5"]
