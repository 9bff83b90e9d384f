"""`fastnn examples`: list the examples, or run one with the arguments after its name."""

import argparse
import importlib

from ..examples import names, summary
from . import options

EXAMPLES = (
    ("fastnn examples", "list their names and what each shows"),
    ("fastnn examples parity", "run one"),
    ("fastnn examples parity --help", "show its arguments"),
)


def main(argv):
    """Run the command."""
    parser = options.command("examples", "List the examples, or run one.", EXAMPLES)
    parser.add_argument("name", nargs="?", choices=names(), metavar="NAME", help="the example to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the example")
    parsed = parser.parse_args(argv)
    if parsed.name:
        importlib.import_module(f"fastnn.examples.{parsed.name}").main(parsed.arguments)
        return
    width = max(map(len, names()))
    for name in names():
        print(f"  {name:<{width}}  {summary(name)}")
    print("\nRun one with: fastnn examples NAME")
