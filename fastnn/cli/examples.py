"""`fastnn examples`: list them; with a name, run that one with the arguments after it."""

import argparse
import importlib

from ..examples import names, summary


def main(argv):
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="fastnn examples", description="List the examples, or run one.",
        epilog="fastnn examples NAME --help says what an example shows and takes.",
    )
    parser.add_argument("name", nargs="?", choices=names(), metavar="NAME", help="the example to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the example takes")
    parsed = parser.parse_args(argv)
    if parsed.name:
        importlib.import_module(f"fastnn.examples.{parsed.name}").main(parsed.arguments)
        return
    width = max(map(len, names()))
    for name in names():
        print(f"  {name:<{width}}  {summary(name)}")
    print("\nRun one with: fastnn examples NAME")
