"""fastnn: neural networks trained and run on the CPU, from kernels written in Python and compiled by Numba.

A public name is imported on first use from the module that `__init__.pyi` specifies, and so are the modules of the package.
So `fastnn --help` does not import Numba.
"""

import ast
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

__version__ = "0.1.0"
__path__.append(str(Path(__file__).with_name("files") / "earlier"))  # module paths in pickles of earlier versions

_stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_home = {name.name: each.module for each in _stub.body if isinstance(each, ast.ImportFrom) for name in each.names}
__all__ = sorted(_home)
MODULES = ("audio", "callbacks", "compiled", "datasets", "decoding", "gradient_check", "graph", "jit", "kernels", "keras",
           "layer_check", "naive", "onnx", "plot", "pytorch", "sklearn", "tables", "text", "vectorized")  # public ones


def __getattr__(name):
    if name in _home:
        from .kernels.processor.undisturbed import import_whole

        globals()[name] = value = getattr(import_whole(f"{__name__}.{_home[name]}"), name)
        return value
    if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")
    refuse_foreign(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def refuse_foreign(name):
    """Raise an error that names ours for a name of another library, such as Sequential.

    It is an ImportError in `from fastnn import Sequential`, which would replace an AttributeError by a message without ours.
    """
    from .checks.other_attributes import PUBLIC_NAMES, advice_on

    if message := advice_on(PUBLIC_NAMES, name, "fastnn"):
        importing = sys._getframe(2).f_globals.get("__name__") == "importlib._bootstrap"
        raise (ImportError if importing else AttributeError)(message)


def __dir__():
    return sorted({*(name for name in globals() if name.startswith("__")), *MODULES, *__all__})
