"""The disk space of a distribution with everything that it requires."""

import importlib
import importlib.metadata
import json
from pathlib import Path

from .libraries import FASTNN


def installed_size(distribution):
    """Return the bytes of a distribution and of all that it requires, each counted once."""
    return sum(map(distribution_size, requirements(distribution)))


def requirements(distribution, found=()):
    """Return the names of a distribution and of all it requires, each once, after those in `found`."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    name = canonicalize_name(distribution)
    if name in found:
        return found
    found = (*found, name)
    for requirement in map(Requirement, importlib.metadata.requires(name) or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = requirements(requirement.name, found)
    return found


def distribution_size(name):
    """Return the bytes of its files; for one installed as a link to its source, those of its packages."""
    distribution = importlib.metadata.distribution(name)
    paths = {Path(distribution.locate_file(file)) for file in distribution.files or ()}
    direct = json.loads(distribution.read_text("direct_url.json") or "{}")
    if direct.get("dir_info", {}).get("editable") and name == FASTNN.distribution:
        for package in ("fastnn", "fastnn.kernels"):
            folder = Path(importlib.import_module(package).__file__).parent
            paths |= {path.resolve() for path in folder.rglob("*") if path.suffix != ".pyc"}
    return sum(path.stat().st_size for path in paths if path.is_file())


def folder_size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
