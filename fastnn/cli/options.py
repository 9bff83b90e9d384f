"""What commands have in common: a parser that teaches by examples, types of arguments, layers in words, tables of text."""

import argparse
import json
import math
import re
import sys

# what computes is imported where it is needed: --help should not wait for Numba


def command(name, description, examples):
    """A parser of a command. `examples`: (command line, what it does) pairs, shown in its help."""
    shown = "\n".join(f"  {line}\n      {what}" for line, what in examples)
    return argparse.ArgumentParser(prog=f"fastnn {name}", description=description, epilog=f"examples:\n{shown}\n",
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def add_json(parser):
    parser.add_argument("--json", action="store_true", help="print JSON alone, for scripts; remarks go to stderr")


def add_threads(parser):
    parser.add_argument("--threads", type=positive, metavar="N", help="at most so many; their number changes no result")


def whole(text, least=0):
    """An argument that is a whole number."""
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return number


def positive(text):
    """An argument that is a whole number of at least 1."""
    return whole(text, 1)


def rate(text):
    """An argument that is a number above 0."""
    return number_between(text, 0, 1e300)


def at_least_0(text):
    """An argument that is a number of at least 0."""
    return 0.0 if text == "0" else rate(text)


def limit(text):
    """An argument that is a number above 0, or inf."""
    return math.inf if text == "inf" else rate(text)


def share(text):
    """An argument that is a share of the rows."""
    return number_between(text, 0, 0.8)


def number_between(text, low, high):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low < number < high:
        limits = f"above {low:g}" + f" and below {high:g}" * (high < 1e300)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {limits}")
    return number


def words(text):
    """An argument that lists names, with commas between them."""
    return tuple(part for part in text.split(",") if part)


def layers(text):
    """An argument such as "64-64" or "128:tanh-64:relu", as [(size, activation or None), …], first to last."""
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
    """An argument of hidden layers, as a tuple of Dense; "none" for none: a linear model."""
    from ..layers import Dense

    return () if text == "none" else tuple(Dense(size, activation or default) for size, activation in layers(text))


def whole_net(text):
    """An argument such as "784-128-10", a classifier, or "4-16-1", a regressor, as (inputs, layers)."""
    from ..layers import Dense

    (inputs, activation), *rest = layers(text)
    if not rest or activation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a net; write inputs, hidden layers and outputs, such as 4-16-3")
    *hidden, (outputs, last) = rest
    last = last or ("softmax" if outputs > 1 else "identity")
    return inputs, [*(Dense(size, each or "relu") for size, each in hidden), Dense(outputs, last)]


def in_words(inputs, layers):
    """A net in a line."""
    return " → ".join([f"{inputs} inputs", *(f"{layer.out_features} {layer.activation}" for layer in layers)])


def aligned(rows, indent="  "):
    """Rows of cells as lines: the first column to the left, numbers to the right, the rest to the left."""
    rows = [[str(cell) for cell in row] for row in rows]
    lines = []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [k > 0 and all(is_number(row[k]) for row in rows[1:]) for k in range(len(widths))]
    for row in rows:
        cells = [f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
                 for cell, width, to_right in zip(row, widths, right, strict=True)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def is_number(cell):
    return cell in ("", "–") or cell.lstrip("-−").replace(",", "").replace(".", "").replace("e-", "").isdecimal()


def brief(value):
    """A number for a table: four digits, commas in thousands, a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) >= 1 else f"{value:.4f}"


def say(text, file=None):
    """Print at once."""
    print(text, file=file or sys.stdout, flush=True)


def remark(command, text):
    """A line for the user that is no result."""
    say(f"fastnn {command}: {text}", sys.stderr)


def print_json(value):
    print(json.dumps(value, indent=2))
