"""Examples for the notes, one module each, run by `python -m fastnn.examples.NAME` or `fastnn examples NAME`.

Each has a function `main(argv=None)`, which prints its results and returns them as a dict.
"""

import argparse
import ast
import importlib.util
import pkgutil
import sys
from pathlib import Path


def names():
    """Return the names of all examples, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def summary(name):
    """Return the first line of an example's docstring, without importing it."""
    spec = importlib.util.find_spec(f"{__name__}.{name}")
    return ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))).splitlines()[0]


def options(name, description, *, quick=None):
    """Return a parser of the options of examples: --output DIR, and --quick if its meaning is given.

    The parsed `picture` is the path of the picture in DIR.
    """
    parser = Options(prog=f"python -m {__name__}.{name}", description=description,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.picture = f"fastnn-{name}.png"
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="folder of the picture (default: .)")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def replace_unencodable():
    """Print a question mark for characters that the terminal cannot encode, instead of failing."""
    if hasattr(sys.stdout, "reconfigure"):  # the output of a notebook has no encoding
        sys.stdout.reconfigure(errors="replace")


class Options(argparse.ArgumentParser):
    """An ArgumentParser that knows the file name of its example's picture."""

    def parse_args(self, args=None, namespace=None):
        replace_unencodable()
        parsed = super().parse_args(args, namespace)
        parsed.picture = parsed.output / self.picture
        return parsed
