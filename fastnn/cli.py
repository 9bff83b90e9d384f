"""The command `fastnn`. It only dispatches: a command's module is imported when that command is run."""

import argparse
import importlib
import sys

from .examples import forgive_letters, names, summary

COMMANDS = {
    "demo": "train a network on three spiral arms and draw what it learned",
    "compare": "time every kernel against the same mathematics in NumPy and in pure Python",
    "examples": "list the examples, or run one: fastnn examples NAME",
}

EPILOG = """\
commands:
{commands}

start here:
  fastnn demo              from data to picture, in seconds
  fastnn examples parity   any of the examples
  fastnn COMMAND --help    what a command takes

The first run compiles the kernels that it needs and keeps them on disk, in the user's cache directory or where the
environment variable FASTNN_CACHE_DIR says; later runs find them there. `python -m fastnn` is the same command.
"""


def main(argv=None):
    """Run a command and return its exit status: 0 done, 1 failed, 2 misused, 130 interrupted."""
    forgive_letters()
    parsed = parser().parse_args(argv)
    if parsed.command is None:
        parser().print_help()
        return 0
    try:
        run = examples if parsed.command == "examples" else importlib.import_module(f"fastnn.{parsed.command}").main
        return run(parsed.arguments) or 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (OSError, ValueError, ArithmeticError, ImportError) as error:  # what a user can mend; the rest is ours
        print(f"fastnn {parsed.command}: {error}", file=sys.stderr)
        return 1


def parser():
    commands = "\n".join(f"  {name:<10}{what}" for name, what in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="fastnn", description="Neural networks trained and run on the CPU, from kernels compiled by Numba.",
        epilog=EPILOG.format(commands=commands), formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the command takes")
    parser.add_argument("--version", action=PrintVersion)
    return parser


class PrintVersion(argparse.Action):
    """Print the version of what is installed. It is looked up on demand: that takes longer than all else here."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options, nargs=0, help="print the version")

    def __call__(self, parser, *_):
        from importlib.metadata import version

        print(f"fastnn {version('fastnn-numba')}")
        parser.exit()


def examples(argv):
    """`fastnn examples`: list them; with a name, run that one with the arguments after it."""
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
