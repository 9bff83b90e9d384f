"""The notes, working: a module an example, each run by `python -m fastnn.examples.NAME` or `fastnn examples NAME`.

Every one has `main(argv=None)`, which prints what it finds and returns it as a dict.
"""

import argparse
import ast
import importlib.util
import pkgutil
import sys
from pathlib import Path


def names():
    """The names of all examples, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def summary(name):
    """The first line of an example's docstring, read without importing it."""
    spec = importlib.util.find_spec(f"{__name__}.{name}")
    return ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))).splitlines()[0]


def options(name, description, *, quick=None):
    """A parser of what examples have in common: --output DIR, and --quick where one gives its meaning.

    `picture` in what it parses is the path of the picture in DIR.
    """
    parser = Options(prog=f"python -m {__name__}.{name}", description=description,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.picture = f"fastnn-{name}.png"
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="where the picture goes (default: here)")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    return parser


def replace_unencodable():
    """Print a question mark, rather than fail, for a letter that the terminal lacks."""
    if hasattr(sys.stdout, "reconfigure"):  # a notebook's output has no encoding
        sys.stdout.reconfigure(errors="replace")


class Options(argparse.ArgumentParser):
    """An ArgumentParser that knows the name of its example's picture."""

    def parse_args(self, args=None, namespace=None):
        replace_unencodable()
        parsed = super().parse_args(args, namespace)
        parsed.picture = parsed.output / self.picture
        return parsed
