"""The command `fastnn`. It only dispatches: a command's module is imported when that command is run."""

import argparse
import importlib
import os
import sys

from ..examples import forgive_letters

COMMANDS = {
    "train": "train a network on a table: fastnn train FILE.csv --target COLUMN",
    "predict": "predict the rows of a table with a model that train saved",
    "inspect": "show what a saved model or network is",
    "demo": "train a network on three spiral arms and draw what it learned",
    "examples": "list the examples, or run one: fastnn examples NAME",
    "compare": "time every kernel against the same mathematics in NumPy and in pure Python",
    "bench": "time a network of your own shape: a step of training, one row, many rows",
    "check-gradients": "check the gradients of a network against differences of its loss",
    "warmup": "compile every kernel now, for an image or a server",
}
ELSEWHERE = {"demo": "fastnn.cli.demo", "compare": "fastnn.cli.compare"}  # the others are modules of this package

READER_GONE = 141  # 128 + SIGPIPE, what a shell says of a program that the signal ends

EPILOG = """\
commands:
{commands}

start here:
  fastnn demo                                  from data to picture, in seconds
  fastnn train diamonds.csv --target price     a table of yours: text and numbers, kinds found
  fastnn predict diamonds.safetensors new.csv  and rows that it has not seen
  fastnn examples parity                       any of the examples
  fastnn COMMAND --help                        what a command takes, with examples

Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.

The first run compiles the kernels that it needs and keeps them on disk, in the user's cache directory or where the
environment variable FASTNN_CACHE_DIR says; later runs find them there. `python -m fastnn` is the same command.
"""


def main(argv=None):
    """Run a command and return its exit status: 0 done, 1 failed, 2 misused, 130 interrupted, 141 nobody reads on."""
    forgive_letters()
    parsed = parser().parse_args(argv)
    if parsed.command is None:
        parser().print_help()
        return 0
    try:
        status = importlib.import_module(module_of(parsed.command)).main(parsed.arguments) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that has gone away is met in silence
        return status
    except BrokenPipeError:
        return gone()
    except KeyboardInterrupt:
        return failed(parsed, "interrupted", 130)
    except (OSError, ValueError, ArithmeticError, ImportError, MemoryError) as error:  # what a user can mend
        return failed(parsed, words_of(error), 1)


def failed(parsed, why, status):
    """Say why a command failed, with --json also as JSON; return its exit status."""
    from . import options

    print(f"{'' if status == 1 else chr(10)}fastnn {parsed.command}: {why}", file=sys.stderr)
    if options.wants_json(parsed.arguments):
        options.print_json({"error": why})
    return status


def gone():
    """Whoever read what a command prints has read enough, as `head` does: end as other programs do then."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
    except (OSError, ValueError):  # not a file
        pass
    return READER_GONE


def words_of(error):
    """An error as a user reads it: one of the system's without its number, the file first."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or "there is not memory enough"


def module_of(command):
    """The name of the module whose `main(argv)` runs a command."""
    return ELSEWHERE.get(command, f"{__name__}.{command.replace('-', '_')}")


def parser():
    commands = "\n".join(f"  {name:<17}{what}" for name, what in COMMANDS.items())
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
