"""No modules import each other in a circle, not even inside functions, but for the edges listed here.

`python tests/laws/test_import_circles.py` prints the circles that are left, with the listed edges.
"""

import ast
from pathlib import Path

import fastnn
import fastnn.kernels

# (importing module, imported module): why it is imported in spite of the circle
LISTED = {
    ("fastnn.network.network", "fastnn.onnx"): "Network.to_onnx; the other direction is inside functions that make networks",
    ("fastnn.network.network", "fastnn.pytorch"): "Network.load_torch, likewise",
    ("fastnn.network.network", "fastnn.decoding"): "Network.translate and vocabularies",
    ("fastnn.network.stream", "fastnn.network.network"): "Stream.load checks that it is given a Network",
    ("fastnn.files.networks", "fastnn.text"): "vocabularies, where a file has some",
    ("fastnn.kernels", "fastnn.compiled"): "earlier names of its functions, looked up on first use",
    ("fastnn.tables.reading.files", "fastnn.tables.model"): "read_table(like=...) checks that it is given a TableModel",
}


def modules():
    """Return {name: (path, whether it is a package)} of all modules."""
    found = {}
    for root, name in ((Path(fastnn.__file__).parent, "fastnn"), (Path(fastnn.kernels.__file__).parent, "fastnn.kernels")):
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if "earlier" in parts:  # paths of old pickles, which nothing imports
                continue
            is_package = parts[-1] == "__init__"
            found[".".join((name, *(parts[:-1] if is_package else parts)))] = path, is_package
    return found


def imported(name, path, is_package, known):
    """Return the modules of the package that a module imports, at its top or inside functions.

    A module in a folder is imported after the `__init__` of the folder, which counts unless the importing module is in it.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            base = parts[:len(parts) - node.level + is_package] if node.level else []
            base = ".".join([*base, *filter(None, [node.module])])
            found |= {f"{base}.{each.name}" if f"{base}.{each.name}" in known else base for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    folders = {".".join(each.split(".")[:count]) for each in found for count in range(1, each.count(".") + 1)}
    return {each for each in found if each in known and each != name} | {
        folder for folder in folders if folder in known and not f"{name}.".startswith(f"{folder}.")}


def graph(known):
    """Return {module: modules that it imports}, without the listed edges."""
    return {name: {each for each in imported(name, *place, known) if (name, each) not in LISTED}
            for name, place in known.items()}


def circles(edges):
    """Return the sets of modules, each of which can be reached from all others of its set (Tarjan 1972)."""
    found, numbers, lowest, stack = [], {}, {}, []

    def visit(name):
        numbers[name] = lowest[name] = len(numbers)
        stack.append(name)
        for other in edges[name]:
            if other not in numbers:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == numbers[name]:
            members = set(stack[stack.index(name):])
            del stack[stack.index(name):]
            if len(members) > 1:
                found.append(sorted(members))

    for name in edges:
        if name not in numbers:
            visit(name)
    return found


def test_circles_are_found():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"d", "a"}}
    assert circles(edges) == [["a", "b", "c"]]


def test_no_modules_import_each_other():
    assert circles(graph(modules())) == []


def test_every_listed_edge_is_there():
    known = modules()
    for name, other in LISTED:
        assert other in imported(name, *known[name], known), f"{name} does not import {other} any more"


if __name__ == "__main__":
    print(*circles(graph(modules())), sep="\n")
