"""`fastnn predict`: the rows of a table through a model that `fastnn train` saved."""

import json
import warnings
from pathlib import Path

from . import options

EXAMPLES = (
    ("fastnn predict diamonds.safetensors new.csv", "a column price_predicted, as CSV on the standard output"),
    ("fastnn predict diamonds.safetensors new.csv -o priced.parquet --keep", "to a file, behind the columns of the table"),
    ("fastnn predict churn.safetensors new.csv --probabilities", "of each class a column"),
    ("cat new.csv | fastnn predict diamonds.safetensors - | head", "- is the standard input"),
    ("fastnn predict diamonds.safetensors old.csv --evaluate --json", "the table has the target: how good are predictions?"),
)

LEADING_ZERO = r"\s*[+-]?0\d+\s*$"


def main(argv):
    """Run the command."""
    parsing = parser()
    parsed = parsing.parse_args(argv)
    if parsed.output != "-":
        if parsed.json or parsed.evaluate:
            parsing.error(f"argument -o/--output: not with --{'json' if parsed.json else 'evaluate'}, which prints")
        options.check_output(parsed.output, ("model", parsed.model), ("table", parsed.file))
    from ..tables import TableModel, write_table
    from ..tables.reading.files import read_with_rows
    from ..tables.reading.known_formats import reading_of

    model = TableModel.load(parsed.model)
    if parsed.probabilities and model.target.kind != "classification":
        raise ValueError(f"{model.target.name!r} is a target of values; leave --probabilities out")
    table, rows = read_with_rows(parsed.file, like=model, **options.how_to_read(parsed))
    for note in reading_of(table)["notes"]:
        options.remark("predict", note)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if parsed.evaluate:
            there = model.has_target(table)
            found = model.evaluate(table, threads=parsed.threads)
        else:
            found = predictions(model, table, rows, parsed)
    for each in caught:
        options.remark("predict", each.message)
    if parsed.evaluate:
        if not there.all():
            without = f"{(~there).sum():,} of {len(there):,} rows have no {model.target.name!r}"
            options.remark("predict", f"{without} and are left out")
        if there.sum() == rows_trained_on(model):
            options.remark("predict", "the table has as many rows as the one that the model was trained on; if it is the "
                                      "same, these figures flatter it: fastnn inspect shows those on its test rows")
        say_metrics(found, there.sum(), parsed.json)
    elif parsed.json:
        print(as_records(found))
    else:
        write_table(found, parsed.output)


def parser():
    parser = options.command("predict", "Predict the rows of a table with a model that fastnn train saved.", EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="the file that fastnn train saved")
    parser.add_argument("file", metavar="FILE", help="CSV or Parquet with the columns of training; - for the standard input")
    parser.add_argument("-o", "--output", default="-", metavar="OUT", help="CSV or Parquet (default: CSV on the standard "
                                                                           "output)")
    parser.add_argument("--keep", action="store_true",
                        help="put the columns of the table in front; none of them may have the name of a new one")
    parser.add_argument("--probabilities", action="store_true", help="add a column for the probability of each class")
    parser.add_argument("--evaluate", action="store_true",
                        help="print how good the predictions are; the table has to have the target")
    options.add_reading(parser)
    options.add_threads(parser)
    options.add_json(parser)
    return parser


def predictions(model, table, rows, parsed):
    """A DataFrame of predictions, row for row."""
    from ..tables.columns.frames import pandas

    target, kept = model.target, as_they_stand(table, rows, writes_text(parsed)) if parsed.keep else table[[]]
    names = [f"{target.name}_predicted"]
    if parsed.probabilities:
        names += [f"probability of {text}" for text in target.texts]
    if taken := [name for name in names if name in kept.columns]:
        raise ValueError(f"the table has a column {taken[0]!r} of its own, which the prediction would overwrite; rename it, "
                         "or leave --keep out")
    outputs = model.forward(table, threads=parsed.threads)
    columns = [labels_for(target, outputs, parsed), *(outputs.T if parsed.probabilities else ())]
    found = pandas().DataFrame(dict(zip(names, columns, strict=True)), index=table.index)
    return pandas().concat([kept, found], axis=1)


def writes_text(parsed):
    """Whether the output is CSV, in which there are no types."""
    from ..tables.reading.files import PARQUET

    return not parsed.json and Path(parsed.output).suffix.lower() not in PARQUET


def as_they_stand(table, rows, as_text):
    """The columns of a table as they are to be written again. rows: of the file of text that it was read from, or None.

    In CSV cells stay what they are, 007 and TRUE, unless numbers have other separators: those of predictions are points. In
    JSON and Parquet numbers are numbers, unless zeros are written before them: these are names, and would be lost.
    """
    from ..tables.reading.known_formats import reading_of

    if rows is None:
        return table
    cells, formats = rows.raw(list(table.columns), keep_default_na=False, na_filter=False), reading_of(table)["formats"]
    for name, column in cells.items():
        written_otherwise = tuple(formats.get(name, (".", ""))) != (".", "")
        if written_otherwise or not (as_text or column.str.match(LEADING_ZERO).any()):
            cells[name] = table[name]
        elif not as_text:
            cells[name] = column.where(column != "", None)
    return cells


def labels_for(target, outputs, parsed):
    """What is predicted, as it is to be written: in CSV a class as it stood there, in Parquet one type a column."""
    if target.kind != "classification":
        return target.decode(outputs)
    if writes_text(parsed):
        return target.decode_text(outputs)
    found = target.decode(outputs)
    kinds = {type(label) for label in target.labels}
    return found if parsed.json or found.dtype != object or kinds == {str} else found.astype(str)


def as_records(found):
    """A DataFrame as JSON, a dict a row, with every digit of its numbers."""
    columns = {name: plain_values(column) for name, column in found.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps(options.finite(rows), default=str)


def plain_values(column):
    """The values of a column as Python's, None where one is missing; float32 with the digits that tell it from others."""
    values = column.astype(str).astype(float) if column.dtype == "float32" else column
    return [None if absent else value for value, absent in zip(values.tolist(), column.isna().tolist(), strict=True)]


def rows_trained_on(model):
    """How many rows the table had that a model was trained on, its test rows among them; None if the model does not say."""
    rows = model.report.get("rows")
    counts = list(rows.values()) if isinstance(rows, dict) else [None]
    return sum(counts) if all(type(count) is int for count in counts) else None


def say_metrics(metrics, rows, as_json):
    if as_json:
        options.print_json(metrics)
    else:
        shown = {"rows": f"{rows:,}"} | {name: options.brief(value) for name, value in metrics.items()}
        options.say(options.aligned([list(shown), list(shown.values())], indent=""))
