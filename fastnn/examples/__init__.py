"""Examples for the notes, one module each, run by `python -m fastnn.examples.NAME` or `fastnn examples NAME`.

Each has a function `main(argv=None)`, which prints its results and returns them as a dict.
"""

import argparse
import ast
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from types import MappingProxyType

MOST_CHOICES = 8  # that an error lists


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


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are a line, and a line with an example of its use."""

    example = None  # a command line that is right
    others = MappingProxyType({})  # options of other programs, with ours

    def error(self, message):
        example = f"for example {self.example}; " if self.example else ""
        self.exit(2, f"{self.prog}: {self.in_brief(message)}\n  {example}{self.prog} --help explains all arguments\n")

    def in_brief(self, message):
        """Return an error with the option or choice that was meant, in place of a list of many."""
        if found := re.match(r"unrecognized arguments: (--[\w-]+)", message):
            options = [option for action in self._actions for option in action.option_strings]
            other = self.others.get(found[1])
            return message + (f" (give {other})" if other else similar(found[1], options))
        if re.fullmatch(r"unrecognized arguments: [\d ]+", message) and "--layers" in self._option_string_actions:
            return message + " (several layers are one word: --layers 64-64)"
        if found := re.match(r"argument (.*): invalid choice: '?(.*?)'? \(choose from (.*)\)", message):
            choices = found[3].replace("'", "").split(", ")
            if len(choices) > MOST_CHOICES:
                return f"there is no {found[1].lower()} {found[2]!r}{similar(found[2], choices)}"
        return message


def similar(given, names):
    """Return a question with the most similar of some names, "" if none is."""
    import difflib

    close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


class Options(Parser):
    """A Parser that knows the file name of its example's picture."""

    def parse_args(self, args=None, namespace=None):
        replace_unencodable()
        parsed = super().parse_args(args, namespace)
        parsed.picture = parsed.output / self.picture
        return parsed
