"""Nothing in the package uses private attributes of another object, those that begin with an underscore.

`python tests/laws/test_reaching_in.py` lists the places and their number.
"""

import ast
from pathlib import Path

import fastnn
import fastnn.kernels

FOLDERS = Path(fastnn.__file__).parent, Path(fastnn.kernels.__file__).parent
# attributes of other packages without a public name, with the reason for their use
OF_OTHERS = {
    "_Cache": "numba: what a cache of compiled functions derives from",
    "_cache": "numba: where a dispatcher and a compiled function keep what they have compiled, replaced by our own cache",
    "_sig": "numba: the signature of a compiled function, by which its cache knows it",
    "_compile_for_args": "numba: what a dispatcher calls for arguments of types that are new to it",
    "_initializing": "importlib: whether an import of a module is in progress",
    "_pass_builder": "numba: what makes the passes of LLVM, replaced for loops that compute one vector at a time",
    "_tm": "numba: the processor for which these passes are made",
    "_reduce": "numba: what a compiled function is pickled as",
    "_rebuild": "numba: what makes a compiled function of that again",
    "_getvalue": "numba: the LLVM value of a structure that an intrinsic has made",
    "_kws": "numba: the operands of an expression, which a copy of it shares otherwise",
    "_getframe": "sys: the frame of a caller, for warnings and for claims that end with a call",
    "_core": "numpy: the module of NumPy's C interface, as it is called from NumPy 2 on",
    "_multiarray_umath": "numpy: the module of NumPy's C interface",
    "_ARRAY_API": "numpy: the table of the functions of NumPy's C interface",
}


def accesses(tree):
    """Return the attributes with a leading underscore of anything but the object or class itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node


def by_text(tree):
    """Return those used by getattr, setattr, hasattr and delattr, and through vars(…)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("attr"):
            owner, name = node.args[0], node.args[1] if len(node.args) > 1 else None
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).startswith("vars("):
            owner, name = node.value.args[0], node.slice
        else:
            continue
        private = isinstance(name, ast.Constant) and str(name.value).startswith("_") and not str(name.value).endswith("__")
        if private and ast.unparse(owner) not in ("self", "cls"):
            yield node, name.value


def imports(tree):
    """Return names with a leading underscore that are imported from another module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                if name.name.startswith("_") and not name.name.endswith("__"):
                    yield node, name.name


def private_names():
    """Return (path, node, name) of all in the package."""
    for path in sorted({path for folder in FOLDERS for path in folder.rglob("*.py")}):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node, name in (*((node, node.attr) for node in accesses(tree)), *by_text(tree), *imports(tree)):
            yield path, node, name


def places():
    return [f"{path}:{node.lineno}: {ast.unparse(node)}" for path, node, name in private_names() if name not in OF_OTHERS]


def test_none_reaches_into_another():
    assert not places()


def test_what_is_allowed_is_used():
    assert {name for _, _, name in private_names()} >= set(OF_OTHERS)


def test_it_would_be_noticed():
    tree = ast.parse("from a import _b\nx._y = z\nself._own\ngetattr(net, '_fit')\nvars(net)['_fit']\nself.part._inner\n"
                     "getattr(self, '_own')\nfit.__doc__")
    assert [node.attr for node in accesses(tree)] == ["_y", "_inner"]
    assert [name for _, name in (*by_text(tree), *imports(tree))] == ["_fit", "_fit", "_b"]


if __name__ == "__main__":
    print(*places(), f"{len(places())} places", sep="\n")
