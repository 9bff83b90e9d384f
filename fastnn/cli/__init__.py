"""The command `fastnn`. It imports the module of a command when that command is run."""

import argparse
import importlib
import os
import sys

from ..examples import Parser, replace_unencodable, similar

COMMANDS = {
    "train": "train a network on a table: fastnn train FILE.csv --target COLUMN",
    "predict": "predict the rows of a table with a model that train saved",
    "inspect": "show what a saved model or network is",
    "demo": "train a network on three spiral arms and draw what it learned",
    "examples": "list the examples, or run one: fastnn examples NAME",
    "compare": "time every kernel against the same mathematics in NumPy and in pure Python",
    "bench": "time a network of your own shape: a step of training, one row, many rows",
    "check-gradients": "compare the gradients of a network with finite differences of its loss",
    "warmup": "compile every kernel in advance, for a container image or a server",
}
ELSEWHERE = {"demo": "fastnn.cli.demo", "compare": "fastnn.cli.compare"}  # the modules of the others have the command's name

OUTPUT_CLOSED = 141  # 128 + SIGPIPE, the exit status of a program that this signal ends

EPILOG = """\
commands:
{commands}

examples:
  fastnn demo                                  train on generated data and draw the result
  fastnn train diamonds.csv --target price     train on a table of your own, with text and numbers
  fastnn predict diamonds.safetensors new.csv  predict new rows
  fastnn examples parity                       run one of the examples
  fastnn COMMAND --help                        arguments of a command, with examples

Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.

The first run compiles the kernels that it needs and caches them on disk, in the user's cache directory or in the directory
of the environment variable FASTNN_CACHE_DIR; later runs load them. `python -m fastnn` is the same command.
"""


OTHER_COMMANDS = {
    "evaluate": "; fastnn predict MODEL FILE --evaluate does it", "test": "; fastnn predict MODEL FILE --evaluate does it",
    "score": "; fastnn predict MODEL FILE --evaluate does it", "fit": " (did you mean 'train'?)",
    "run": "; fastnn examples runs the examples", "plot": "; fastnn train --report FILE.html draws",
}


def main(argv=None):
    """Run a command and return its exit status: 0 done, 1 failed, 2 misused, 130 interrupted, 141 output closed."""
    replace_unencodable()
    parsed = parser().parse_args(argv)
    if parsed.command is None:
        parser().print_help()
        return 0
    if parsed.command == "help":  # as of other programs: fastnn help train
        return main([*(name for name in parsed.arguments[:1] if name in COMMANDS), "--help"])
    if parsed.command not in COMMANDS:
        meant = OTHER_COMMANDS.get(parsed.command) or similar(parsed.command, COMMANDS)
        print(f"fastnn: there is no command {parsed.command!r}{meant}; fastnn --help lists the commands", file=sys.stderr)
        return 2
    try:
        status = importlib.import_module(module_of(parsed.command)).main(parsed.arguments) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a closed pipe is handled silently
        return status
    except BrokenPipeError:
        return output_closed()
    except KeyboardInterrupt:
        return failed(parsed, "interrupted", 130)
    except (OSError, ValueError, ArithmeticError, ImportError, MemoryError) as error:  # errors that the user can repair
        return failed(parsed, error_message(error), 1)


def failed(parsed, why, status):
    """Print why a command failed, with --json also as JSON; return its exit status."""
    from . import options

    print(f"{'' if status == 1 else chr(10)}fastnn {parsed.command}: {why}", file=sys.stderr)
    if options.wants_json(parsed.arguments):
        options.print_json({"error": why})
    return status


def output_closed():
    """Handle a closed output, as by `head`: return the exit status that other programs have then."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for output that remains to be flushed
    except (OSError, ValueError):  # stdout is not a file
        pass
    return OUTPUT_CLOSED


def error_message(error):
    """Return the message of an error for a user: for a system error, the file and the reason without the number."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or "there is not memory enough"


def module_of(command):
    """Return the name of the module whose `main(argv)` runs a command."""
    return ELSEWHERE.get(command, f"{__name__}.{command.replace('-', '_')}")


def parser():
    commands = "\n".join(f"  {name:<17}{what}" for name, what in COMMANDS.items())
    parser = Parser(
        prog="fastnn", description="Neural networks trained and run on the CPU, from kernels compiled by Numba.",
        epilog=EPILOG.format(commands=commands), formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the command")
    parser.add_argument("--version", action=PrintVersion)
    return parser


class PrintVersion(argparse.Action):
    """Print the installed version. It is looked up on demand, because that is slow compared with the rest of this module."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options, nargs=0, help="print the version")

    def __call__(self, parser, *_):
        from importlib.metadata import version

        print(f"fastnn {version('fastnn-numba')}")
        parser.exit()
