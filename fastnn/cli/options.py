"""Common parts of the commands: a parser whose help has examples, types of arguments, and text tables."""

import argparse
import json
import math
import os
import re
import sys
from pathlib import Path

from ..examples import Parser

# modules that compute are imported where they are needed, so that --help does not import Numba


def command(name, description, examples):
    """Return the parser of a command. `examples`: (command line, description) pairs, shown in its help."""
    shown = "\n".join(f"  {line}\n      {what}" for line, what in examples)
    parser = CommandParser(prog=f"fastnn {name}", description=description, epilog=f"examples:\n{shown}\n",
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.example = examples[0][0]
    return parser


class CommandParser(Parser):
    """A parser that prints errors also as JSON if --json is among the arguments."""

    def parse_args(self, args=None, namespace=None):
        self.json = wants_json(sys.argv[1:] if args is None else args)
        return super().parse_args(args, namespace)

    def error(self, message):
        if getattr(self, "json", False):
            print_json({"error": message})
        super().error(message)


def wants_json(arguments):
    """Return whether a command prints JSON, even if it fails before it has parsed its arguments."""
    return "--json" in arguments


def add_reading(parser):
    """Add the options for reading a text file."""
    parser.add_argument("--separator", type=separator, metavar="S",
                        help='separator of the cells of a CSV file: one character, or "tab" (default: detected)')
    parser.add_argument("--decimal", type=mark, action="append", default=[], metavar="[A=],",
                        help="decimal separator, . or , for all columns or, as in --decimal price=, for one (default: "
                             "detected for each column from all its rows)")
    parser.add_argument("--thousands", type=mark, action="append", default=[], metavar="[A=].",
                        help="thousands separator, in the same form: , . ' or a space")
    parser.add_argument("--skip", type=whole, metavar="N", help="number of lines above the names of the columns (default: "
                                                               "detected: comments, titles and a line such as sep=;)")
    parser.add_argument("--encoding", metavar="E",
                        help="encoding of a CSV file, such as cp1252 (default: UTF-8, or UTF-16 with a byte order mark)")


def reading_options(parsed):
    """Return the options of `add_reading` as arguments of `read_table`."""
    return {"separator": parsed.separator, "encoding": parsed.encoding, "decimal": dict(parsed.decimal),
            "thousands": dict(parsed.thousands), "skip": parsed.skip}


def add_stream(parser):
    """Add the option to read a Parquet file in parts."""
    parser.add_argument("--stream", nargs="?", choices=("auto", "yes", "no"), default="auto", const="yes",
                        help="read a Parquet file in parts, so that it need not fit into memory (default: auto, if it would "
                             "take half of the free memory)")


def streamed(command, file, asked):
    """Return a ParquetStream if a file is to be read in parts, with a note; else None. asked: the option --stream."""
    from ..tables.streaming import ParquetStream, memory
    from ..tables.streaming.parquet import SUFFIXES

    if not str(file).lower().endswith(SUFFIXES):
        if asked == "yes":
            raise ValueError(f"{file} is no Parquet file (.parquet), the kind that is read in parts; convert it, or leave "
                             "--stream out")
        return None
    if asked == "no":
        return None
    stream = ParquetStream(file)
    if asked == "auto" and not memory.is_too_large(stream):
        return None
    note(command, memory.note_on(stream, asked == "yes"))
    return stream


def mark(text):
    """Parse an argument such as "," or "price=,", as (column or None, separator)."""
    name, _, character = text.rpartition("=")
    if len(character) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character, such as ',', nor one of a column, such as price=,")
    return name or None, character


def check_output(output, *inputs):
    """Refuse an output that cannot be written, before the work begins. `inputs` must not be overwritten."""
    output = Path(output)
    if not output.parent.is_dir():
        raise FileNotFoundError(f"there is no directory {output.parent} to save into; make it first, or give another -o")
    if output.is_dir():
        raise IsADirectoryError(f"{output} is a directory; give -o the name of a file in it")
    for what, file in inputs:
        if output.exists() and os.path.exists(file) and output.samefile(file):
            raise ValueError(f"{output} is the {what} itself; give another -o")


def check_suffix(output):
    """Refuse the name of another kind of file for a model, before the work begins."""
    if (suffix := Path(output).suffix.lower()) in (".csv", ".onnx", ".pkl", ".h5", ".keras", ".pt", ".pth", ".joblib"):
        raise ValueError(f"{output} is not named as what it will be, a safetensors file; give -o "
                         f"{Path(output).with_suffix('.safetensors')}"
                         f"{' (Network.load reads it, and to_onnx writes ONNX)' * (suffix == '.onnx')}")


def add_json(parser):
    parser.add_argument("--json", action="store_true", help="print only JSON, for scripts; notes go to stderr")


def add_threads(parser):
    parser.add_argument("--threads", type=positive, metavar="N", help="largest number of threads; no effect on results")


def whole(text, least=0):
    """Parse an integer."""
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return number


def positive(text):
    """Parse an integer of at least 1."""
    return whole(text, 1)


def at_least_2(text):
    """Parse an integer of at least 2."""
    return whole(text, 2)


def rate(text):
    """Parse a number above 0."""
    return number_between(text, 0, 1e300)


def at_least_0(text):
    """Parse a number of at least 0."""
    return 0.0 if text == "0" else rate(text)


def limit(text):
    """Parse a number above 0, or inf, or auto."""
    return text if text == "auto" else math.inf if text == "inf" else rate(text)


def positive_or_auto(text):
    """Parse an integer of at least 1, or auto."""
    return text if text == "auto" else positive(text)


def share(text):
    """Parse a fraction of the rows."""
    return number_between(text, 0, 0.8)


def coverage(text):
    """Parse a probability above 0 and below 1."""
    return number_between(text, 0, 1)


def separator(text):
    """Parse a character; a tab may be written as a word."""
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character, such as ';', or \"tab\"")
    return text


def number_between(text, low, high):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low < number < high:
        limits = f"above {low:g}" + f" and below {high:g}" * (high < 1e300)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {limits}")
    return number


def threshold(text):
    """Parse a probability, or the name of a metric."""
    return text if text in ("f1", "balanced") else coverage(text)


def task(text):
    """Parse a task, or one for each target, as in "a=counts,b=ordered"."""
    known = ("auto", "regression", "classification", "counts", "ordered")
    named = dict(part.rpartition("=")[::2] for part in words(text)) if "=" in text else {}
    if wrong := next((each for each in (named.values() if named else [text]) if each not in known), None):
        raise argparse.ArgumentTypeError(f"{wrong!r} is no task; it must be one of {', '.join(known)}")
    return named or text


def probabilities(text):
    """Parse a list of numbers above 0 and below 1, separated by commas."""
    return tuple(coverage(part) for part in words(text))


def words(text):
    """Parse a list of names, separated by commas."""
    return tuple(part for part in text.split(",") if part)


def layers(text):
    """Parse an argument such as "64-64" or "128:tanh-64:relu", as [(size, activation or None), …], first to last."""
    from ..kernels.activations import activations

    found = []
    for part in re.split("[-,]", text):
        size, _, activation = part.partition(":")
        if not size.isdecimal() or int(size) < 1 or (activation and activation not in activations):
            raise argparse.ArgumentTypeError(
                f"{part!r} is not a layer; write sizes with dashes between them, each with an activation if you like, "
                f"such as 128:tanh-64; activations are {', '.join(activations)}")
        found.append((int(size), activation or None))
    return found


def hidden_layers(text, default="relu"):
    """Parse hidden layers, as a tuple of Dense; "none" for none: a linear model."""
    from ..layers import Dense

    return () if text == "none" else tuple(Dense(size, activation or default) for size, activation in layers(text))


def whole_net(text):
    """Parse an argument such as "784-128-10", a classifier, or "4-16-1", a regressor, as (inputs, layers)."""
    from ..layers import Dense

    (inputs, activation), *rest = layers(text)
    if not rest or activation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a net; write inputs, hidden layers and outputs, such as 4-16-3")
    *hidden, (outputs, last) = rest
    last = last or ("softmax" if outputs > 1 else "identity")
    return inputs, [*(Dense(size, each or "relu") for size, each in hidden), Dense(outputs, last)]


def in_words(inputs, layers):
    """Return a description of a network in one line."""
    first = f"{inputs} input{'s' * (inputs != 1)}"
    return " → ".join([first, *(f"{layer.out_features} {layer.activation}" for layer in layers)])


def aligned(rows, indent="  "):
    """Return rows of cells as aligned lines: numbers to the right, everything else to the left."""
    rows = [[brief_text(cell) for cell in row] for row in rows]
    lines = []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [k > 0 and all(is_number(row[k]) for row in rows[1:]) for k in range(len(widths))]
    for row in rows:
        cells = [f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
                 for cell, width, to_right in zip(row, widths, right, strict=True)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def brief_text(cell, most=50):
    """Return a cell of a table as text, in one line, shortened if it is long."""
    text = " ".join(str(cell).split())
    return text if len(text) <= most else f"{text[:most - 1]}…"


def is_number(cell):
    return cell in ("", "–") or cell.lstrip("-−").replace(",", "").replace(".", "").replace("e-", "").isdecimal()


def brief(value):
    """Return a number for a table: four digits, commas between thousands, a dash for None."""
    if value is None:
        return "–"
    if abs(value) >= 1e9:
        return f"{value:.4g}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"


def print_now(text, file=None):
    """Print and flush."""
    print(text, file=file or sys.stdout, flush=True)


def note(command, text):
    """Print a note for the user on stderr."""
    print_now(f"fastnn {command}: {text}", sys.stderr)


def print_json(value):
    """Print a value as JSON, with null instead of NaN and infinity."""
    print(json.dumps(finite(value), indent=2, allow_nan=False))


def finite(value):
    """Return plain data with None instead of numbers that are not finite."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
